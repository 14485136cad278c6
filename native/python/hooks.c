/* The extension module `inspector._hooks`: hooks of generated proxy classes, and the search for proxies that live, at the speed of C.
 *
 * It stands beside cffi's module in one shared object, because both work on one recorder. What decides is in Rust (`native/src/follow`);
 * here objects of the interpreter are taken apart for it, and what is rare is asked of Python. Everything runs with the interpreter's lock.
 *
 * Stable ABI of CPython 3.11, and three functions that each CPython since 3.9 exports but whose headers hide before 3.12.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include <structmember.h>

#include "arc_inspector.h"

PyAPI_FUNC(PyObject *) PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t count_flags, PyObject *names);
PyAPI_FUNC(PyObject *) PyMethod_New(PyObject *function, PyObject *self);
PyAPI_FUNC(PyObject *) PyVectorcall_Call(PyObject *callable, PyObject *args, PyObject *kwargs);

#ifndef Py_TPFLAGS_HAVE_VECTORCALL
#define Py_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
#endif
#ifndef Py_TPFLAGS_METHOD_DESCRIPTOR
#define Py_TPFLAGS_METHOD_DESCRIPTOR (1UL << 17)
#endif
#define COUNT(count_flags) ((Py_ssize_t)((count_flags) & ~((size_t)1 << (8 * sizeof(size_t) - 1))))

typedef PyObject *(*Vectorcall)(PyObject *, PyObject *const *, size_t, PyObject *);

enum {
    LEVEL_HISTORY = 2,
    /* Code objects that are kept alive for their stacks; in a program that makes code for ever the rest has no site. */
    MOST_CODES = 1 << 16,
    /* Instances that a slice of a scan hands out, about 1.5 ms; frames that a trial of the layout compares. */
    MOST_FOUND = 4096,
    MOST_FRAMES = 256,
};

/* ---- what went wrong stays here ---- */

/* Hands the exception that is set to `fail` and clears it: the program must not fail because of the tool. */
static void report(PyObject *fail) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *said = fail && value ? PyObject_CallFunctionObjArgs(fail, value, NULL) : NULL;
    Py_XDECREF(said);
    PyErr_Clear();
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

/* ---- Stacks ---- */

typedef struct {
    PyObject_HEAD
    AiStacks *stacks; /* NULL: this interpreter's frames are not known, `fallback` answers */
    PyObject *classify; /* (code, globals) -> whether it is the program's */
    PyObject *learn; /* (frames) -> site */
    PyObject *fallback; /* (frames) -> site */
    PyObject *codes; /* kept alive */
} Stacks;

static int minor_version(void) {
    return (int)(Py_Version >> 16 & 0xFF);
}

static int stacks_init(Stacks *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"classify", "learn", "fallback", "is_walked", NULL};
    PyObject *classify, *learn, *fallback;
    int is_walked;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOp", names, &classify, &learn, &fallback, &is_walked)) return -1;
    if (self->codes) {
        PyErr_SetString(PyExc_TypeError, "made already");
        return -1;
    }
    self->codes = PyList_New(0);
    if (!self->codes) return -1;
    self->classify = Py_NewRef(classify);
    self->learn = Py_NewRef(learn);
    self->fallback = Py_NewRef(fallback);
    self->stacks = is_walked ? ai_stacks_new(minor_version()) : NULL;
    return 0;
}

static int stacks_traverse(Stacks *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->classify);
    Py_VISIT(self->learn);
    Py_VISIT(self->fallback);
    Py_VISIT(self->codes);
    return 0;
}

static int stacks_clear(Stacks *self) {
    Py_CLEAR(self->classify);
    Py_CLEAR(self->learn);
    Py_CLEAR(self->fallback);
    return 0;
}

