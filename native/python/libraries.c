/* Libraries of native code in this process, told by the texts in their memory. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, dl_iterate_phdr */
#endif
#include <link.h>
#include "hooks.h"

enum { MOST_TEXTS = 8 };

typedef struct {
    size_t address; /* within the library; 0: it is told by its file */
    const char *file;
    const char *texts[MOST_TEXTS];
    Py_ssize_t lengths[MOST_TEXTS];
    Py_ssize_t count;
    int has_all;
} Asked;

static int is_within(const struct dl_phdr_info *library, const ElfW(Phdr) * part, size_t address) {
    size_t start = library->dlpi_addr + part->p_vaddr;
    return part->p_type == PT_LOAD && address >= start && address - start < part->p_memsz;
}

/* Whether parts of the library with these flags contain a text. */
static int contains(const struct dl_phdr_info *library, unsigned flags, const char *text,
                    Py_ssize_t length) {
    for (int at = 0; at < library->dlpi_phnum; at++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[at];
        if (part->p_type == PT_LOAD && part->p_flags == flags &&
            memmem((const void *)(library->dlpi_addr + part->p_vaddr), part->p_filesz, text,
                   (size_t)length))
            return 1;
    }
    return 0;
}

static int has_part(const struct dl_phdr_info *library, unsigned flags) {
    for (int at = 0; at < library->dlpi_phnum; at++)
        if (library->dlpi_phdr[at].p_type == PT_LOAD && library->dlpi_phdr[at].p_flags == flags)
            return 1;
    return 0;
}

static int look(struct dl_phdr_info *library, size_t Py_UNUSED(size), void *data) {
    Asked *asked = data;
    int is_it = asked->file && library->dlpi_name && !strcmp(library->dlpi_name, asked->file);
    for (int at = 0; asked->address && at < library->dlpi_phnum && !is_it; at++)
        is_it = is_within(library, &library->dlpi_phdr[at], asked->address);
    if (!is_it) return 0;
    /* linkers that keep constants apart from code put them into a part that is only read */
    unsigned flags = has_part(library, PF_R) ? PF_R : PF_R | PF_X;
    asked->has_all = 1;
    for (Py_ssize_t at = 0; at < asked->count && asked->has_all; at++)
        asked->has_all = contains(library, flags, asked->texts[at], asked->lengths[at]);
    return 1;
}

PyObject *ai_library_has(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *library, *texts, *file = NULL;
    Asked asked = {0};
    if (!PyArg_ParseTuple(args, "OO!", &library, &PyTuple_Type, &texts)) return NULL;
    if (PyType_Check(library))
        asked.address = (size_t)ai_destructor_of((PyTypeObject *)library);
    else if (PyUnicode_FSConverter(library, &file)) asked.file = PyBytes_AsString(file);
    else return NULL;
    asked.count = PyTuple_Size(texts);
    if (asked.count > MOST_TEXTS) {
        PyErr_SetString(PyExc_ValueError, "too many texts");
        asked.count = 0;
    }
    for (Py_ssize_t at = 0; at < asked.count; at++)
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(texts, at), (char **)&asked.texts[at],
                                    &asked.lengths[at]) < 0)
            return Py_XDECREF(file), NULL;
    if (asked.count) dl_iterate_phdr(look, &asked);
    Py_XDECREF(file);
    if (PyErr_Occurred()) return NULL;
    return PyBool_FromLong(asked.has_all);
}
