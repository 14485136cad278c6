/* Births and ends of instances of extension classes, seen in the type's slots `tp_alloc` and
 * `tp_dealloc`.
 *
 * One pair of functions serves all classes, with a table of the functions that were there before
 * (`native/crates/follow/src/classes.rs`). Neither runs Python code: native code that makes or ends
 * an object may hold locks of its own, and the object is not whole. */
#include "hooks.h"
#include "instances.h"

/* Bytes from a type's start to its slots, in every CPython from 3.8 on; compared with the
 * interpreter's own answer before anything is written. */
enum { ALLOC = 304, DEALLOC = 48 };

/* The object whose destructor runs on this thread, and the class whose turn it is: a destructor may
 * call that of its base class. */
typedef struct {
    PyObject *object;
    PyTypeObject *at;
} Turn;

static _Thread_local Turn turn;

static PyTypeObject *base_of(PyTypeObject *type) {
    return (PyTypeObject *)PyType_GetSlot(type, Py_tp_base);
}

/* The class that was asked for last, and its entry: births and ends come in runs of one class. Used
 * with the interpreter's lock, as the table is; every change of the table forgets it. */
static PyTypeObject *newest;
static AiSlots of_newest;

static int entry_of(PyTypeObject *type, AiSlots *found) {
    if (type != newest) {
        if (!ai_classes_get((size_t)type, found)) return 0;
        newest = type;
        of_newest = *found;
    }
    *found = of_newest;
    return 1;
}

static void set_entry(PyTypeObject *type, const AiSlots *slots) {
    newest = NULL;
    ai_classes_set((size_t)type, slots);
}

static PyObject *forget_entry(size_t type) {
    newest = NULL;
    return (PyObject *)ai_classes_forget(type);
}

/* The class from `type` upwards whose destructor (or allocator) was replaced; NULL: there is
 * none. */
static PyTypeObject *replaced(PyTypeObject *type, int is_dealloc, AiSlots *found) {
    for (; type; type = base_of(type))
        if (entry_of(type, found) && (is_dealloc ? found->dealloc : found->alloc))
            return type;
    return NULL;
}

static PyObject *alloc_hook(PyTypeObject *type, Py_ssize_t items) {
    AiSlots found;
    if (!replaced(type, 0, &found)) return PyType_GenericAlloc(type, items);
    Instances *rows = (Instances *)found.rows;
    unsigned level = rows && rows->rows ? ai_instances_level(rows->rows) : 0, site = 0;
    if (level) {
        Py_INCREF((PyObject *)rows); /* a collection in the allocator may run a detach */
        site = ai_stacks_here_quietly(rows->stacks, level); /* before the object exists */
    }
    PyObject *object = ((allocfunc)found.alloc)(type, items);
    if (!level) return object;
    if (object) {
        if (turn.object == object) turn.object = NULL; /* the former object there has ended */
        ai_instances_add(rows->rows, (size_t)object, (size_t)object, (size_t)object, site, 0);
    }
    Py_DECREF((PyObject *)rows);
    return object;
}

static void dealloc_hook(PyObject *object) {
    Turn before = turn;
    AiSlots found;
    PyTypeObject *at = NULL;
    int is_base = before.object == object;
    if (is_base) at = replaced(base_of(before.at), 1, &found);
    if (!at) {
        at = replaced(Py_TYPE(object), 1, &found);
        is_base = 0;
    }
    if (!at) return; /* cannot be: the class that has this function has an entry, or its base */
    if (!is_base && ai_instances_end((size_t)object)) return;
    turn = (Turn){object, at};
    ((destructor)found.dealloc)(object);
    turn = before;
}

void *ai_destructor_of(PyTypeObject *cls) {
    AiSlots found;
    void *present = PyType_GetSlot(cls, Py_tp_dealloc);
    return present == (void *)dealloc_hook && replaced(cls, 1, &found) ? (void *)found.dealloc
                                                                      : present;
}