static void stacks_dealloc(Stacks *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    stacks_clear(self);
    ai_stacks_free(self->stacks);
    Py_CLEAR(self->codes);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* Asks Python for a site: 0 and an exception when it fails. */
static unsigned ask_site(PyObject *whom, size_t frames) {
    PyObject *number = whom ? PyObject_CallFunction(whom, "n", (Py_ssize_t)frames) : NULL;
    unsigned long site = number ? PyLong_AsUnsignedLong(number) : 0;
    Py_XDECREF(number);
    return PyErr_Occurred() ? 0 : (unsigned)site;
}

/* Tells of a code object whether it is the program's. 0: go on; -1: no site, perhaps with an exception. */
static int stacks_classify(Stacks *self, PyObject *code, PyObject *globals) {
    if (PyList_Size(self->codes) >= MOST_CODES) return -1;
    PyObject *answer = PyObject_CallFunctionObjArgs(self->classify, code, globals, NULL);
    int is_program = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    if (is_program < 0 || PyList_Append(self->codes, code) < 0) return -1;
    ai_stacks_set_code(self->stacks, (size_t)code, is_program);
    return 0;
}

/* The site of the running thread, 0: none, perhaps with an exception. Asking runs Python code, so after each question the walk begins anew. */
static unsigned stacks_here(Stacks *self, size_t limit) {
    if (!self->stacks) return ask_site(self->fallback, limit);
    size_t state = (size_t)PyThreadState_Get(), first = 0, second = 0;
    unsigned learnt = 0;
    for (int is_learnt = 0;;) {
        int answer = ai_stacks_walk(self->stacks, state, limit, &first, &second);
        if (answer == 0) return (unsigned)first;
        if (answer == 1) {
            if (stacks_classify(self, (PyObject *)first, (PyObject *)second) < 0) return 0;
        } else if (is_learnt) {
            ai_stacks_set_site(self->stacks, first, learnt);
            return learnt;
        } else {
            learnt = ask_site(self->learn, first);
            if (PyErr_Occurred()) return 0;
            is_learnt = 1;
        }
    }
}

static PyObject *stacks_here_method(Stacks *self, PyObject *limit) {
    size_t frames = PyLong_AsSize_t(limit);
    if (PyErr_Occurred()) return NULL;
    unsigned site = stacks_here(self, frames);
    return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLong(site);
}

static PyMethodDef stacks_methods[] = {
    {"here", (PyCFunction)stacks_here_method, METH_O, "Site of the running thread, of so many frames at most; 0: none."},
    {NULL},
};

static PyType_Slot stacks_slots[] = {
    {Py_tp_doc, "Sites by the frames of the running thread."},
    {Py_tp_init, stacks_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, stacks_dealloc},
    {Py_tp_traverse, stacks_traverse},
    {Py_tp_clear, stacks_clear},
    {Py_tp_methods, stacks_methods},
    {0, NULL},
};
static PyType_Spec stacks_spec = {"inspector._hooks.Stacks", sizeof(Stacks), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, stacks_slots};

/* ---- Proxies ---- */

typedef struct {
    PyObject_HEAD
    AiProxies *rows;
    PyTypeObject *cls;
    PyObject *attribute; /* name of the attribute that keeps the handle */
    Stacks *stacks;
    PyObject *learn; /* (proxy, handle): find out type and layout */
    PyObject *watch; /* (proxy, row): it is of a class that the program derived */
    PyObject *fail; /* (exception) */
} Proxies;

static PyTypeObject *stacks_type;

static int proxies_init(Proxies *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"cls", "attribute", "stacks", "learn", "watch", "fail", NULL};
    PyObject *cls, *attribute, *stacks, *learn, *watch, *fail;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!UO!OOO", names, &PyType_Type, &cls, &attribute, stacks_type, &stacks, &learn, &watch, &fail))
        return -1;
    if (self->rows) {
        PyErr_SetString(PyExc_TypeError, "made already");
        return -1;
    }
    self->cls = (PyTypeObject *)Py_NewRef(cls);
    self->attribute = Py_NewRef(attribute);
    PyUnicode_InternInPlace(&self->attribute);
    self->stacks = (Stacks *)Py_NewRef(stacks);
    self->learn = Py_NewRef(learn);
    self->watch = Py_NewRef(watch);
    self->fail = Py_NewRef(fail);
    self->rows = ai_proxies_new();
    return 0;
}

