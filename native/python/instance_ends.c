/* Instances whose end has begun: whether they were closed before. */
#include "instances.h"

/* How the first attribute of a path is read. */
enum { READ_NOT_OF_CLASS, READ_PLAIN, READ_NATIVE, READ_PYTHON };

/* Whether reading an attribute that a class holds in this form runs code of the program's in
 * Python. */
static int runs_python(PyObject *attribute) {
    PyTypeObject *type = Py_TYPE(attribute);
    if (type == ai_function_type) return 1;
    if (type == &PyProperty_Type) {
        PyObject *getter = PyObject_GetAttrString(attribute, "fget");
        int answer = !getter || runs_python(getter);
        Py_XDECREF(getter);
        return answer;
    }
    return ai_is_of_python(type) && PyType_GetSlot(type, Py_tp_descr_get);
}

/* How the first attribute of a path is read from an instance of this class. Leaves no exception. */
static int first_of(const Path *path, PyTypeObject *cls) {
    PyObject *attribute = PyObject_GetAttr((PyObject *)cls, path->names[0]);
    int answer = READ_NOT_OF_CLASS;
    if (attribute && runs_python(attribute)) answer = READ_PYTHON;
    else if (attribute)
        answer = PyType_GetSlot(Py_TYPE(attribute), Py_tp_descr_get) ? READ_NATIVE : READ_PLAIN;
    Py_XDECREF(attribute);
    PyErr_Clear();
    return answer;
}

/* Whether the finaliser of a class is native code, as that of sockets and files, which closes; -1:
 * the class has none. Leaves no exception. */
static int finaliser_is_native(PyTypeObject *cls) {
    if (!PyType_GetSlot(cls, Py_tp_finalize)) return -1;
    PyObject *finaliser = PyObject_GetAttrString((PyObject *)cls, "__del__");
    int answer = finaliser && Py_TYPE(finaliser) == &PyWrapperDescr_Type;
    Py_XDECREF(finaliser);
    PyErr_Clear();
    return answer;
}

PyTypeObject *ai_native_base(PyTypeObject *cls) {
    while (ai_is_of_python(cls)) cls = (PyTypeObject *)PyType_GetSlot(cls, Py_tp_base);
    return cls;
}

/* Asks an instance that is held. Leaves the exception that was set before, and no other. */
static int ask_held(Instances *self, PyObject *proxy) {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    int released = ai_is_released(self, proxy);
    if (released < 0 && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt(); /* meant for the program */
    PyErr_Restore(type, value, trace);
    return released < 0 ? AiEND_UNKNOWN : released ? AiEND_CLOSED : AiEND_OPEN;
}

/* Asks an instance without references, which cannot be freed meanwhile. `left` is the number of
 * references that other holders took. */
static int ask_ending(Instances *self, PyObject *proxy, uint32_t *left) {
    uint32_t *count = (uint32_t *)proxy; /* only the low half counts, in every CPython */
    *count = 1;
    int answer = ask_held(self, proxy);
    *left = --*count;
    return answer;
}

/* The hooked destructor of a class of an extension runs. If Python code derived a class from it,
 * the attributes of that class are gone by now. */
static int ask_at_destructor(Instances *self, PyObject *proxy, const Path *path) {
    if (first_of(path, Py_TYPE(proxy)) != READ_NATIVE) return AiEND_UNKNOWN;
    uint32_t left;
    int answer = ask_ending(self, proxy, &left), is_derived = ai_is_of_python(Py_TYPE(proxy));
    if (answer == AiEND_CLOSED && is_derived && finaliser_is_native(Py_TYPE(proxy)) == 1)
        answer = AiEND_UNKNOWN; /* by that, or before */
    if (!left) return answer;
    if (!is_derived) return AiEND_LIVES_ON;
    ai_keep_memory(proxy);
    return AiEND_UNKNOWN;
}

/* A weak reference reports the end: of garbage that the collector found and has not finalised, or
 * of an instance that is still whole when Python's own destructor reports it. */
static int ask_at_reference(Instances *self, PyObject *proxy, const Path *path) {
    PyTypeObject *cls = Py_TYPE(proxy), *base = ai_native_base(cls);
    if (*(uint32_t *)proxy) {
        if (finaliser_is_native(cls) == 0) return AiEND_UNKNOWN; /* it may close it */
        Py_INCREF(proxy);
        int answer = ask_held(self, proxy);
        Py_DECREF(proxy);
        return answer;
    }
    PyObject *place = PyObject_GetAttrString((PyObject *)base, "__weakrefoffset__");
    int is_whole = place &&
                   PyLong_AsLong(place) ==
                       0; /* else the destructor of that class tells, in the middle of its work */
    Py_XDECREF(place);
    if (!is_whole || (base != &PyBaseObject_Type && first_of(path, cls) == READ_PYTHON))
        return PyErr_Clear(), AiEND_UNKNOWN;
    uint32_t left;
    int answer = ask_ending(self, proxy, &left);
    if (left) ai_keep_memory(proxy);
    /* Methods that close are hooked here, so the program's own close was seen before, and this
     * close is the finaliser's. */
    return answer == AiEND_CLOSED && finaliser_is_native(cls) == 1 ? AiEND_OPEN : answer;
}

int32_t ai_instance_ask(size_t whom, size_t object, int32_t by_reference) {
    Instances *self = (Instances *)whom;
    const Path *path = self->test != RELEASED_NEVER ? &self->released : &self->handle;
    if (!path->count) return AiEND_UNKNOWN;
    Py_INCREF((PyObject *)self); /* a detach may come meanwhile */
    int answer = by_reference ? ask_at_reference(self, (PyObject *)object, path)
                              : ask_at_destructor(self, (PyObject *)object, path);
    Py_DECREF((PyObject *)self);
    return answer;
}