/* The place of a slot in a type; NULL: the type is laid out in an unknown way. */
static void **place_of(PyTypeObject *type, size_t at, int slot) {
    void **place = (void **)((char *)type + at);
    return *place == PyType_GetSlot(type, slot) ? place : NULL;
}

/* Puts a hook into a slot; `before` becomes the function that was there. */
static void hook(void **place, void *hook, size_t *before, size_t inherited) {
    if (*place == hook) {
        if (!*before) *before = inherited;
    } else if (*place) {
        *before = (size_t)*place;
        *place = hook;
    }
}

static PyObject *no_layout(void) {
    PyErr_SetString(PyExc_RuntimeError, "this interpreter lays its types out in an unknown way");
    return NULL;
}

PyObject *ai_follow_class(PyObject *Py_UNUSED(module), PyObject *args) {
    PyTypeObject *cls;
    PyObject *rows;
    if (!PyArg_ParseTuple(args, "O!O!", &PyType_Type, &cls, ai_instances_type, &rows)) return NULL;
    /* Cython's destructors run the finaliser only while they are in the class's own slot */
    if (!ai_is_of_python(cls) && PyType_GetSlot(cls, Py_tp_finalize)) {
        PyErr_SetString(PyExc_RuntimeError, "its destructor may ask whether it is the class's own");
        return NULL;
    }
    void **alloc = place_of(cls, ALLOC, Py_tp_alloc);
    void **dealloc = place_of(cls, DEALLOC, Py_tp_dealloc);
    if (!alloc || !dealloc) return no_layout();
    AiSlots slots = {0}, of_alloc = {0}, of_dealloc = {0};
    ai_classes_get((size_t)cls, &slots);
    replaced(base_of(cls), 0, &of_alloc);
    replaced(base_of(cls), 1, &of_dealloc);
    PyObject *former = (PyObject *)slots.rows;
    slots.rows = (size_t)Py_NewRef(rows);
    /* an entry first: no thread runs before both are written */
    hook(alloc, (void *)alloc_hook, &slots.alloc, of_alloc.alloc);
    /* Python's own destructor looks for a base's destructor that differs from itself */
    if (!ai_is_of_python(cls))
        hook(dealloc, (void *)dealloc_hook, &slots.dealloc, of_dealloc.dealloc);
    set_entry(cls, &slots);
    Py_XDECREF(former);
    Py_RETURN_NONE;
}

/* Puts the function back that was in a slot, unless another library changed it meanwhile. */
static void unhook(void **place, void *hook, size_t before) {
    if (place && *place == hook && before) *place = (void *)before;
}

PyObject *ai_leave_class(PyObject *Py_UNUSED(module), PyObject *cls) {
    if (!PyType_Check(cls)) return PyErr_SetString(PyExc_TypeError, "not a class"), NULL;
    PyTypeObject *type = (PyTypeObject *)cls;
    AiSlots slots = {0}, found;
    int is_known = ai_classes_get((size_t)cls, &slots);
    if (replaced(type, 0, &found))
        unhook(place_of(type, ALLOC, Py_tp_alloc), (void *)alloc_hook, found.alloc);
    if (replaced(type, 1, &found))
        unhook(place_of(type, DEALLOC, Py_tp_dealloc), (void *)dealloc_hook, found.dealloc);
    if (!is_known) Py_RETURN_NONE;
    PyObject *rows = (PyObject *)slots.rows;
    slots.rows = 0;
    if (ai_is_of_python(type)) forget_entry((size_t)cls);
    else set_entry(type, &slots); /* a copy of the hook still finds the way */
    Py_XDECREF(rows);
    Py_RETURN_NONE;
}

PyObject *ai_forget_class(PyObject *Py_UNUSED(module), PyObject *place) {
    size_t cls = PyLong_AsSize_t(place);
    if (PyErr_Occurred()) return NULL;
    Py_XDECREF(forget_entry(cls));
    Py_RETURN_NONE;
}