static int proxies_traverse(Proxies *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->cls);
    Py_VISIT(self->stacks);
    Py_VISIT(self->learn);
    Py_VISIT(self->watch);
    Py_VISIT(self->fail);
    return 0;
}

static int proxies_clear(Proxies *self) {
    Py_CLEAR(self->learn);
    Py_CLEAR(self->watch);
    Py_CLEAR(self->fail);
    return 0;
}

static void proxies_dealloc(Proxies *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    proxies_clear(self);
    Py_CLEAR(self->cls);
    Py_CLEAR(self->attribute);
    Py_CLEAR(self->stacks);
    ai_proxies_free(self->rows);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* The handle of a proxy: 1 found, 0 it has none, -1 an exception. Runs no code of the program. */
static int handle_of(Proxies *self, PyObject *proxy, unsigned long long *handle) {
    PyObject *kept = PyObject_GenericGetAttr(proxy, self->attribute);
    if (!kept) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
        PyErr_Clear();
        return 0;
    }
    if (kept == Py_None) {
        Py_DECREF(kept);
        return 0;
    }
    *handle = PyLong_AsUnsignedLongLong(kept);
    Py_DECREF(kept);
    return *handle == (unsigned long long)-1 && PyErr_Occurred() ? -1 : 1;
}

static int ask(PyObject *whom, PyObject *proxy, unsigned long long number) {
    PyObject *second = PyLong_FromUnsignedLongLong(number);
    PyObject *said = second ? PyObject_CallFunctionObjArgs(whom, proxy, second, NULL) : NULL;
    Py_XDECREF(second);
    Py_XDECREF(said);
    return said ? 0 : -1;
}

/* A proxy was made now, on this thread. -1: an exception is set. */
static int proxies_born(Proxies *self, PyObject *proxy) {
    unsigned level = ai_hottest();
    unsigned long long handle = 0;
    if (level == 0) return 0;
    int found = handle_of(self, proxy, &handle);
    if (found <= 0) return found;
    unsigned site = level < LEVEL_HISTORY ? 0 : stacks_here(self->stacks, level == LEVEL_HISTORY ? 1 : AiSITE_FRAMES);
    if (site == 0 && PyErr_Occurred()) report(self->fail); /* a birth without a site is better than none */
    uint64_t row = 0;
    if (ai_proxies_born(self->rows, (size_t)proxy, handle, site, 0, &row)) {
        if (ask(self->learn, proxy, handle) < 0) return -1;
        ai_proxies_born(self->rows, (size_t)proxy, handle, site, 1, &row);
    }
    if (Py_TYPE(proxy) != self->cls && row) return ask(self->watch, proxy, row);
    return 0;
}

/* A proxy's finaliser runs. -1: an exception is set. */
static int proxies_gone(Proxies *self, PyObject *proxy) {
    unsigned long long handle = 0;
    int found = handle_of(self, proxy, &handle);
    ai_proxies_gone(self->rows, (size_t)proxy, found > 0 ? handle : 0);
    return found < 0 ? -1 : 0;
}

/* A row for a proxy that was there before, unless it is known, or goes. 1: made, 0: not, -1: an exception is set. */
static int proxies_adopt(Proxies *self, PyObject *proxy) {
    unsigned long long handle = 0;
    if (ai_proxies_knows(self->rows, (size_t)proxy) || PyObject_GC_IsFinalized(proxy)) return 0;
    int found = handle_of(self, proxy, &handle);
    if (found <= 0) return found;
    if (!ai_proxies_is_ready(self->rows) && ask(self->learn, proxy, handle) < 0) return -1;
    uint64_t row = ai_proxies_adopt(self->rows, (size_t)proxy, handle);
    if (!row) return 0;
    return Py_TYPE(proxy) != self->cls && ask(self->watch, proxy, row) < 0 ? -1 : 1;
}

static PyObject *proxies_set_type(Proxies *self, PyObject *number) {
    unsigned long type_id = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred()) return NULL;
    ai_proxies_set_type(self->rows, (uint16_t)type_id);
    Py_RETURN_NONE;
}

