/* The module itself. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr */
#endif
#include <dlfcn.h>
#include "hooks.h"

PyTypeObject *ai_function_type, *ai_plain_type, *ai_kept_type, *ai_stacks_type, *ai_proxies_type, *ai_instances_type, *ai_births_type, *ai_marker_type;

static PyObject *frame_codes(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    size_t codes[MOST_FRAMES];
    size_t count = ai_stacks_codes(minor_version(), (size_t)PyThreadState_Get(), codes, MOST_FRAMES);
    PyObject *list = PyList_New(0);
    for (size_t at = 0; list && at < count; at++) {
        PyObject *number = PyLong_FromSize_t(codes[at]);
        if (!number || PyList_Append(list, number) < 0) Py_CLEAR(list);
        Py_XDECREF(number);
    }
    return list;
}

static PyObject *stand_in(PyObject *Py_UNUSED(module), PyObject *args) {
    unsigned long long original, bytes;
    unsigned short type_id;
    unsigned char kind;
    if (!PyArg_ParseTuple(args, "KHbK", &original, &type_id, &kind, &bytes)) return NULL;
    return PyLong_FromSize_t(ai_transit_stand_in((size_t)original, type_id, kind, bytes));
}

__attribute__((constructor)) static void keep_quiet(void) {
    ai_keep_quiet();
}

static PyObject *is_of_python(PyObject *Py_UNUSED(module), PyObject *cls) {
    if (!PyType_Check(cls)) return PyErr_SetString(PyExc_TypeError, "not a class"), NULL;
    return PyBool_FromLong(ai_is_of_python((PyTypeObject *)cls));
}

static PyObject *library_of(PyObject *Py_UNUSED(module), PyObject *cls) {
    if (!PyType_Check(cls)) return PyErr_SetString(PyExc_TypeError, "not a class"), NULL;
    Dl_info found;
    void *destructor = PyType_GetSlot((PyTypeObject *)cls, Py_tp_dealloc);
    if (!dladdr(destructor, &found) && !dladdr(cls, &found)) Py_RETURN_NONE;
    return PyUnicode_DecodeFSDefault(found.dli_fname);
}

static PyMethodDef module_methods[] = {
    {"library_of", library_of, METH_O, "The file of native code that a class's destructor is in, else the class; None: in none."},
    {"is_of_python", is_of_python, METH_O, "Whether Python code made a class, so that its destructor is Python's own."},
    {"frame_codes", frame_codes, METH_NOARGS, "The ids of the code objects of this thread's frames, as native code reads them; innermost first."},
    {"stand_in", stand_in, METH_VARARGS, "The address of a function that stands in for a clone function at an address; 0: there is none left."},
    {"start_thread", ai_thread_start, METH_O, "Start a native thread that calls a function without arguments; returns what `join_thread` takes."},
    {"join_thread", ai_thread_join, METH_VARARGS, "Wait so many seconds for a thread's end, on itself not at all; whether it has ended."},
    {NULL},
};

static PyModuleDef module_definition = {PyModuleDef_HEAD_INIT, "inspector._hooks", "Hooks and scans in C.", -1, module_methods};

static PyType_Slot plain_slots[] = {{0, NULL}};
static PyType_Spec plain_spec = {"inspector._hooks.Plain", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, plain_slots};

static void keep(void *Py_UNUSED(object)) {}

static int keep_references(PyObject *Py_UNUSED(object)) {
    return 0;
}

/* The type of an object whose destructor ran while the program held it: its memory is never freed. */
static PyType_Slot kept_slots[] = {{Py_tp_dealloc, keep}, {Py_tp_free, keep}, {Py_tp_clear, keep_references}, {0, NULL}};
static PyType_Spec kept_spec = {"inspector._hooks.Kept", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, kept_slots};

static PyTypeObject *function_type(void) {
    PyObject *types = PyImport_ImportModule("types");
    PyObject *type = types ? PyObject_GetAttrString(types, "FunctionType") : NULL;
    Py_XDECREF(types);
    return (PyTypeObject *)type; /* kept for the life of the process */
}

/* Makes a type and puts it into the module. NULL: an exception is set. */
static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, const char *name) {
    PyObject *type = PyType_FromSpec(spec);
    if (type && PyModule_AddObjectRef(module, name, type) < 0) Py_CLEAR(type);
    return (PyTypeObject *)type; /* kept for the life of the process */
}

PyMODINIT_FUNC PyInit__hooks(void) {
    PyObject *module = PyModule_Create(&module_definition);
    if (!module) return NULL;
    ai_function_type = function_type();
    ai_plain_type = add_type(module, &plain_spec, "Plain");
    ai_kept_type = add_type(module, &kept_spec, "Kept");
    ai_stacks_type = add_type(module, &ai_stacks_spec, "Stacks");
    ai_proxies_type = add_type(module, &ai_proxies_spec, "Proxies");
    ai_instances_type = add_type(module, &ai_instances_spec, "Instances");
    ai_births_type = add_type(module, &ai_births_spec, "Births");
    ai_marker_type = add_type(module, &ai_marker_spec, "Marker");
    PyTypeObject *hook = add_type(module, &ai_hook_spec, "Hook");
    PyTypeObject *scan = add_type(module, &ai_scan_spec, "Scan");
    const struct { const char *name; int value; } layouts[] = {
        {"UNKNOWN", AiLAYOUT_UNKNOWN}, {"HIDDEN", AiLAYOUT_HIDDEN}, {"BEFORE", AiLAYOUT_BEFORE},
        {"BOXED", AiLAYOUT_BOXED},     {"COUNTED", AiLAYOUT_COUNTED},
    };
    int failed = !ai_function_type || !ai_plain_type || !ai_kept_type || !ai_stacks_type || !ai_proxies_type || !ai_instances_type || !ai_births_type || !ai_marker_type || !hook || !scan;
    for (size_t at = 0; !failed && at < sizeof layouts / sizeof *layouts; at++)
        failed = PyModule_AddIntConstant(module, layouts[at].name, layouts[at].value) < 0;
    if (failed) Py_CLEAR(module);
    return module;
}
