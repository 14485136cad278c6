/* `Instances` from within: what its three sources share. */
#ifndef ARC_INSPECTOR_INSTANCES_H
#define ARC_INSPECTOR_INSTANCES_H
#include "hooks.h"

enum { MOST_STEPS = 8 };

/* The condition on the value at the end of `released`. */
enum {
    RELEASED_NEVER,
    RELEASED_TRUE,
    RELEASED_FALSE,
    RELEASED_NONE,
    RELEASED_EQUALS,
    RELEASED_RAISES
};

/* Attributes one after the other, each read or called without arguments. */
typedef struct {
    PyObject *names[MOST_STEPS];
    int count; /* 0: the thing itself */
    unsigned called; /* bit n: step n is called */
} Path;

struct Instances {
    PyObject_HEAD
    Vectorcall call;
    AiInstances *rows;
    Stacks *stacks;
    Path handle, released;
    int test; /* what `released` is asked */
    PyObject *number; /* what it equals */
    PyObject *number_of; /* (value) -> (handle, whether it is an address), for what is no integer */
    PyObject *note; /* (exception) of an attribute */
    PyObject *fail; /* (exception) of ours */
    PyTypeObject *sees_ends; /* whose destructor says when instances of exactly this class end;
                                NULL: there is none */
};

/* instance_facts.c: the attributes that a declaration names. -1: an exception is set. */

/* A path from `((name, is_called), ...)`. */
int ai_path_from(Path *path, PyObject *steps);
void ai_path_clear(Path *path);

/* The handle that stands for a proxy, 0: it has none. */
int ai_handle_of(Instances *self, PyObject *proxy, unsigned long long *handle, int *is_address);

/* Whether a proxy satisfies the declaration's condition. */
int ai_condition_holds(Instances *self, PyObject *proxy);

/* Whether a proxy gave its handle back. */
int ai_is_released(Instances *self, PyObject *proxy);

/* instance_ends.c: instances whose end has begun. */

/* Whether an instance whose end has begun was closed, as `AiEND_...`. */
int32_t ai_instance_ask(size_t whom, size_t object, int32_t by_reference);

/* The nearest base class with a destructor of its own, other than the destructor that Python gives
 * to its classes. */
PyTypeObject *ai_native_base(PyTypeObject *cls);

#endif
