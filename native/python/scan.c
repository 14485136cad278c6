/* `Scan`: finds instances that live. */
#include "hooks.h"

typedef struct {
    PyObject_HEAD
} Marker;

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
PyType_Spec ai_marker_spec = {"inspector._hooks.Marker", sizeof(Marker), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                  Py_TPFLAGS_DISALLOW_INSTANTIATION,
                              marker_slots};

typedef struct {
    PyObject_HEAD
    AiHeap *heap;
    AiTypes *types;
    PyObject *marker;
    PyObject *owners; /* class -> Proxies; Instances: hand those out that have no row; or None: hand
                         its instances out */
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
        if (owner != Py_None && Py_TYPE(owner) != ai_proxies_type &&
            Py_TYPE(owner) != ai_instances_type) {
            PyErr_SetString(PyExc_TypeError, "an owner is Proxies, Instances or None");
            return -1;
        }
        ai_types_add(self->types, (size_t)cls);
    }
    int is_known = minor_version() >= 11 && minor_version() <= 13;
    self->marker = PyType_GenericAlloc(ai_marker_type, 0);
    if (!self->marker) return -1;
    self->heap = is_known ? ai_heap_begin((size_t)self->marker, (size_t)ai_marker_type) : NULL;
    if (!self->heap) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this interpreter keeps its objects in another way than expected");
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

/* Gives one instance to its owner, or into `others`. 1: it got a row, 0: not, -1: an exception is
 * set. */
static int scan_give(Scan *self, PyObject *instance, PyObject *others) {
    PyObject *owner = PyDict_GetItemWithError(self->owners, (PyObject *)Py_TYPE(instance));
    if (!owner) return PyErr_Occurred() ? -1 : 0;
    if (Py_TYPE(owner) == ai_instances_type && ai_instances_has((Instances *)owner, instance))
        return 0;
    if (Py_TYPE(owner) != ai_proxies_type) return PyList_Append(others, instance);
    return ai_proxy_adopt((Proxies *)owner, instance);
}

static PyObject *scan_step(Scan *self, PyObject *args) {
    Py_ssize_t most, room = MOST_FOUND;
    if (!PyArg_ParseTuple(args, "n|n", &most, &room)) return NULL;
    if (!self->heap || room < 1 || room > MOST_FOUND)
        return PyErr_Format(PyExc_ValueError, "1 to %d instances a step", MOST_FOUND);
    size_t found[MOST_FOUND];
    int more = 0;
    size_t count = ai_heap_step(self->heap, self->types, (size_t)most, found, (size_t)room, &more);
    for (size_t at = 0; at < count; at++)
        Py_INCREF((PyObject *)found[at]); /* before any Python code may run */
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
     "One slice: looks at so many objects, finds so many instances at most. (rows made, instances "
     "handed out, whether there is more)."},
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
PyType_Spec ai_scan_spec = {"inspector._hooks.Scan", sizeof(Scan), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, scan_slots};
