/* `Proxies`: the rows of one class, fed with objects of the interpreter. */
#include "hooks.h"

static int proxies_init(Proxies *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"cls", "attribute", "stacks", "learn", "watch", "keep", "fail", NULL};
    PyObject *cls, *attribute, *stacks, *learn, *watch, *keep, *fail;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!UO!OOOO", names, &PyType_Type, &cls,
                                     &attribute, ai_stacks_type, &stacks, &learn, &watch, &keep,
                                     &fail))
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
    self->keep = Py_NewRef(keep);
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
    Py_VISIT(self->keep);
    Py_VISIT(self->fail);
    return 0;
}

static int proxies_clear(Proxies *self) {
    Py_CLEAR(self->learn);
    Py_CLEAR(self->watch);
    Py_CLEAR(self->keep);
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

/* The call stack of this thread, as much of it as the level asks for; 0: nothing, or not to be
 * recorded. Leaves no exception. */
static unsigned site_of_birth(Proxies *self) {
    unsigned level = ai_proxies_level(self->rows);
    unsigned most = level == LEVEL_HISTORY ? 1 : AiSITE_FRAMES;
    unsigned site = level < LEVEL_HISTORY ? 0 : ai_stacks_here(self->stacks, most);
    if (site == 0 && PyErr_Occurred())
        ai_report(self->fail); /* a birth without a site is better than none */
    return site;
}

/* A proxy was made now, on this thread. -1: an exception is set. */
int ai_proxy_born(Proxies *self, PyObject *proxy) {
    unsigned long long handle = 0;
    if (ai_hottest_level() == 0) return 0;
    int found = handle_of(self, proxy, &handle);
    if (found <= 0) return found;
    unsigned site = site_of_birth(self);
    uint64_t row = 0;
    if (ai_proxies_born(self->rows, (size_t)proxy, handle, site, 0, &row)) {
        if (ask(self->learn, proxy, handle) < 0) return -1;
        /* before the first proxy its type, and so its level, was not known */
        if (site == 0) site = site_of_birth(self);
        ai_proxies_born(self->rows, (size_t)proxy, handle, site, 1, &row);
    }
    if (Py_TYPE(proxy) != self->cls && row) return ask(self->watch, proxy, row);
    return 0;
}

/* A proxy's finaliser runs. */
int ai_proxy_gone(Proxies *self, PyObject *proxy, unsigned long long *handle) {
    int found = handle_of(self, proxy, handle);
    if (found <= 0) *handle = 0;
    ai_proxies_gone(self->rows, (size_t)proxy, *handle);
    return found < 0 ? -1 : 0;
}

/* The finaliser of a proxy has run. While the interpreter frees a proxy, the call alone refers to
 * it. */
int ai_proxy_left(Proxies *self, PyObject *proxy, unsigned long long handle) {
    if (handle && Py_REFCNT(proxy) > 1) return ask(self->keep, proxy, handle);
    ai_proxies_left(self->rows, (size_t)proxy);
    return 0;
}

/* A row for a proxy that is older than the hooks, unless it is known, or is being finalised. 1:
 * made, 0: not, -1: an exception is set. */
int ai_proxy_adopt(Proxies *self, PyObject *proxy) {
    unsigned long long handle = 0;
    if (ai_proxies_knows(self->rows, (size_t)proxy)) return 0;
    int found = handle_of(self, proxy, &handle);
    if (found <= 0) return found;
    if (PyObject_GC_IsFinalized(proxy)) {
        /* revived, or about to end */
        ai_proxies_leaving(self->rows, (size_t)proxy);
        return ask(self->keep, proxy, handle);
    }
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

static PyObject *proxies_resource(Proxies *self, PyObject *place) {
    size_t key = PyLong_AsSize_t(place);
    if (PyErr_Occurred()) return NULL;
    return PyLong_FromLong(ai_proxies_resource(self->rows, key));
}

static PyObject *proxies_set_resource(Proxies *self, PyObject *args) {
    unsigned long long key;
    unsigned char state;
    if (!PyArg_ParseTuple(args, "Kb", &key, &state)) return NULL;
    return PyLong_FromUnsignedLongLong(ai_proxies_set_resource(self->rows, (size_t)key, state));
}

static PyObject *proxies_leaving(Proxies *self, PyObject *place) {
    size_t key = PyLong_AsSize_t(place);
    if (PyErr_Occurred()) return NULL;
    ai_proxies_leaving(self->rows, key);
    Py_RETURN_NONE;
}

static PyObject *proxies_left(Proxies *self, PyObject *place) {
    size_t key = PyLong_AsSize_t(place);
    if (PyErr_Occurred()) return NULL;
    ai_proxies_left(self->rows, key);
    Py_RETURN_NONE;
}

/* The row of a proxy that the program still has although its reference was released. */
static PyObject *proxies_freed(Proxies *self, PyObject *args) {
    unsigned long long key, handle;
    if (!PyArg_ParseTuple(args, "KK", &key, &handle)) return NULL;
    return PyLong_FromUnsignedLongLong(ai_proxies_freed(self->rows, (size_t)key, handle));
}

static PyObject *proxies_lost(Proxies *self, PyObject *args) {
    unsigned long long key, row;
    if (!PyArg_ParseTuple(args, "KK", &key, &row)) return NULL;
    ai_proxies_lost(self->rows, (size_t)key, row);
    Py_RETURN_NONE;
}

static PyObject *proxies_adopt_method(Proxies *self, PyObject *proxy) {
    int made = ai_proxy_adopt(self, proxy);
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
    {"set_layout", (PyCFunction)proxies_set_layout, METH_VARARGS,
     "Where the object of a handle lies: kind and bytes."},
    {"address", (PyCFunction)proxies_address, METH_O,
     "The allocation of a live handle's object; 0: not known."},
    {"row", (PyCFunction)proxies_row, METH_O, "The row of the proxy with this id; 0: it has none."},
    {"place", (PyCFunction)proxies_place, METH_O,
     "The id of the proxy of a row; 0: there is none."},
    {"resource", (PyCFunction)proxies_resource, METH_O,
     "The state of the resource behind the proxy with this id."},
    {"set_resource", (PyCFunction)proxies_set_resource, METH_VARARGS,
     "The state of the resource behind the proxy with this id; id 0: of all."},
    {"leaving", (PyCFunction)proxies_leaving, METH_O,
     "The finaliser of the proxy with this id runs, and began before the class was hooked."},
    {"left", (PyCFunction)proxies_left, METH_O,
     "The proxy with this id, whose finaliser has run, went."},
    {"freed", (PyCFunction)proxies_freed, METH_VARARGS,
     "A row for the proxy with this id, which has a handle that its finaliser released."},
    {"lost", (PyCFunction)proxies_lost, METH_VARARGS,
     "The proxy with this id went without its finaliser: its row ends, if it is this one."},
    {"adopt", (PyCFunction)proxies_adopt_method, METH_O,
     "A row for a proxy that was there before; whether it needed one."},
    {"forget", (PyCFunction)proxies_forget, METH_NOARGS,
     "Follow the class no longer: all rows go without a trace."},
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
PyType_Spec ai_proxies_spec = {"inspector._hooks.Proxies", sizeof(Proxies), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, proxies_slots};
