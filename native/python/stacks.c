/* `Stacks`: sites of births, walked natively and learnt from Python. */
#include "hooks.h"

void ai_report(PyObject *fail) {
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

static int stacks_init(Stacks *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"classify", "learn", "fallback", "is_walked", NULL};
    PyObject *classify, *learn, *fallback;
    int is_walked;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOp", names, &classify, &learn, &fallback,
                                     &is_walked))
        return -1;
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
    ai_naming_free(self->naming);
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

/* Says of a code object whose it is. 0: continue; -1: no site, perhaps with an exception. */
static int stacks_classify(Stacks *self, PyObject *code, PyObject *globals) {
    if (PyList_Size(self->codes) >= MOST_CODES) return -1;
    PyObject *answer = PyObject_CallFunctionObjArgs(self->classify, code, globals, NULL);
    long whose = answer ? PyLong_AsLong(answer) : -1;
    Py_XDECREF(answer);
    if (whose < 0 || PyList_Append(self->codes, code) < 0) return -1;
    ai_stacks_set_code(self->stacks, (size_t)code, (int)whose);
    return 0;
}

/* The site of the running thread, 0: none, perhaps with an exception. Asking runs Python code, so
 * after each question the walk starts again. */
unsigned ai_stacks_here(Stacks *self, size_t limit) {
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
    unsigned site = ai_stacks_here(self, frames);
    return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLong(site);
}

static PyObject *stacks_quietly(Stacks *self, PyObject *level) {
    unsigned long number = PyLong_AsUnsignedLong(level);
    if (PyErr_Occurred()) return NULL;
    return PyLong_FromUnsignedLong(ai_stacks_here_quietly(self, (unsigned)number));
}

static PyMethodDef stacks_methods[] = {
    {"here", (PyCFunction)stacks_here_method, METH_O,
     "Site of the running thread, of so many frames at most; 0: none."},
    {"name", (PyCFunction)ai_stacks_name, METH_O,
     "The texts that tell whose code is whose, for hooks that must not run Python code."},
    {"quietly", (PyCFunction)stacks_quietly, METH_O,
     "Site of the running thread at a level, told without running Python code; 0: none."},
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
PyType_Spec ai_stacks_spec = {"inspector._hooks.Stacks", sizeof(Stacks), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, stacks_slots};
