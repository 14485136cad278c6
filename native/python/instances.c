/* `Instances`: the rows of one declaration, fed with the attributes that it names. Called with a
 * weak reference, it ends that one's row. */
#include "instances.h"

enum { MOST_KEYS = 4096 };

static int instances_init(Instances *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"type_index", "closes",    "handle", "released", "test", "number",
                            "stacks",     "number_of", "note",   "fail",     NULL};
    static const char *const tests[] = {"", "true", "false", "none", "equals", "raises"};
    unsigned short type_id;
    int closes;
    const char *test;
    PyObject *handle, *released, *number, *stacks, *number_of, *note, *fail;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "HpOOsOO!OOO", names, &type_id, &closes, &handle,
                                     &released, &test, &number, ai_stacks_type, &stacks, &number_of,
                                     &note, &fail))
        return -1;
    if (self->rows) return PyErr_SetString(PyExc_TypeError, "made already"), -1;
    while (self->test < RELEASED_RAISES && strcmp(test, tests[self->test])) self->test++;
    if (ai_path_from(&self->handle, handle) < 0 || ai_path_from(&self->released, released) < 0)
        return -1;
    if (!self->released.count) self->test = RELEASED_NEVER;
    self->number = Py_NewRef(number);
    self->stacks = (Stacks *)Py_NewRef(stacks);
    self->number_of = Py_NewRef(number_of);
    self->note = Py_NewRef(note);
    self->fail = Py_NewRef(fail);
    self->rows = ai_instances_new(type_id, closes, ai_instance_ask, (size_t)self);
    return 0;
}

static int instances_traverse(Instances *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->stacks);
    Py_VISIT(self->number_of);
    Py_VISIT(self->note);
    Py_VISIT(self->fail);
    Py_VISIT(self->sees_ends);
    return 0;
}

static int instances_clear(Instances *self) {
    Py_CLEAR(self->number_of);
    Py_CLEAR(self->note);
    Py_CLEAR(self->fail);
    Py_CLEAR(self->sees_ends);
    return 0;
}

/* Looks after no instance any more; their rows stay. */
static void let_all_go(Instances *self) {
    size_t keys[MOST_KEYS];
    while (ai_instances_keys(self->rows, keys, MOST_KEYS)) {
        size_t count = ai_instances_keys(self->rows, keys, MOST_KEYS);
        for (size_t at = 0; at < count && at < MOST_KEYS; at++)
            Py_XDECREF((PyObject *)ai_instances_let_go(self->rows, keys[at]));
    }
}

