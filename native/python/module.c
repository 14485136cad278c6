/* The module itself. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr */
#endif
#include <dlfcn.h>
#include "hooks.h"

PyTypeObject *ai_function_type, *ai_plain_type, *ai_kept_type, *ai_stacks_type, *ai_proxies_type,
    *ai_instances_type, *ai_births_type, *ai_marker_type, *ai_method_type;

static PyObject *frame_codes(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing)) {
    size_t codes[MOST_FRAMES];
    size_t count = ai_stacks_codes(minor_version(), (size_t)PyThreadState_Get(), codes,
                                   MOST_FRAMES);
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

/* The state of the interpreters that are known has its exit callbacks within its first 8 KiB; each
 * word read is a call of the system. */
enum { MOST_STATE_BYTES = 12 << 10 };

/* Whether an address is that of an object of exactly this type. */
static int is_of_type(uint64_t object, PyTypeObject *type) {
    uint64_t found;
    return object && ai_word(object + offsetof(PyObject, ob_type), &found) && found == (size_t)type;
}

/* The words of one exit callback: function, arguments, keywords. 0: it is none. */
static int exit_callback(uint64_t place, uint64_t *words) {
    for (int at = 0; at < 3; at++)
        if (!ai_word(place + 8 * at, &words[at])) return 0;
    return words[0] && is_of_type(words[1], &PyTuple_Type) &&
           (!words[2] || is_of_type(words[2], &PyDict_Type));
}

/* Whether `table` lists `count` exit callbacks, that of `anchor` among them; a slot of one that was
 * unregistered is empty. */
static int is_exit_table(uint64_t table, Py_ssize_t count, PyObject *anchor) {
    int is_anchored = 0;
    for (Py_ssize_t at = 0; at < count; at++) {
        uint64_t place, words[3];
        if (!ai_word(table + 8 * at, &place)) return 0;
        if (!place) continue;
        if (place % 8 || !exit_callback(place, words)) return 0;
        is_anchored |= words[0] == (size_t)anchor;
    }
    return is_anchored;
}

/* The exit callbacks of this interpreter, which keeps them in C and has no function that lists
 * them: found in the interpreter's state by their number and by a callback that is known. Memory is
 * read by the system, so an address that is none is no crash. */
static PyObject *exit_callbacks(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *anchor;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "On", &anchor, &count)) return NULL;
    PyObject *found = PyList_New(0);
    uint64_t state = (size_t)PyInterpreterState_Get(), table = 0, counts = 0, place, words[3];
    for (size_t at = 0; found && at < MOST_STATE_BYTES; at += 8, table = counts) {
        if (!ai_word(state + at, &counts)) break;
        int is_counted = (Py_ssize_t)(counts & 0xffffffff) == count &&
                         (Py_ssize_t)(counts >> 32) >= count;
        if (!is_counted || !table || table % 8 || !is_exit_table(table, count, anchor)) continue;
        for (Py_ssize_t each = 0; found && each < count; each++) {
            if (!ai_word(table + 8 * each, &place) || !place || !exit_callback(place, words))
                continue;
            PyObject *keywords = words[2] ? (PyObject *)(size_t)words[2] : Py_None;
            PyObject *told = PyTuple_Pack(3, (PyObject *)(size_t)words[0],
                                          (PyObject *)(size_t)words[1], keywords);
            if (!told || PyList_Append(found, told) < 0) Py_CLEAR(found);
            Py_XDECREF(told);
        }
        break;
    }
    return found;
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
    void *destructor = ai_destructor_of((PyTypeObject *)cls);
    if (!dladdr(destructor, &found) && !dladdr(cls, &found)) Py_RETURN_NONE;
    return PyUnicode_DecodeFSDefault(found.dli_fname);
}

static PyObject *destructor_of(PyObject *Py_UNUSED(module), PyObject *cls) {
    if (!PyType_Check(cls)) return PyErr_SetString(PyExc_TypeError, "not a class"), NULL;
    return PyLong_FromVoidPtr(ai_destructor_of((PyTypeObject *)cls));
}

/* The first argument is called with the rest, as an interpreter without `PyObject_Vectorcall` does
 * it; for tests. */
static PyObject *call_through_tuple(PyObject *Py_UNUSED(module), PyObject *const *args,
                                    Py_ssize_t count, PyObject *names) {
    if (count < 1) return PyErr_SetString(PyExc_TypeError, "nothing to call"), NULL;
    return ai_call_through_tuple(args[0], args + 1, (size_t)count - 1, names);
}