static PyObject *proxies_set_layout(Proxies *self, PyObject *args) {
    unsigned char kind;
    unsigned long long bytes;
    if (!PyArg_ParseTuple(args, "bK", &kind, &bytes)) return NULL;
    ai_proxies_set_layout(self->rows, kind, bytes);
    Py_RETURN_NONE;
}

static PyObject *proxies_address(Proxies *self, PyObject *number) {
    unsigned long long handle = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) return NULL;
    return PyLong_FromUnsignedLongLong(ai_proxies_address(self->rows, handle));
}

static PyObject *proxies_row(Proxies *self, PyObject *place) {
    size_t key = PyLong_AsSize_t(place);
    if (PyErr_Occurred()) return NULL;
    return PyLong_FromUnsignedLongLong(ai_proxies_row(self->rows, key));
}

static PyObject *proxies_place(Proxies *self, PyObject *number) {
    unsigned long long row = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) return NULL;
    return PyLong_FromSize_t(ai_proxies_key(self->rows, row));
}

static PyObject *proxies_leaving(Proxies *self, PyObject *place) {
    size_t key = PyLong_AsSize_t(place);
    if (PyErr_Occurred()) return NULL;
    ai_proxies_leaving(self->rows, key);
    Py_RETURN_NONE;
}

static PyObject *proxies_lost(Proxies *self, PyObject *args) {
    unsigned long long key, row;
    if (!PyArg_ParseTuple(args, "KK", &key, &row)) return NULL;
    ai_proxies_lost(self->rows, (size_t)key, row);
    Py_RETURN_NONE;
}

static PyObject *proxies_adopt_method(Proxies *self, PyObject *proxy) {
    int made = proxies_adopt(self, proxy);
    return made < 0 ? NULL : PyBool_FromLong(made);
}

static PyObject *proxies_forget(Proxies *self, PyObject *Py_UNUSED(nothing)) {
    ai_proxies_clear(self->rows);
    Py_RETURN_NONE;
}

static Py_ssize_t proxies_length(Proxies *self) {
    return (Py_ssize_t)ai_proxies_count(self->rows);
}

static PyMethodDef proxies_methods[] = {
    {"set_type", (PyCFunction)proxies_set_type, METH_O, "The type of the rows."},
    {"set_layout", (PyCFunction)proxies_set_layout, METH_VARARGS, "Where the object of a handle lies: kind and bytes."},
    {"address", (PyCFunction)proxies_address, METH_O, "The allocation of a live handle's object; 0: not known."},
    {"row", (PyCFunction)proxies_row, METH_O, "The row of the proxy with this id; 0: it has none."},
    {"place", (PyCFunction)proxies_place, METH_O, "The id of the proxy of a row; 0: there is none."},
    {"leaving", (PyCFunction)proxies_leaving, METH_O, "The finaliser of the proxy with this id runs, and began before the class was hooked."},
    {"lost", (PyCFunction)proxies_lost, METH_VARARGS, "The proxy with this id went without its finaliser: its row ends, if it is this one."},
    {"adopt", (PyCFunction)proxies_adopt_method, METH_O, "A row for a proxy that was there before; whether it needed one."},
    {"forget", (PyCFunction)proxies_forget, METH_NOARGS, "Follow the class no longer: all rows go without a trace."},
    {NULL},
};

static PyType_Slot proxies_slots[] = {
    {Py_tp_doc, "The rows of the proxies of one class."},
    {Py_tp_init, proxies_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, proxies_dealloc},
    {Py_tp_traverse, proxies_traverse},
    {Py_tp_clear, proxies_clear},
    {Py_tp_methods, proxies_methods},
    {Py_mp_length, proxies_length},
    {0, NULL},
};
static PyType_Spec proxies_spec = {"inspector._hooks.Proxies", sizeof(Proxies), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, proxies_slots};

/* ---- Hook: stands in the place of a class's function ---- */

typedef struct {
    PyObject_HEAD
    Vectorcall call;
    PyObject *original;
    Proxies *proxies;
} Hook;

static PyTypeObject *proxies_type;

