/* The module itself. */
#include "hooks.h"

PyTypeObject *ai_stacks_type, *ai_proxies_type, *ai_instances_type, *ai_births_type, *ai_marker_type;

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

/* Calls what starts a Python thread, with a stack of our own size: programs set a small one for theirs, too small for ours. Between the two
 * settings no other thread has the interpreter's lock, so none sees it or starts a thread with it. */
static PyObject *start_thread(PyObject *Py_UNUSED(module), PyObject *args) {
    static const size_t sizes[] = {8 << 20, 1 << 20}; /* the second where memory is scarce */
    PyObject *starter, *arguments, *keywords, *started = NULL;
    if (!PyArg_ParseTuple(args, "OO!O!", &starter, &PyTuple_Type, &arguments, &PyDict_Type, &keywords)) return NULL;
    size_t before = PyThread_get_stacksize();
    for (size_t at = 0; !started && at < sizeof sizes / sizeof *sizes; at++) {
        PyErr_Clear();
        PyThread_set_stacksize(sizes[at]);
        started = PyObject_Call(starter, arguments, keywords);
    }
    PyThread_set_stacksize(before);
    return started;
}

static PyMethodDef module_methods[] = {
    {"start_thread", start_thread, METH_VARARGS, "(starter, args, kwargs): what a function of `_thread` answers that starts a thread, with enough stack."},
    {"frame_codes", frame_codes, METH_NOARGS, "The ids of the code objects of this thread's frames, as native code reads them; innermost first."},
    {"stand_in", stand_in, METH_VARARGS, "The address of a function that stands in for a clone function at an address; 0: there is none left."},
    {NULL},
};

static PyModuleDef module_definition = {PyModuleDef_HEAD_INIT, "inspector._hooks", "Hooks and scans in C.", -1, module_methods};

/* Makes a type and puts it into the module. NULL: an exception is set. */
static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, const char *name) {
    PyObject *type = PyType_FromSpec(spec);
    if (type && PyModule_AddObjectRef(module, name, type) < 0) Py_CLEAR(type);
    return (PyTypeObject *)type; /* kept for the life of the process */
}

PyMODINIT_FUNC PyInit__hooks(void) {
    PyObject *module = PyModule_Create(&module_definition);
    if (!module) return NULL;
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
    int failed = !ai_stacks_type || !ai_proxies_type || !ai_instances_type || !ai_births_type || !ai_marker_type || !hook || !scan;
    for (size_t at = 0; !failed && at < sizeof layouts / sizeof *layouts; at++)
        failed = PyModule_AddIntConstant(module, layouts[at].name, layouts[at].value) < 0;
    if (failed) Py_CLEAR(module);
    return module;
}
