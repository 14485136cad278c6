#ifndef ARC_INSPECTOR_HOOKS_H
#define ARC_INSPECTOR_HOOKS_H

/* The extension module `inspector._hooks`: hooks of generated proxy classes, and the search for
 * proxies that live, at the speed of C.
 *
 * It is part of one shared object with cffi's module, because both work on one recorder. The
 * decisions are made in Rust (`native/crates/follow/src`); this part takes objects of the
 * interpreter apart for it, and asks Python about rare cases. Everything runs with the
 * interpreter's lock.
 *
 * Stable ABI of CPython 3.11; `vectorcall.c` replaces what that ABI does not have yet.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include <structmember.h>

#include "arc_inspector.h"

#ifndef Py_TPFLAGS_HAVE_VECTORCALL
#define Py_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
#endif
#ifndef Py_TPFLAGS_METHOD_DESCRIPTOR
#define Py_TPFLAGS_METHOD_DESCRIPTOR (1UL << 17)
#endif
#define COUNT(count_flags) ((Py_ssize_t)((count_flags) & ~((size_t)1 << (8 * sizeof(size_t) - 1))))

typedef PyObject *(*Vectorcall)(PyObject *, PyObject *const *, size_t, PyObject *);

/* Calls a callable as `PyObject_Vectorcall` does; found by `ai_find_vectorcall`. */
extern Vectorcall ai_vectorcall;
void ai_find_vectorcall(void);

/* The same by a tuple and a dictionary, for an interpreter without that function. */
PyObject *ai_call_through_tuple(PyObject *callable, PyObject *const *args, size_t count_flags,
                                PyObject *names);

/* Calls a vector function by a tuple and a dictionary, as `tp_call` gets them. */
PyObject *ai_call_of_vector(PyObject *self, Vectorcall call, PyObject *args, PyObject *kwargs);

enum {
    LEVEL_HISTORY = AiLevel_History,
    /* Code objects that are kept alive for their stacks; in a program that makes code for ever the
       rest has no site. */
    MOST_CODES = 1 << 16,
    /* Instances that a slice of a scan hands out, about 1.5 ms; frames that a trial of the layout
       compares. */
    MOST_FOUND = 4096,
    MOST_FRAMES = 256,
    /* Proxies in one list or tuple that a function returned which are looked at. */
    MOST_MADE = 100,
};

/* Sites by the frames of the running thread. */
typedef struct {
    PyObject_HEAD
    AiStacks *stacks; /* NULL: this interpreter's frames are not known, `fallback` answers */
    PyObject *classify; /* (code, globals) -> whether it is the program's */
    PyObject *learn; /* (frames) -> site */
    PyObject *fallback; /* (frames) -> site */
    PyObject *codes; /* kept alive */
    AiNaming *naming; /* tells whose code is whose without Python; NULL: Python alone can */
} Stacks;

/* The rows of the proxies of one class. */
typedef struct {
    PyObject_HEAD
    AiProxies *rows;
    PyTypeObject *cls;
    PyObject *attribute; /* name of the attribute that keeps the handle */
    Stacks *stacks;
    PyObject *learn; /* (proxy, handle): find out type and layout */
    PyObject *watch; /* (proxy, row): it is of a class that the program derived */
    PyObject *keep; /* (proxy, handle): its finaliser has run, and somebody may still have it */
    PyObject *fail; /* (exception) */
} Proxies;

/* The rows of one declaration, and the hooks that report proxies to them. */
typedef struct Instances Instances;
typedef struct Births Births;

/* Types of the module, made once for the life of the process, and the objects they are made
 * from. */
extern PyTypeObject *ai_function_type, *ai_plain_type, *ai_kept_type, *ai_stacks_type,
    *ai_proxies_type, *ai_instances_type, *ai_births_type, *ai_marker_type, *ai_method_type;
extern PyType_Spec ai_stacks_spec, ai_proxies_spec, ai_instances_spec, ai_births_spec, ai_hook_spec,
    ai_marker_spec, ai_scan_spec, ai_search_spec;

static inline int minor_version(void) {
    return (int)(Py_Version >> 16 & 0xFF);
}

/* Whether Python code made a class, so that its destructor is Python's own. */
static inline int ai_is_of_python(PyTypeObject *cls) {
    return PyType_GetSlot(cls, Py_tp_dealloc) == PyType_GetSlot(ai_plain_type, Py_tp_dealloc);
}

/* Keeps the memory of an object whose destructor cannot be stopped any more, because the program
 * took a reference. Its attributes become a dictionary, since the destructor finds attributes
 * within the object by the class that it has then. */
static inline void ai_keep_memory(PyObject *object) {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    Py_XDECREF(PyObject_GenericGetDict(object, NULL));
    PyErr_Restore(type, value, trace);
    Py_INCREF((PyObject *)ai_kept_type);
    Py_SET_TYPE(object, ai_kept_type);
}

/* Hands the exception that is set to `fail` and clears it: the program must not fail because of the
 * tool. */
void ai_report(PyObject *fail);

/* The site of the running thread, 0: none, perhaps with an exception. */
unsigned ai_stacks_here(Stacks *stacks, size_t limit);

/* The same, as much as a level asks for, told without running Python code; 0: none, or `name` was
 * not called. Leaves exceptions as they are. */
unsigned ai_stacks_here_quietly(Stacks *stacks, unsigned level);

/* A method: the texts that tell whose code is whose, a tuple of five tuples in the order of
 * `ai_naming_add`. */
PyObject *ai_stacks_name(Stacks *stacks, PyObject *lists);

/* A proxy was made now, on this thread. -1: an exception is set. */
int ai_proxy_born(Proxies *proxies, PyObject *proxy);

/* A proxy's finaliser runs; `handle` is the proxy's handle, 0: none. -1: an exception is set. */
int ai_proxy_gone(Proxies *proxies, PyObject *proxy, unsigned long long *handle);

/* The finaliser of a proxy, which had this handle (0: none), has run. -1: an exception is set. */
int ai_proxy_left(Proxies *proxies, PyObject *proxy, unsigned long long handle);

/* A row for a proxy that is older than the hooks, unless it is known, or is being finalised. 1:
 * made, 0: not, -1: an exception is set. */
int ai_proxy_adopt(Proxies *proxies, PyObject *proxy);

/* A proxy of a declared class was made, or may have changed: give it a row, or end its row. 1: it
 * has a row now, 0: not, -1: an exception is set that is not for us, such as the exception that
 * stops the program. */
int ai_instances_observe(Instances *instances, PyObject *proxy, int is_born_now);

/* A method that closes a proxy of a declared class begins. The row whose resource it found open, 0:
 * there is none. Leaves no exception. */
uint64_t ai_instances_close_begins(Instances *instances, PyObject *proxy);
uint64_t ai_births_close_begins(Births *births, PyObject *proxy);

/* Whether a proxy has a row. */
int ai_instances_has(Instances *instances, PyObject *proxy);

/* The same for the class nearest to the proxy's own. */
int ai_births_observe(Births *births, PyObject *proxy);

/* The destructor of a class, also while `follow_class` has replaced it. */
void *ai_destructor_of(PyTypeObject *cls);

/* Functions of the module; see there. */
PyObject *ai_thread_start(PyObject *module, PyObject *body);
PyObject *ai_thread_join(PyObject *module, PyObject *args);
PyObject *ai_library_has(PyObject *module, PyObject *args);
PyObject *ai_follow_class(PyObject *module, PyObject *args);
PyObject *ai_leave_class(PyObject *module, PyObject *cls);
PyObject *ai_forget_class(PyObject *module, PyObject *place);

#endif
