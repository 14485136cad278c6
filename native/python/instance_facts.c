/* The attributes of an instance that a declaration names: its handle, and whether it gave that
 * back. */
#include "instances.h"

int ai_path_from(Path *path, PyObject *steps) {
    if (steps == Py_None) return 0;
    Py_ssize_t count = PyTuple_Size(steps);
    if (count < 0) return -1;
    if (count > MOST_STEPS)
        return PyErr_SetString(PyExc_ValueError, "a path of 8 steps at most"), -1;
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *name;
        int is_called;
        if (!PyArg_ParseTuple(PyTuple_GetItem(steps, at), "Up", &name, &is_called)) return -1;
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name);
        path->names[path->count++] = name;
        path->called |= (unsigned)is_called << at;
    }
    return 0;
}

/* The value at the end of the path; None as soon as a step is None. NULL: the exception of the
 * failing attribute is set. */
static PyObject *path_read(const Path *path, PyObject *thing) {
    Py_INCREF(thing);
    for (int at = 0; at < path->count && thing && thing != Py_None; at++) {
        PyObject *next = PyObject_GetAttr(thing, path->names[at]);
        Py_DECREF(thing);
        thing = next;
        if (thing && path->called >> at & 1) {
            next = PyObject_CallNoArgs(thing);
            Py_DECREF(thing);
            thing = next;
        }
    }
    return thing;
}

void ai_path_clear(Path *path) {
    while (path->count) Py_DECREF(path->names[--path->count]);
}

int ai_handle_of(Instances *self, PyObject *proxy, unsigned long long *handle, int *is_address) {
    *handle = (size_t)proxy;
    *is_address = 1;
    if (!self->handle.count) return 0;
    PyObject *value = path_read(&self->handle, proxy);
    if (!value) return -1;
    int failed = 0;
    *handle = *is_address = 0;
    if (PyLong_CheckExact(value) || PyLong_Check(value)) {
        *handle = PyLong_AsUnsignedLongLongMask(value);
        int overflow;
        if (*handle == (unsigned long long)-1 &&
            PyLong_AsLongLongAndOverflow(value, &overflow) == -1 && !overflow)
            *handle = 0;
    } else if (value != Py_None) {
        PyObject *answer = self->number_of
                               ? PyObject_CallFunctionObjArgs(self->number_of, value, NULL)
                               : NULL;
        failed = !answer || !PyArg_ParseTuple(answer, "Kp", handle, is_address);
        Py_XDECREF(answer);
    }
    Py_DECREF(value);
    return failed ? -1 : 0;
}

int ai_condition_holds(Instances *self, PyObject *proxy) {
    PyObject *value = path_read(&self->released, proxy);
    if (self->test == RELEASED_RAISES) {
        if (!value && !PyErr_ExceptionMatches(PyExc_Exception)) return -1;
        int raised = !value;
        PyErr_Clear();
        Py_XDECREF(value);
        return raised;
    }
    if (!value) return -1;
    int answer = self->test == RELEASED_NONE ? value == Py_None
                 : self->test == RELEASED_EQUALS
                     ? PyLong_CheckExact(value) &&
                           PyObject_RichCompareBool(value, self->number, Py_EQ)
                     : PyObject_IsTrue(value);
    if (self->test == RELEASED_FALSE && answer >= 0) answer = !answer;
    Py_DECREF(value);
    return answer;
}

int ai_is_released(Instances *self, PyObject *proxy) {
    if (self->test != RELEASED_NEVER) return ai_condition_holds(self, proxy);
    unsigned long long handle;
    int is_address;
    if (!self->handle.count) return 0;
    return ai_handle_of(self, proxy, &handle, &is_address) < 0 ? -1 : handle == 0;
}
