/* Calls of callables by an array of arguments, within the stable ABI of CPython 3.11.
 *
 * `PyObject_Vectorcall` is a public function of each CPython since 3.9, and part of the stable ABI
 * since 3.12. An extension of the stable ABI of 3.11 must not name it, so it is looked up when the
 * module is loaded; an interpreter without it gets the slower `PyObject_Call`. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_DEFAULT */
#endif
#include <dlfcn.h>
#include "hooks.h"

/* The keyword arguments of a vector call as a dictionary: the values follow the positional
 * arguments. */
static PyObject *keywords(PyObject *const *values, PyObject *names) {
    PyObject *made = PyDict_New();
    for (Py_ssize_t at = 0; made && at < PyTuple_Size(names); at++)
        if (PyDict_SetItem(made, PyTuple_GetItem(names, at), values[at]) < 0) Py_CLEAR(made);
    return made;
}

PyObject *ai_call_through_tuple(PyObject *callable, PyObject *const *args, size_t count_flags,
                                PyObject *names) {
    Py_ssize_t count = COUNT(count_flags);
    PyObject *tuple = PyTuple_New(count), *named = NULL, *result = NULL;
    if (!tuple) return NULL;
    for (Py_ssize_t at = 0; at < count; at++)
        PyTuple_SetItem(tuple, at, Py_NewRef(args[at])); /* cannot fail: new, and within it */
    int is_named = names && PyTuple_Size(names) > 0;
    if (is_named) named = keywords(args + count, names);
    if (!is_named || named) result = PyObject_Call(callable, tuple, named);
    Py_DECREF(tuple);
    Py_XDECREF(named);
    return result;
}

Vectorcall ai_vectorcall = ai_call_through_tuple;

void ai_find_vectorcall(void) {
    Vectorcall found = (Vectorcall)(size_t)dlsym(RTLD_DEFAULT, "PyObject_Vectorcall");
    if (found) ai_vectorcall = found;
}

PyObject *ai_call_of_vector(PyObject *self, Vectorcall call, PyObject *args, PyObject *kwargs) {
    Py_ssize_t count = PyTuple_Size(args), named = kwargs ? PyDict_Size(kwargs) : 0;
    PyObject *small[8], **vector = small, *names = NULL, *result = NULL;
    if (count + named > (Py_ssize_t)(sizeof small / sizeof *small))
        vector = PyMem_Malloc((size_t)(count + named) * sizeof *vector);
    if (!vector) return PyErr_NoMemory();
    for (Py_ssize_t at = 0; at < count; at++) vector[at] = PyTuple_GetItem(args, at);
    Py_ssize_t place = 0, filled = 0;
    PyObject *name, *value;
    if (named) names = PyTuple_New(named);
    /* The dictionary may be the caller's own, which the callable changes: the values are kept. */
    while (names && filled < named && PyDict_Next(kwargs, &place, &name, &value)) {
        if (!PyUnicode_Check(name)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            break;
        }
        PyTuple_SetItem(names, filled, Py_NewRef(name));
        vector[count + filled++] = Py_NewRef(value);
    }
    if (!named || (names && filled == named))
        result = call(self, vector, (size_t)count, names);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, "keyword arguments changed during the call");
    for (Py_ssize_t at = 0; at < filled; at++) Py_DECREF(vector[count + at]);
    Py_XDECREF(names);
    if (vector != small) PyMem_Free(vector);
    return result;
}