/* `__init__`: the proxy is the first argument. */
static PyObject *call_constructor(PyObject *self, PyObject *const *args, size_t count_flags, PyObject *names) {
    Hook *hook = (Hook *)self;
    PyObject *result = PyObject_Vectorcall(hook->original, args, count_flags, names);
    if (result && COUNT(count_flags) > 0 && proxies_born(hook->proxies, args[0]) < 0) report(hook->proxies->fail);
    return result;
}

/* The function behind the classmethod that every lift passes through: the proxy is what it returns. */
static PyObject *call_maker(PyObject *self, PyObject *const *args, size_t count_flags, PyObject *names) {
    Hook *hook = (Hook *)self;
    PyObject *proxy = PyObject_Vectorcall(hook->original, args, count_flags, names);
    if (proxy && proxies_born(hook->proxies, proxy) < 0) report(hook->proxies->fail);
    return proxy;
}

/* `__del__`: the row ends first, so that the sampler does not read what is freed. */
static PyObject *call_finaliser(PyObject *self, PyObject *const *args, size_t count_flags, PyObject *names) {
    Hook *hook = (Hook *)self;
    if (COUNT(count_flags) == 0) return PyObject_Vectorcall(hook->original, args, count_flags, names);
    if (proxies_gone(hook->proxies, args[0]) < 0) report(hook->proxies->fail);
    PyObject *result = PyObject_Vectorcall(hook->original, args, count_flags, names);
    ai_proxies_left(hook->proxies->rows, (size_t)args[0]);
    return result;
}

static int hook_init(Hook *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"proxies", "original", "what", NULL};
    PyObject *proxies, *original;
    const char *what;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!Os", names, proxies_type, &proxies, &original, &what)) return -1;
    Vectorcall call = !strcmp(what, "constructor") ? call_constructor
                      : !strcmp(what, "maker")     ? call_maker
                      : !strcmp(what, "finaliser") ? call_finaliser
                                                   : NULL;
    if (!call || self->original) {
        PyErr_SetString(PyExc_ValueError, "a hook is made once, as constructor, maker or finaliser");
        return -1;
    }
    self->call = call;
    self->original = Py_NewRef(original);
    self->proxies = (Proxies *)Py_NewRef(proxies);
    return 0;
}

static PyObject *call_nothing(PyObject *self, PyObject *const *args, size_t count_flags, PyObject *names) {
    PyErr_SetString(PyExc_TypeError, "a hook that was not made");
    return NULL;
}

static PyObject *hook_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    Hook *self = (Hook *)PyType_GenericNew(type, args, kwargs);
    if (self) self->call = call_nothing;
    return (PyObject *)self;
}

static int hook_traverse(Hook *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->original);
    Py_VISIT(self->proxies);
    return 0;
}

static int hook_clear(Hook *self) {
    self->call = call_nothing;
    Py_CLEAR(self->original);
    Py_CLEAR(self->proxies);
    return 0;
}

static void hook_dealloc(Hook *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    hook_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyObject *hook_call(Hook *self, PyObject *args, PyObject *kwargs) {
    return PyVectorcall_Call((PyObject *)self, args, kwargs);
}

/* Bound to an instance as a function would be. */
static PyObject *hook_bind(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(type)) {
    return instance && instance != Py_None ? PyMethod_New(self, instance) : Py_NewRef(self);
}

/* What a hook does not have itself (`__name__`, `__code__`, …) it has of what it stands for. */
static PyObject *hook_attribute(PyObject *self, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found || !((Hook *)self)->original || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
    PyErr_Clear();
    return PyObject_GetAttr(((Hook *)self)->original, name);
}

static PyObject *hook_of_original(PyObject *self, void *name) {
    return PyObject_GetAttrString(((Hook *)self)->original, name);
}

static PyMemberDef hook_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Hook, call), READONLY, NULL},
    {"__wrapped__", T_OBJECT, offsetof(Hook, original), READONLY, NULL},
    {NULL},
};

static PyGetSetDef hook_getset[] = {
    {"__doc__", hook_of_original, NULL, NULL, "__doc__"},
    {"__module__", hook_of_original, NULL, NULL, "__module__"},
    {NULL},
};