static void instances_dealloc(Instances *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    if (self->rows) let_all_go(self); /* those without a weak reference: these hold us */
    ai_instances_free(self->rows);
    instances_clear(self);
    Py_CLEAR(self->stacks);
    Py_CLEAR(self->number);
    ai_path_clear(&self->handle);
    ai_path_clear(&self->released);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* The call stack of this thread, as much of it as the level asks for; 0: nothing, or not to be
 * recorded. Leaves no exception. */
static unsigned site_here(Instances *self, unsigned level) {
    if (level < LEVEL_HISTORY) return 0;
    unsigned site = ai_stacks_here(self->stacks, level == LEVEL_HISTORY ? 1 : AiSITE_FRAMES);
    if (site == 0 && PyErr_Occurred())
        ai_report(self->fail); /* a row without a site is better than none */
    return site;
}

/* The observer of a proxy's end: the destructor of its class or of the extension class it derives
 * from, then 0, or a weak reference. -1: an exception is set. */
static int end_of(Instances *self, PyObject *proxy, PyObject **reference) {
    *reference = NULL;
    if (self->sees_ends &&
        (self->sees_ends == Py_TYPE(proxy) || self->sees_ends == ai_native_base(Py_TYPE(proxy))))
        return 0;
    *reference = PyWeakref_NewRef(proxy, (PyObject *)self);
    if (*reference) return 0;
    if (!self->sees_ends || !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    PyErr_Clear(); /* a derived class without room for one: its destructor reaches that of the
                      hooked class */
    return 0;
}

/* Gives a proxy without a row a row, if it has a handle. As `ai_instances_observe`. */
static int greet(Instances *self, PyObject *proxy, int is_born_now) {
    unsigned level = ai_instances_level(self->rows);
    if (level == 0 || (!is_born_now && ai_instance_is_under_way((size_t)proxy))) return 0;
    int released = self->test == RELEASED_NEVER ? 0 : ai_condition_holds(self, proxy);
    if (released) return released < 0 ? -1 : 0;
    unsigned long long handle;
    int is_address;
    if (ai_handle_of(self, proxy, &handle, &is_address) < 0) return -1;
    if (!handle) return 0;
    long long site = is_born_now ? (long long)site_here(self, level) : -1;
    PyObject *reference;
    if (end_of(self, proxy, &reference) < 0) return -1;
    /* from here on no other thread runs; before, another thread may have given it a row, or a
     * detach may have come */
    if (ai_instances_add(self->rows, (size_t)proxy, is_address ? handle : 0, handle, site,
                         (size_t)reference))
        return 1;
    Py_XDECREF(reference);
    uint64_t row;
    return ai_instances_row(self->rows, (size_t)proxy, &row);
}

static int observe(Instances *self, PyObject *proxy, int is_born_now) {
    uint64_t row;
    if (!ai_instances_row(self->rows, (size_t)proxy, &row)) return greet(self, proxy, is_born_now);
    int released = ai_is_released(self, proxy);
    if (released < 0) return -1;
    if (released) Py_XDECREF((PyObject *)ai_instances_release(self->rows, (size_t)proxy));
    return !released;
}

/* A proxy was made, or may have changed: give it a row, or end its row. 1: it has a row now, 0:
 * not, -1: an exception is set that is not for us, such as the exception that stops the program. */
int ai_instances_observe(Instances *self, PyObject *proxy, int is_born_now) {
    if (!self->rows) return 0;
    int answer = observe(self, proxy, is_born_now);
    if (answer < 0 && PyErr_ExceptionMatches(PyExc_Exception)) {
        ai_report(self->note);
        answer = 0;
    }
    return answer;
}

uint64_t ai_instances_close_begins(Instances *self, PyObject *proxy) {
    uint64_t row;
    if (!self->rows || !ai_instances_row(self->rows, (size_t)proxy, &row)) return 0;
    return ai_row_close_begins(row, site_here(self, ai_instances_level(self->rows))) ? row : 0;
}

int ai_instances_has(Instances *self, PyObject *proxy) {
    uint64_t row;
    return self->rows && ai_instances_row(self->rows, (size_t)proxy, &row);
}

/* The instance with this address, held; None: it has ended, or is ending. */
static PyObject *held(Instances *self, size_t key) {
    uint64_t row;
    if (!key || !ai_instances_row(self->rows, key, &row)) Py_RETURN_NONE;
    PyObject *reference = (PyObject *)ai_instances_reference(self->rows, key);
    if (reference) return Py_NewRef(PyWeakref_GetObject(reference));
    /* It is listed, so it is not freed yet; 0: its destructor runs. Only the low half counts, in
     * every CPython. */
    return Py_NewRef(*(uint32_t *)key ? (PyObject *)key : Py_None);
}

static PyObject *instances_observe(Instances *self, PyObject *proxy) {
    int answer = ai_instances_observe(self, proxy, 1);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}

static PyObject *instances_adopt(Instances *self, PyObject *proxy) {
    int answer = ai_instances_observe(self, proxy, 0);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}

static PyObject *instances_row(Instances *self, PyObject *proxy) {
    uint64_t row;
    ai_instances_row(self->rows, (size_t)proxy, &row);
    return PyLong_FromUnsignedLongLong(row);
}

static PyObject *instances_of_row(Instances *self, PyObject *number) {
    unsigned long long row = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) return NULL;
    return held(self, ai_instances_key(self->rows, row));
}

static PyObject *instances_at(Instances *self, PyObject *place) {
    size_t key = PyLong_AsSize_t(place);
    if (PyErr_Occurred()) return NULL;
    return held(self, key);
}

static PyObject *instances_places(Instances *self, PyObject *Py_UNUSED(nothing)) {
    size_t room = ai_instances_keys(self->rows, NULL, 0);
    PyObject *list = PyList_New(0);
    size_t *keys = PyMem_Malloc((room + 1) * sizeof *keys);
    size_t count = keys ? ai_instances_keys(self->rows, keys, room)
                        : 0; /* making the list may have run a collection */
    for (size_t at = 0; list && at < count && at < room; at++) {
        PyObject *place = PyLong_FromSize_t(keys[at]);
        if (!place || PyList_Append(list, place) < 0) Py_CLEAR(list);
        Py_XDECREF(place);
    }
    PyMem_Free(keys);
    return list;
}

static PyObject *instances_release(Instances *self, PyObject *proxy) {
    Py_XDECREF((PyObject *)ai_instances_release(self->rows, (size_t)proxy));
    Py_RETURN_NONE;
}

static PyObject *instances_let_go(Instances *self, PyObject *Py_UNUSED(nothing)) {
    let_all_go(self);
    Py_RETURN_NONE;
}

static PyObject *instances_forget(Instances *self, PyObject *Py_UNUSED(nothing)) {
    ai_instances_clear(self->rows);
    let_all_go(self);
    Py_RETURN_NONE;
}

static PyObject *instances_see_ends(Instances *self, PyObject *cls) {
    if (!PyType_Check(cls)) return PyErr_SetString(PyExc_TypeError, "not a class"), NULL;
    PyTypeObject *before = self->sees_ends;
    self->sees_ends = (PyTypeObject *)Py_NewRef(cls);
    Py_XDECREF((PyObject *)before);
    Py_RETURN_NONE;
}

static PyObject *instances_hide(Instances *self, PyObject *proxy) {
    return PyBool_FromLong(ai_instances_hide(self->rows, (size_t)proxy));
}

static PyObject *instances_has(Instances *self, PyObject *place) {
    uint64_t row;
    size_t key = PyLong_AsSize_t(place);
    if (PyErr_Occurred()) return NULL;
    return PyBool_FromLong(ai_instances_row(self->rows, key, &row));
}

static PyObject *instances_describe(Instances *self, PyObject *args) {
    const char *name, *origin;
    Py_ssize_t name_length, origin_length;
    int is_pyo3 = 1;
    if (!PyArg_ParseTuple(args, "s#s#|p", &name, &name_length, &origin, &origin_length, &is_pyo3))
        return NULL;
    ai_instances_describe(self->rows, (const uint8_t *)name, (size_t)name_length,
                          (const uint8_t *)origin, (size_t)origin_length, is_pyo3);
    Py_RETURN_NONE;
}

static Py_ssize_t instances_length(Instances *self) {
    return (Py_ssize_t)ai_instances_keys(self->rows, NULL, 0);
}

/* The callback of a weak reference whose instance is gone. */
static PyObject *call_gone(PyObject *self, PyObject *const *args, size_t count_flags,
                           PyObject *names) {
    if (COUNT(count_flags) == 1 && ai_instances_gone((size_t)args[0]))
        Py_DECREF(args[0]); /* the caller has it as well */
    Py_RETURN_NONE;
}

static PyObject *instances_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    Instances *self = (Instances *)PyType_GenericNew(type, args, kwargs);
    if (self) self->call = call_gone;
    return (PyObject *)self;
}

