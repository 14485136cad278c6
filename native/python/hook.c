/* `Hook`: replaces a class's function. */
#include "hooks.h"

typedef struct {
    PyObject_HEAD
    Vectorcall call;
    PyObject *original;
    PyObject *owner; /* `Proxies` for a generated class, `Births` for a declared one */
} Hook;

#define PROXIES(hook) ((Proxies *)(hook)->owner)

/* `__init__`: the proxy is the first argument. */
static PyObject *call_constructor(PyObject *self, PyObject *const *args, size_t count_flags,
                                  PyObject *names) {
    Hook *hook = (Hook *)self;
    PyObject *result = ai_vectorcall(hook->original, args, count_flags, names);
    if (result && COUNT(count_flags) > 0 && ai_proxy_born(PROXIES(hook), args[0]) < 0)
        ai_report(PROXIES(hook)->fail);
    return result;
}

/* The function behind the classmethod that every lift passes through: it returns the proxy. */
static PyObject *call_maker(PyObject *self, PyObject *const *args, size_t count_flags,
                            PyObject *names) {
    Hook *hook = (Hook *)self;
    PyObject *proxy = ai_vectorcall(hook->original, args, count_flags, names);
    if (proxy && ai_proxy_born(PROXIES(hook), proxy) < 0) ai_report(PROXIES(hook)->fail);
    return proxy;
}

/* `__del__`: the row ends first, so that the sampler does not read freed memory. */
static PyObject *call_finaliser(PyObject *self, PyObject *const *args, size_t count_flags,
                                PyObject *names) {
    Hook *hook = (Hook *)self;
    if (COUNT(count_flags) == 0)
        return ai_vectorcall(hook->original, args, count_flags, names);
    unsigned long long handle = 0;
    if (ai_proxy_gone(PROXIES(hook), args[0], &handle) < 0) ai_report(PROXIES(hook)->fail);
    PyObject *result = ai_vectorcall(hook->original, args, count_flags, names);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (ai_proxy_left(PROXIES(hook), args[0], handle) < 0) ai_report(PROXIES(hook)->fail);
    PyErr_Restore(type, value, traceback); /* what the finaliser itself raised counts */
    return result;
}

/* Has a proxy looked at, and gives up the result of a call when that is to stop the program. */
static PyObject *observed(Hook *hook, PyObject *proxy, PyObject *result) {
    if (ai_births_observe((Births *)hook->owner, proxy) < 0) Py_CLEAR(result);
    return result;
}

/* `__init__` of a declared class. */
static PyObject *call_birth(PyObject *self, PyObject *const *args, size_t count_flags,
                            PyObject *names) {
    Hook *hook = (Hook *)self;
    PyObject *proxy = COUNT(count_flags) > 0 ? args[0] : NULL;
    if (proxy) ai_instance_under_way((size_t)proxy, 1);
    PyObject *result = ai_vectorcall(hook->original, args, count_flags, names);
    if (result && proxy) result = observed(hook, proxy, result);
    if (proxy) ai_instance_under_way((size_t)proxy, 0);
    return result;
}

/* The same where `__init__` is that of `object`, which refuses the arguments that were for
 * `__new__` once it is hooked. */
static PyObject *call_plain_birth(PyObject *self, PyObject *const *args, size_t count_flags,
                                  PyObject *names) {
    Hook *hook = (Hook *)self;
    return COUNT(count_flags) > 0 ? observed(hook, args[0], Py_NewRef(Py_None))
                                  : Py_NewRef(Py_None);
}

/* Has the proxy looked at whose method has returned this, or raised (NULL). */
static PyObject *after_method(Hook *hook, PyObject *const *args, size_t count_flags,
                              PyObject *result) {
    if (COUNT(count_flags) == 0) return result;
    if (result) return observed(hook, args[0], result);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (ai_births_observe((Births *)hook->owner, args[0]) < 0)
        PyErr_Clear(); /* what the method itself raised counts */
    PyErr_Restore(type, value, traceback);
    return NULL;
}