static PyType_Slot hook_slots[] = {
    {Py_tp_init, hook_init},
    {Py_tp_new, hook_new},
    {Py_tp_dealloc, hook_dealloc},
    {Py_tp_traverse, hook_traverse},
    {Py_tp_clear, hook_clear},
    {Py_tp_call, hook_call},
    {Py_tp_descr_get, hook_bind},
    {Py_tp_getattro, hook_attribute},
    {Py_tp_members, hook_members},
    {Py_tp_getset, hook_getset},
    {0, NULL},
};
static PyType_Spec hook_spec = {
    "inspector._hooks.Hook", sizeof(Hook), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR, hook_slots};

/* ---- Scan: finds instances that live ---- */

typedef struct {
    PyObject_HEAD
} Marker;

static PyTypeObject *marker_type;

static int marker_traverse(Marker *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    return 0;
}

static void marker_dealloc(Marker *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyType_Slot marker_slots[] = {
    {Py_tp_doc, "Keeps a scan's place among the interpreter's objects."},
    {Py_tp_dealloc, marker_dealloc},
    {Py_tp_traverse, marker_traverse},
    {0, NULL},
};
static PyType_Spec marker_spec = {
    "inspector._hooks.Marker", sizeof(Marker), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, marker_slots};

typedef struct {
    PyObject_HEAD
    AiHeap *heap;
    AiTypes *types;
    PyObject *marker;
    PyObject *owners; /* class -> Proxies, or None: hand its instances out */
} Scan;

static int scan_init(Scan *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"owners", NULL};
    PyObject *owners, *cls, *owner;
    Py_ssize_t at = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!", names, &PyDict_Type, &owners)) return -1;
    if (self->types) {
        PyErr_SetString(PyExc_TypeError, "made already");
        return -1;
    }
    self->owners = PyDict_Copy(owners);
    if (!self->owners) return -1;
    self->types = ai_types_new();
    while (PyDict_Next(self->owners, &at, &cls, &owner)) {
        if (owner != Py_None && Py_TYPE(owner) != proxies_type) {
            PyErr_SetString(PyExc_TypeError, "an owner is Proxies or None");
            return -1;
        }
        ai_types_add(self->types, (size_t)cls);
    }
    int is_known = minor_version() >= 11 && minor_version() <= 13;
    self->marker = PyType_GenericAlloc(marker_type, 0);
    if (!self->marker) return -1;
    self->heap = is_known ? ai_heap_begin((size_t)self->marker, (size_t)marker_type) : NULL;
    if (!self->heap) {
        PyErr_SetString(PyExc_RuntimeError, "this interpreter keeps its objects in another way than expected");
        return -1;
    }
    return 0;
}

static int scan_traverse(Scan *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->owners);
    return 0;
}

