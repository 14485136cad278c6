/* `Hook`: stands in the place of a class's function. */
#include "hooks.h"

typedef struct {
    PyObject_HEAD
    Vectorcall call;
    PyObject *original;
    Proxies *proxies;
} Hook;

/* `__init__`: the proxy is the first argument. */
static PyObject *call_constructor(PyObject *self, PyObject *const *args, size_t count_flags, PyObject *names) {
    Hook *hook = (Hook *)self;
    PyObject *result = PyObject_Vectorcall(hook->original, args, count_flags, names);
    if (result && COUNT(count_flags) > 0 && ai_proxy_born(hook->proxies, args[0]) < 0) ai_report(hook->proxies->fail);
    return result;
}

/* The function behind the classmethod that every lift passes through: the proxy is what it returns. */
static PyObject *call_maker(PyObject *self, PyObject *const *args, size_t count_flags, PyObject *names) {
    Hook *hook = (Hook *)self;
    PyObject *proxy = PyObject_Vectorcall(hook->original, args, count_flags, names);
    if (proxy && ai_proxy_born(hook->proxies, proxy) < 0) ai_report(hook->proxies->fail);
    return proxy;
}

/* `__del__`: the row ends first, so that the sampler does not read what is freed. */
static PyObject *call_finaliser(PyObject *self, PyObject *const *args, size_t count_flags, PyObject *names) {
    Hook *hook = (Hook *)self;
    if (COUNT(count_flags) == 0) return PyObject_Vectorcall(hook->original, args, count_flags, names);
    if (ai_proxy_gone(hook->proxies, args[0]) < 0) ai_report(hook->proxies->fail);
    PyObject *result = PyObject_Vectorcall(hook->original, args, count_flags, names);
    ai_proxies_left(hook->proxies->rows, (size_t)args[0]);
    return result;
}

static int hook_init(Hook *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"proxies", "original", "what", NULL};
    PyObject *proxies, *original;
    const char *what;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!Os", names, ai_proxies_type, &proxies, &original, &what)) return -1;
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
PyType_Spec ai_hook_spec = {
    "inspector._hooks.Hook", sizeof(Hook), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR, hook_slots};
