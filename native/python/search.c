/* `Search`: finds living instances of classes in memory, also where the collector knows none. */
#include "hooks.h"
#include "instances.h"

/* Instances judged without letting other threads run: 1 to 3 ms. */
enum { MOST_JUDGED = 500 };

typedef struct {
    PyObject_HEAD
    AiSearch *search;
    PyObject *owners; /* class -> Instances */
    int has_read; /* all of the memory */
    int is_reading;
} Search;

static unsigned long long number_of(PyObject *cls, const char *name) {
    PyObject *number = PyObject_GetAttrString(cls, name);
    unsigned long long answer = number ? PyLong_AsUnsignedLongLongMask(number) : 0;
    Py_XDECREF(number);
    return answer;
}

/* Bytes of an instance of nanobind whose value lies elsewhere: such a block is shorter than the
 * class says. */
enum { NANOBIND_BYTES = 24 };

static int is_nanobind(PyTypeObject *cls) {
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE((PyObject *)cls), "__name__");
    const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    int answer = text && !strncmp(text, "nb_type", 7);
    Py_XDECREF(name);
    return answer;
}

static AiWanted wanted_of(PyTypeObject *cls) {
    int is_short = is_nanobind(cls);
    AiWanted wanted = {
        .class_ = (size_t)cls,
        .size_bytes = is_short ? NANOBIND_BYTES : number_of((PyObject *)cls, "__basicsize__"),
        .is_collected = (PyType_GetFlags(cls) & Py_TPFLAGS_HAVE_GC) != 0,
        .may_be_longer = is_short || number_of((PyObject *)cls, "__itemsize__") != 0,
    };
    return wanted;
}

static int search_init(Search *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"owners", NULL};
    PyObject *owners, *cls, *owner;
    Py_ssize_t at = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!", names, &PyDict_Type, &owners)) return -1;
    if (self->search) return PyErr_SetString(PyExc_TypeError, "made already"), -1;
    Py_ssize_t count = PyDict_Size(owners);
    AiWanted *wanted = PyMem_Calloc((size_t)count + 1, sizeof *wanted);
    if (!wanted) return PyErr_NoMemory(), -1;
    self->owners = PyDict_Copy(owners);
    for (Py_ssize_t each = 0; self->owners && PyDict_Next(self->owners, &at, &cls, &owner); each++)
        if (PyType_Check(cls) && Py_TYPE(owner) == ai_instances_type)
            wanted[each] = wanted_of((PyTypeObject *)cls);
        else PyErr_SetString(PyExc_TypeError, "an owner of a class is Instances");
    if (!PyErr_Occurred()) self->search = ai_search_new(wanted, (size_t)count);
    PyMem_Free(wanted);
    return PyErr_Occurred() ? -1 : 0;
}

static int search_traverse(Search *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->owners);
    return 0;
}

static int search_clear(Search *self) {
    Py_CLEAR(self->owners);
    return 0;
}

static void search_dealloc(Search *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    ai_search_free(self->search);
    search_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* Makes a row for a living object. 1: made, 0: the object is listed, -1: an exception is set. Runs
 * no Python code, so the objects that were judged before live on. */
static int adopt(Search *self, PyObject *object) {
    PyObject *owner = PyDict_GetItemWithError(self->owners, (PyObject *)Py_TYPE(object));
    if (!owner) return PyErr_Occurred() ? -1 : 0;
    AiInstances *rows = ((Instances *)owner)->rows;
    if (!rows || !ai_instances_level(rows)) return 0;
    return ai_instances_add(rows, (size_t)object, (size_t)object, (size_t)object, -1, 0);
}

static PyObject *search_step(Search *self, PyObject *Py_UNUSED(nothing)) {
    if (!self->search || self->is_reading)
        return PyErr_SetString(PyExc_TypeError, "not ready"), NULL;
    Py_ssize_t made = 0;
    if (!ai_search_waiting(self->search) && !self->has_read) {
        int more;
        self->is_reading = 1;
        Py_BEGIN_ALLOW_THREADS
        more = ai_search_read(self->search);
        Py_END_ALLOW_THREADS
        self->is_reading = 0;
        self->has_read = !more;
    } else {
        uint64_t objects[MOST_JUDGED];
        size_t count = ai_search_judge(self->search, objects, MOST_JUDGED);
        for (size_t at = 0; at < count; at++) {
            int got = adopt(self, (PyObject *)(size_t)objects[at]);
            if (got < 0) return NULL;
            made += got;
        }
    }
    int is_more = !self->has_read || ai_search_waiting(self->search);
    return Py_BuildValue("(nO)", made, is_more ? Py_True : Py_False);
}

static PyObject *search_is_blind(Search *self, PyObject *Py_UNUSED(nothing)) {
    return PyBool_FromLong(!self->search || ai_search_is_blind(self->search));
}

static PyMethodDef search_methods[] = {
    {"step", (PyCFunction)search_step, METH_NOARGS,
     "One slice: reads some memory with the lock given up, or makes rows for what was found there. "
     "(rows made, whether there is more)."},
    {"is_blind", (PyCFunction)search_is_blind, METH_NOARGS,
     "Whether the system has let the search read nothing so far."},
    {NULL},
};

static PyType_Slot search_slots[] = {
    {Py_tp_doc, "A search of memory for living instances, a slice at a time."},
    {Py_tp_init, search_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, search_dealloc},
    {Py_tp_traverse, search_traverse},
    {Py_tp_clear, search_clear},
    {Py_tp_methods, search_methods},
    {0, NULL},
};
PyType_Spec ai_search_spec = {"inspector._hooks.Search", sizeof(Search), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, search_slots};
