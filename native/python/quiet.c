/* The site of the running thread, told without running Python code: for hooks within native code
 * that may hold locks of its own. A stack that is new is described from its frame objects. */
#include "hooks.h"

enum { OF_TOOL = 0, OF_PROGRAM = 1 };

/* A text of an object, held by `held`. 0: it has none. */
static int text_of(PyObject *object, const char *name, PyObject **held, AiText *text) {
    Py_ssize_t length = 0;
    *held = PyObject_GetAttrString(object, name);
    text->data = *held && PyUnicode_Check(*held)
                     ? (const uint8_t *)PyUnicode_AsUTF8AndSize(*held, &length)
                     : NULL;
    text->length = (size_t)length;
    return text->data != NULL;
}

/* The owner of a code object with these globals, as `ai_naming_whose` has it. */
static int whose(Stacks *self, PyObject *code, PyObject *globals) {
    AiText file, module = {NULL, 0};
    PyObject *held;
    PyObject *name = globals && PyDict_CheckExact(globals)
                         ? PyDict_GetItemString(globals, "__name__")
                         : NULL;
    Py_ssize_t length = 0;
    if (name && PyUnicode_CheckExact(name))
        module.data = (const uint8_t *)PyUnicode_AsUTF8AndSize(name, &length);
    module.length = module.data ? (size_t)length : 0;
    int answer = OF_PROGRAM;
    if (text_of(code, "co_filename", &held, &file))
        answer = ai_naming_whose(self->naming, module.data, module.length, file.data, file.length);
    Py_XDECREF(held);
    PyErr_Clear();
    return answer;
}

static int whose_frame(Stacks *self, PyObject *frame, PyObject *code) {
    int known = self->stacks ? ai_stacks_code(self->stacks, (size_t)code) : -1;
    if (known >= 0) return known;
    PyObject *globals = PyObject_GetAttrString(frame, "f_globals");
    known = whose(self, code, globals);
    Py_XDECREF(globals);
    PyErr_Clear();
    return known;
}

/* The frames of a stack that is described, and the objects that keep their texts alive. */
typedef struct {
    AiFrameText frames[AiSITE_FRAMES];
    PyObject *held[2 * AiSITE_FRAMES];
    size_t count;
} Told;

static void tell(Told *told, PyObject *frame, PyObject *code) {
    AiFrameText *text = &told->frames[told->count];
    AiText function = {NULL, 0}, file = {NULL, 0};
    text_of(code, "co_qualname", &told->held[2 * told->count], &function);
    text_of(code, "co_filename", &told->held[2 * told->count + 1], &file);
    text->function = function.data;
    text->function_length = function.length;
    text->file = file.data;
    text->file_length = file.length;
    int line = PyFrame_GetLineNumber((PyFrameObject *)frame);
    text->line = line > 0 ? (uint32_t)line : 0;
    told->count++;
    PyErr_Clear();
}

/* Describes the running thread's stack: `limit` frames, or with `limit` 1 up to the first frame of
 * the program's own. 0: there is none. */
static unsigned describe(Stacks *self, size_t limit) {
    Told told = {.count = 0};
    int is_short = limit == 1, is_named = 0, is_cut = 0;
    size_t most = is_short ? AiSITE_FRAMES : limit;
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(PyThreadState_Get());
    while (frame && frame != Py_None && !is_cut) {
        PyObject *code = (PyObject *)PyFrame_GetCode((PyFrameObject *)frame);
        int owner = whose_frame(self, frame, code);
        if (owner != OF_TOOL) {
            is_cut = told.count == most || (is_short && is_named);
            if (!is_cut) tell(&told, frame, code);
            is_named |= owner == OF_PROGRAM;
        }
        Py_DECREF(code);
        PyObject *outer = PyObject_GetAttrString(frame, "f_back");
        Py_DECREF(frame);
        frame = outer;
    }
    Py_XDECREF(frame);
    PyErr_Clear();
    size_t count = told.count;
    if (is_short && !is_named) is_cut = count > 1, count = count ? 1 : 0;
    else if (is_short && count == 1) is_cut = 0; /* the frame itself says enough */
    unsigned site = count ? ai_site(told.frames, count, is_cut) : 0;
    for (size_t at = 0; at < 2 * told.count; at++) Py_XDECREF(told.held[at]);
    return site;
}

/* A code object that is new: it is kept alive, since it is known by its address. 0: there is no
 * room for more. */
static int classify(Stacks *self, PyObject *code, PyObject *globals) {
    if (PyList_Size(self->codes) >= MOST_CODES || PyList_Append(self->codes, code) < 0) return 0;
    ai_stacks_set_code(self->stacks, (size_t)code, whose(self, code, globals));
    return 1;
}

/* Describing makes frame objects, so a collection may run and the walk starts again after it. */
static unsigned site_here(Stacks *self, size_t limit) {
    if (!self->stacks) return describe(self, limit);
    size_t state = (size_t)PyThreadState_Get(), first = 0, second = 0;
    unsigned learnt = 0;
    for (int is_learnt = 0;;) {
        int answer = ai_stacks_walk(self->stacks, state, limit, &first, &second);
        if (answer == 0) return (unsigned)first;
        if (answer == 1) {
            if (!classify(self, (PyObject *)first, (PyObject *)second)) return 0;
        } else if (is_learnt) {
            ai_stacks_set_site(self->stacks, first, learnt);
            return learnt;
        } else {
            learnt = describe(self, limit);
            is_learnt = 1;
        }
    }
}

unsigned ai_stacks_here_quietly(Stacks *self, unsigned level) {
    if (level < LEVEL_HISTORY || !self->naming) return 0;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    unsigned site = site_here(self, level == LEVEL_HISTORY ? 1 : AiSITE_FRAMES);
    PyErr_Restore(type, value, trace);
    return site;
}

PyObject *ai_stacks_name(Stacks *self, PyObject *lists) {
    if (self->naming || !PyTuple_Check(lists))
        return PyErr_SetString(PyExc_TypeError, "named already, or no tuple of lists"), NULL;
    AiNaming *naming = ai_naming_new();
    for (Py_ssize_t list = 0; list < PyTuple_Size(lists); list++) {
        PyObject *texts = PyTuple_GetItem(lists, list);
        Py_ssize_t count = PyTuple_Size(texts);
        for (Py_ssize_t at = 0; at < count; at++) {
            Py_ssize_t length;
            const char *text = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(texts, at), &length);
            if (text) ai_naming_add(naming, (int)list, (const uint8_t *)text, (size_t)length);
        }
    }
    if (PyErr_Occurred()) return ai_naming_free(naming), NULL;
    self->naming = naming;
    Py_RETURN_NONE;
}
