/* `Births`: brings each proxy of a declared class to the rows of the class nearest to its own.
 * Called with a proxy, it looks at that. */
#include "hooks.h"

struct Births {
    PyObject_HEAD
    Vectorcall call;
    AiOwners *owners; /* class -> `Instances`, or a callable that is given the proxy */
    PyObject *kept; /* list: those classes and owners */
    PyTypeObject *newest; /* one of those classes, found last, and its owner */
    PyObject *newest_owner;
    PyObject *mro; /* descriptor: the bases of a class, without asking its metaclass */
};

static int births_init(Births *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "", names)) return -1;
    if (self->owners) return PyErr_SetString(PyExc_TypeError, "made already"), -1;
    PyObject *attributes = PyObject_GetAttrString((PyObject *)&PyType_Type, "__dict__");
    self->mro = attributes ? PyMapping_GetItemString(attributes, "__mro__") : NULL;
    Py_XDECREF(attributes);
    self->kept = PyList_New(0);
    if (!self->mro || !self->kept) return -1;
    self->owners = ai_owners_new();
    return 0;
}

static int births_traverse(Births *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->kept);
    return 0;
}

/* Owners are borrowed from the list: they are cleared first. */
static int births_clear(Births *self) {
    if (self->owners) ai_owners_clear(self->owners);
    self->newest = NULL;
    Py_CLEAR(self->kept);
    return 0;
}

static void births_dealloc(Births *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    births_clear(self);
    Py_CLEAR(self->mro);
    ai_owners_free(self->owners);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* The owner of a class that the program derived, borrowed; NULL: it has none, perhaps with an
 * exception. Runs no code of the program. */
static PyObject *owner_above(Births *self, PyTypeObject *cls) {
    descrgetfunc get = (descrgetfunc)PyType_GetSlot(Py_TYPE(self->mro), Py_tp_descr_get);
    PyObject *classes = get(self->mro, (PyObject *)cls, NULL), *owner = NULL;
    Py_ssize_t count = classes ? PyTuple_Size(classes) : 0;
    for (Py_ssize_t at = 0; at < count && !owner; at++)
        owner = (PyObject *)ai_owners_get(self->owners, (size_t)PyTuple_GetItem(classes, at));
    Py_XDECREF(classes);
    return owner;
}

static PyObject *owner_of(Births *self, PyTypeObject *cls) {
    if (cls == self->newest) return self->newest_owner;
    PyObject *owner = (PyObject *)ai_owners_get(self->owners, (size_t)cls);
    if (!owner) return owner_above(self, cls);
    self->newest = cls;
    return self->newest_owner = owner;
}

/* A proxy was made, or may have changed. 1: it has a row then, 0: not, -1: an exception is set that
 * is not for us. */
int ai_births_observe(Births *self, PyObject *proxy) {
    if (!self->owners || ai_instances_rest()) return 0;
    PyObject *owner = owner_of(self, Py_TYPE(proxy));
    if (!owner) return PyErr_Occurred() ? -1 : 0;
    int answer;
    Py_INCREF(owner); /* a detach may come while attributes are read */
    if (Py_TYPE(owner) == ai_instances_type) {
        answer = ai_instances_observe((Instances *)owner, proxy, 1);
    } else {
        PyObject *said = PyObject_CallFunctionObjArgs(owner, proxy, NULL);
        answer = said ? PyObject_IsTrue(said) : -1;
        Py_XDECREF(said);
    }
    Py_DECREF(owner);
    return answer;
}

/* Owners that are no `Instances` have a method for it. */
uint64_t ai_births_close_begins(Births *self, PyObject *proxy) {
    if (!self->owners || ai_instances_rest()) return 0;
    uint64_t row = 0;
    PyObject *owner = owner_of(self, Py_TYPE(proxy));
    Py_XINCREF(owner); /* a detach may come while a stack is learnt */
    if (owner && Py_TYPE(owner) == ai_instances_type) {
        row = ai_instances_close_begins((Instances *)owner, proxy);
    } else if (owner) {
        PyObject *said = PyObject_CallMethod(owner, "close_begins", "O", proxy);
        row = said ? PyLong_AsUnsignedLongLongMask(said) : 0;
        Py_XDECREF(said);
    }
    Py_XDECREF(owner);
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt(); /* meant for the program */
    PyErr_Clear();
    return row;
}

static PyObject *births_follow(Births *self, PyObject *args) {
    PyObject *cls, *owner;
    if (!PyArg_ParseTuple(args, "O!O", &PyType_Type, &cls, &owner)) return NULL;
    if (!self->kept || PyList_Append(self->kept, cls) < 0 || PyList_Append(self->kept, owner) < 0)
        return NULL;
    ai_owners_set(self->owners, (size_t)cls, (size_t)owner);
    Py_RETURN_NONE;
}

static PyObject *births_forget(Births *self, PyObject *Py_UNUSED(nothing)) {
    ai_owners_clear(self->owners);
    self->newest = NULL;
    if (PyList_SetSlice(self->kept, 0, PyList_Size(self->kept), NULL) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *call_births(PyObject *self, PyObject *const *args, size_t count_flags,
                             PyObject *names) {
    if (COUNT(count_flags) != 1 || names)
        return PyErr_SetString(PyExc_TypeError, "one proxy at a time"), NULL;
    int answer = ai_births_observe((Births *)self, args[0]);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}

static PyObject *births_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    Births *self = (Births *)PyType_GenericNew(type, args, kwargs);
    if (self) self->call = call_births;
    return (PyObject *)self;
}

static PyObject *births_call(PyObject *self, PyObject *args, PyObject *kwargs) {
    return ai_call_of_vector(self, call_births, args, kwargs);
}

static PyMemberDef births_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Births, call), READONLY, NULL},
    {NULL},
};

static PyMethodDef births_methods[] = {
    {"follow", (PyCFunction)births_follow, METH_VARARGS,
     "(class, owner): its instances belong to `Instances`, or are given to a callable."},
    {"forget", (PyCFunction)births_forget, METH_NOARGS, "No class is followed any more."},
    {NULL},
};

static PyType_Slot births_slots[] = {
    {Py_tp_doc, "Brings proxies to the rows of their class."},
    {Py_tp_init, births_init},
    {Py_tp_new, births_new},
    {Py_tp_dealloc, births_dealloc},
    {Py_tp_traverse, births_traverse},
    {Py_tp_clear, births_clear},
    {Py_tp_call, births_call},
    {Py_tp_members, births_members},
    {Py_tp_methods, births_methods},
    {0, NULL},
};
PyType_Spec ai_births_spec = {"inspector._hooks.Births", sizeof(Births), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
                              births_slots};