/* A method of a declared class that may open, close or give back, also when it raises. */
static PyObject *call_method(PyObject *self, PyObject *const *args, size_t count_flags,
                             PyObject *names) {
    Hook *hook = (Hook *)self;
    return after_method(hook, args, count_flags,
                        ai_vectorcall(hook->original, args, count_flags, names));
}

/* A method of a declared class that closes. Its resource is closing until the method has ended and
 * the proxy was looked at: a close that never ends is seen, and a closed resource is never called
 * open. */
static PyObject *call_closer(PyObject *self, PyObject *const *args, size_t count_flags,
                             PyObject *names) {
    Hook *hook = (Hook *)self;
    uint64_t row = COUNT(count_flags) > 0 ? ai_births_close_begins((Births *)hook->owner, args[0])
                                          : 0;
    PyObject *result = ai_vectorcall(hook->original, args, count_flags, names);
    result = after_method(hook, args, count_flags, result);
    if (row) ai_row_close_ends(row);
    return result;
}

/* A function that returns a proxy of a declared class, or several. Beyond the first hundred, a scan
 * finds the proxies. */
static PyObject *call_made(PyObject *self, PyObject *const *args, size_t count_flags,
                           PyObject *names) {
    Hook *hook = (Hook *)self;
    PyObject *made = ai_vectorcall(hook->original, args, count_flags, names);
    if (!made) return NULL;
    int is_list = PyList_CheckExact(made);
    if (!is_list && !PyTuple_CheckExact(made)) return observed(hook, made, made);
    for (Py_ssize_t at = 0;
         made && at < MOST_MADE && at < (is_list ? PyList_Size(made) : PyTuple_Size(made)); at++) {
        PyObject *each = Py_NewRef(is_list ? PyList_GetItem(made, at) : PyTuple_GetItem(made, at));
        made = observed(hook, each, made);
        Py_DECREF(each);
    }
    return made;
}

static const struct {
    const char *name;
    Vectorcall call;
    PyTypeObject **owner;
} kinds[] = {
    {"constructor", call_constructor, &ai_proxies_type},
    {"maker", call_maker, &ai_proxies_type},
    {"finaliser", call_finaliser, &ai_proxies_type},
    {"birth", call_birth, &ai_births_type},
    {"plain birth", call_plain_birth, &ai_births_type},
    {"method", call_method, &ai_births_type},
    {"closer", call_closer, &ai_births_type},
    {"made", call_made, &ai_births_type},
};

static int hook_init(Hook *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"owner", "original", "what", NULL};
    PyObject *owner, *original;
    const char *what;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOs", names, &owner, &original, &what))
        return -1;
    for (size_t at = 0; !self->original && at < sizeof kinds / sizeof *kinds; at++) {
        if (strcmp(what, kinds[at].name) || Py_TYPE(owner) != *kinds[at].owner) continue;
        self->call = kinds[at].call;
        self->original = Py_NewRef(original);
        self->owner = Py_NewRef(owner);
        return 0;
    }
    PyErr_SetString(PyExc_ValueError, "a hook is made once, as one of the kinds of its owner");
    return -1;
}

static PyObject *call_nothing(PyObject *self, PyObject *const *args, size_t count_flags,
                              PyObject *names) {
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
    Py_VISIT(self->owner);
    return 0;
}

static int hook_clear(Hook *self) {
    self->call = call_nothing;
    Py_CLEAR(self->original);
    Py_CLEAR(self->owner);
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
    return ai_call_of_vector((PyObject *)self, self->call, args, kwargs);
}

/* Bound to an instance as a function would be. */
static PyObject *hook_bind(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(type)) {
    if (!instance || instance == Py_None) return Py_NewRef(self);
    return PyObject_CallFunctionObjArgs((PyObject *)ai_method_type, self, instance, NULL);
}

/* An attribute that a hook does not have itself (`__name__`, `__code__`, …) is the hooked
 * function's. */
static PyObject *hook_attribute(PyObject *self, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found || !((Hook *)self)->original || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return found;
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
/* Immutable: otherwise the interpreter would not specialise the calls of a hooked method as it does
 * a function's. */
PyType_Spec ai_hook_spec = {"inspector._hooks.Hook", sizeof(Hook), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                                Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE,
                            hook_slots};