static PyMethodDef module_methods[] = {
    {"call_through_tuple", (PyCFunction)(void (*)(void))call_through_tuple,
     METH_FASTCALL | METH_KEYWORDS, "Call the first argument with the others, by a tuple."},
    {"library_of", library_of, METH_O,
     "The file of native code that a class's destructor is in, else the class; None: in none."},
    {"destructor_of", destructor_of, METH_O,
     "The address of a class's own destructor, also while it is followed."},
    {"library_has", ai_library_has, METH_VARARGS,
     "(class or file, texts): whether the library of a class's destructor, or the library of this "
     "file, is loaded and contains all of these texts."},
    {"is_of_python", is_of_python, METH_O,
     "Whether Python code made a class, so that its destructor is Python's own."},
    {"frame_codes", frame_codes, METH_NOARGS,
     "The ids of the code objects of this thread's frames, as native code reads them; innermost "
     "first."},
    {"exit_callbacks", exit_callbacks, METH_VARARGS,
     "The exit callbacks, given one of them and their number: function, arguments, keywords of "
     "each."},
    {"stand_in", stand_in, METH_VARARGS,
     "The address of a function that stands in for a clone function at an address; 0: there is "
     "none left."},
    {"start_thread", ai_thread_start, METH_O,
     "Start a native thread that calls a function without arguments; returns what `join_thread` "
     "takes."},
    {"join_thread", ai_thread_join, METH_VARARGS,
     "Wait so many seconds for a thread's end, on itself not at all; whether it has ended."},
    {"follow_class", ai_follow_class, METH_VARARGS,
     "(class, Instances): instances of exactly this class get rows there, from their birth to "
     "their end."},
    {"leave_class", ai_leave_class, METH_O,
     "Restore the slots of a class that is followed, or that inherited them from one."},
    {"forget_class", ai_forget_class, METH_O,
     "The class at this address is about to be freed."},
    {NULL},
};

static PyModuleDef module_definition = {PyModuleDef_HEAD_INIT, "inspector._hooks",
                                        "Hooks and scans in C.", -1, module_methods};

static PyType_Slot plain_slots[] = {{0, NULL}};
static PyType_Spec plain_spec = {"inspector._hooks.Plain", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT,
                                 plain_slots};

static void keep(void *Py_UNUSED(object)) {}

static int keep_references(PyObject *Py_UNUSED(object)) {
    return 0;
}

/* The type of an object whose destructor ran while the program held it: its memory is
 * never freed. */
static PyType_Slot kept_slots[] = {
    {Py_tp_dealloc, keep}, {Py_tp_free, keep}, {Py_tp_clear, keep_references}, {0, NULL}};
static PyType_Spec kept_spec = {"inspector._hooks.Kept", sizeof(PyObject), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, kept_slots};

/* A type of the interpreter by its name in the module `types`. */
static PyTypeObject *named_type(const char *name) {
    PyObject *types = PyImport_ImportModule("types");
    PyObject *type = types ? PyObject_GetAttrString(types, name) : NULL;
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
    ai_find_vectorcall();
    ai_function_type = named_type("FunctionType");
    ai_method_type = named_type("MethodType");
    ai_plain_type = add_type(module, &plain_spec, "Plain");
    ai_kept_type = add_type(module, &kept_spec, "Kept");
    ai_stacks_type = add_type(module, &ai_stacks_spec, "Stacks");
    ai_proxies_type = add_type(module, &ai_proxies_spec, "Proxies");
    ai_instances_type = add_type(module, &ai_instances_spec, "Instances");
    ai_births_type = add_type(module, &ai_births_spec, "Births");
    ai_marker_type = add_type(module, &ai_marker_spec, "Marker");
    PyTypeObject *hook = add_type(module, &ai_hook_spec, "Hook");
    PyTypeObject *scan = add_type(module, &ai_scan_spec, "Scan");
    PyTypeObject *search = add_type(module, &ai_search_spec, "Search");
    const struct {
        const char *name;
        int value;
    } layouts[] = {
        {"UNKNOWN", AiLAYOUT_UNKNOWN}, {"HIDDEN", AiLAYOUT_HIDDEN},   {"BEFORE", AiLAYOUT_BEFORE},
        {"BOXED", AiLAYOUT_BOXED},     {"COUNTED", AiLAYOUT_COUNTED},
    };
    int failed = !ai_function_type || !ai_plain_type || !ai_kept_type || !ai_stacks_type ||
                 !ai_proxies_type || !ai_instances_type || !ai_births_type || !ai_marker_type ||
                 !ai_method_type || !hook || !scan || !search;
    for (size_t at = 0; !failed && at < sizeof layouts / sizeof *layouts; at++)
        failed = PyModule_AddIntConstant(module, layouts[at].name, layouts[at].value) < 0;
    if (failed) Py_CLEAR(module);
    return module;
}