static PyObject *instances_call(PyObject *self, PyObject *args, PyObject *kwargs) {
    return ai_call_of_vector(self, call_gone, args, kwargs);
}

static PyMemberDef instances_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Instances, call), READONLY, NULL},
    {NULL},
};

static PyMethodDef instances_methods[] = {
    {"observe", (PyCFunction)instances_observe, METH_O,
     "A proxy was made, or may have changed: whether it has a row then."},
    {"adopt", (PyCFunction)instances_adopt, METH_O,
     "As `observe`, for one that was there before: its birth is unknown."},
    {"row", (PyCFunction)instances_row, METH_O, "The row of a proxy; 0: it has none."},
    {"of_row", (PyCFunction)instances_of_row, METH_O,
     "The proxy of a row; None: there is none, or it goes."},
    {"at", (PyCFunction)instances_at, METH_O, "The proxy with this id; None: it is gone, or goes."},
    {"places", (PyCFunction)instances_places, METH_NOARGS,
     "The ids of all proxies that have a row."},
    {"release", (PyCFunction)instances_release, METH_O, "A proxy gave its handle back."},
    {"let_go", (PyCFunction)instances_let_go, METH_NOARGS,
     "Look after no proxy any more; their rows stay as they are."},
    {"forget", (PyCFunction)instances_forget, METH_NOARGS,
     "Follow the class no longer: all rows go without a trace."},
    {"hide", (PyCFunction)instances_hide, METH_O,
     "Give an instance no row as long as it lives; whether it had none."},
    {"has", (PyCFunction)instances_has, METH_O, "Whether the proxy with this id is listed."},
    {"describe", (PyCFunction)instances_describe, METH_VARARGS,
     "(name, origin, whether PyO3 made it) of a class of an extension, whose type is made with its "
     "first row."},
    {"see_ends", (PyCFunction)instances_see_ends, METH_O,
     "The destructor of this class says when its instances end."},
    {NULL},
};

static PyType_Slot instances_slots[] = {
    {Py_tp_doc, "The rows of the proxies of one declaration."},
    {Py_tp_init, instances_init},
    {Py_tp_new, instances_new},
    {Py_tp_dealloc, instances_dealloc},
    {Py_tp_traverse, instances_traverse},
    {Py_tp_clear, instances_clear},
    {Py_tp_call, instances_call},
    {Py_tp_members, instances_members},
    {Py_tp_methods, instances_methods},
    {Py_mp_length, instances_length},
    {0, NULL},
};
PyType_Spec ai_instances_spec = {
    "inspector._hooks.Instances", sizeof(Instances), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, instances_slots};