static void scan_dealloc(Scan *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    ai_heap_free(self->heap);
    ai_types_free(self->types);
    Py_CLEAR(self->marker);
    Py_CLEAR(self->owners);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* Gives one instance to its owner, or into `others`. 1: it got a row, 0: not, -1: an exception is set. */
static int scan_give(Scan *self, PyObject *instance, PyObject *others) {
    PyObject *owner = PyDict_GetItemWithError(self->owners, (PyObject *)Py_TYPE(instance));
    if (!owner) return PyErr_Occurred() ? -1 : 0;
    if (owner == Py_None) return PyList_Append(others, instance);
    return proxies_adopt((Proxies *)owner, instance);
}

static PyObject *scan_step(Scan *self, PyObject *args) {
    Py_ssize_t most, room = MOST_FOUND;
    if (!PyArg_ParseTuple(args, "n|n", &most, &room)) return NULL;
    if (!self->heap || room < 1 || room > MOST_FOUND) return PyErr_Format(PyExc_ValueError, "1 to %d instances a step", MOST_FOUND);
    size_t found[MOST_FOUND];
    int more = 0;
    size_t count = ai_heap_step(self->heap, self->types, (size_t)most, found, (size_t)room, &more);
    for (size_t at = 0; at < count; at++) Py_INCREF((PyObject *)found[at]); /* before any Python code may run */
    Py_ssize_t made = 0;
    PyObject *others = PyList_New(0);
    for (size_t at = 0; at < count; at++) {
        int given = others ? scan_give(self, (PyObject *)found[at], others) : -1;
        if (given < 0) Py_CLEAR(others);
        else made += given;
    }
    for (size_t at = 0; at < count; at++) Py_DECREF((PyObject *)found[at]);
    return others ? Py_BuildValue("(nNO)", made, others, more ? Py_True : Py_False) : NULL;
}

static PyMethodDef scan_methods[] = {
    {"step", (PyCFunction)scan_step, METH_VARARGS,
     "One slice: looks at so many objects, finds so many instances at most. (rows made, instances handed out, whether there is more)."},
    {NULL},
};

static PyType_Slot scan_slots[] = {
    {Py_tp_doc, "A walk through all objects that live, a slice at a time."},
    {Py_tp_init, scan_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, scan_dealloc},
    {Py_tp_traverse, scan_traverse},
    {Py_tp_methods, scan_methods},
    {0, NULL},
};
static PyType_Spec scan_spec = {"inspector._hooks.Scan", sizeof(Scan), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, scan_slots};

/* ---- the module ---- */

static PyObject *frame_codes(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    size_t codes[MOST_FRAMES];
    size_t count = ai_stacks_codes(minor_version(), (size_t)PyThreadState_Get(), codes, MOST_FRAMES);
    PyObject *list = PyList_New(0);
    for (size_t at = 0; list && at < count; at++) {
        PyObject *number = PyLong_FromSize_t(codes[at]);
        if (!number || PyList_Append(list, number) < 0) Py_CLEAR(list);
        Py_XDECREF(number);
    }
    return list;
}

static PyObject *stand_in(PyObject *Py_UNUSED(module), PyObject *args) {
    unsigned long long original, bytes;
    unsigned short type_id;
    unsigned char kind;
    if (!PyArg_ParseTuple(args, "KHbK", &original, &type_id, &kind, &bytes)) return NULL;
    return PyLong_FromSize_t(ai_transit_stand_in((size_t)original, type_id, kind, bytes));
}

static PyMethodDef module_methods[] = {
    {"frame_codes", frame_codes, METH_NOARGS, "The ids of the code objects of this thread's frames, as native code reads them; innermost first."},
    {"stand_in", stand_in, METH_VARARGS, "The address of a function that stands in for a clone function at an address; 0: there is none left."},
    {NULL},
};

static PyModuleDef module_definition = {PyModuleDef_HEAD_INIT, "inspector._hooks", "Hooks and scans in C.", -1, module_methods};

/* Makes a type and puts it into the module. NULL: an exception is set. */
static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, const char *name) {
    PyObject *type = PyType_FromSpec(spec);
    if (type && PyModule_AddObjectRef(module, name, type) < 0) Py_CLEAR(type);
    return (PyTypeObject *)type; /* kept for the life of the process */
}

PyMODINIT_FUNC PyInit__hooks(void) {
    PyObject *module = PyModule_Create(&module_definition);
    if (!module) return NULL;
    stacks_type = add_type(module, &stacks_spec, "Stacks");
    proxies_type = add_type(module, &proxies_spec, "Proxies");
    marker_type = add_type(module, &marker_spec, "Marker");
    PyTypeObject *hook = add_type(module, &hook_spec, "Hook");
    PyTypeObject *scan = add_type(module, &scan_spec, "Scan");
    const struct { const char *name; int value; } layouts[] = {
        {"UNKNOWN", AiLAYOUT_UNKNOWN}, {"HIDDEN", AiLAYOUT_HIDDEN}, {"BEFORE", AiLAYOUT_BEFORE},
        {"BOXED", AiLAYOUT_BOXED},     {"COUNTED", AiLAYOUT_COUNTED},
    };
    int failed = !stacks_type || !proxies_type || !marker_type || !hook || !scan;
    for (size_t at = 0; !failed && at < sizeof layouts / sizeof *layouts; at++)
        failed = PyModule_AddIntConstant(module, layouts[at].name, layouts[at].value) < 0;
    if (failed) Py_CLEAR(module);
    return module;
}
