/* The one thread of the agent that runs Python code. It does not belong to the `threading` module:
 * a program that joins, counts, traces or profiles its threads does not meet it, and a library that
 * replaces functions of `_thread`, as gevent does, does not affect it. */
#include "hooks.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>

/* The stack size that the program sets for its threads may be too small for ours. Touched only as
 * far as it is used; the second size is for scarce memory. */
static const size_t stack_sizes[] = {8 << 20, 1 << 20};
#define NAME "ai-worker"
#define HELD_NAME "inspector._hooks.thread"

typedef struct {
    PyObject *body;
    _Atomic(pthread_t) id; /* 0 until it runs; its own look at it is all that has to be right, so
                              the order is no matter */
    PyThread_type_lock running; /* held until the body has ended; kept for the life of the process,
                                   a thread may end later than all else */
} Thread;

static void *run(void *argument) {
    Thread *thread = argument;
    atomic_store_explicit(&thread->id, pthread_self(), memory_order_relaxed);
    prctl(PR_SET_NAME, NAME, 0, 0, 0);
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *nothing = PyObject_CallNoArgs(thread->body);
    if (!nothing)
        PyErr_Clear(); /* the body tells of its own failures; the program's streams are not ours */
    Py_XDECREF(nothing);
    Py_CLEAR(thread->body);
    PyThread_release_lock(thread->running);
    PyGILState_Release(state);
    return NULL;
}

/* A detached thread on which no signal is handled: a signal that the program waits for, or directs
 * to another thread, would be lost on ours. */
static int begin(Thread *thread) {
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t id;
    int error = pthread_attr_init(&attributes);
    if (error) return error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a new thread has its maker's */
    for (size_t at = 0; at < sizeof stack_sizes / sizeof *stack_sizes; at++) {
        pthread_attr_setstacksize(&attributes, stack_sizes[at]);
        error = pthread_create(&id, &attributes, run, thread);
        if (!error) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

PyObject *ai_thread_start(PyObject *Py_UNUSED(module), PyObject *body) {
    Thread *thread = calloc(1, sizeof *thread);
    if (!thread) return PyErr_NoMemory();
    thread->body = Py_NewRef(body);
    thread->running = PyThread_allocate_lock();
    if (!thread->running) goto failed;
    PyThread_acquire_lock(thread->running, NOWAIT_LOCK);
    PyObject *held = PyCapsule_New(thread, HELD_NAME, NULL);
    if (!held) goto failed;
    errno = begin(thread);
    if (!errno) return held;
    PyErr_SetFromErrno(PyExc_OSError);
    Py_DECREF(held);
failed:
    if (!PyErr_Occurred()) PyErr_NoMemory();
    if (thread->running) {
        PyThread_release_lock(thread->running);
        PyThread_free_lock(thread->running);
    }
    Py_CLEAR(thread->body);
    free(thread);
    return NULL;
}

PyObject *ai_thread_join(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *held;
    double patience_secs;
    if (!PyArg_ParseTuple(args, "Od", &held, &patience_secs)) return NULL;
    Thread *thread = PyCapsule_GetPointer(held, HELD_NAME);
    if (!thread) return NULL;
    if (atomic_load_explicit(&thread->id, memory_order_relaxed) == pthread_self()) Py_RETURN_FALSE;
    PyLockStatus status;
    Py_BEGIN_ALLOW_THREADS;
    status = PyThread_acquire_lock_timed(thread->running, (PY_TIMEOUT_T)(patience_secs * 1e6), 0);
    if (status == PY_LOCK_ACQUIRED) PyThread_release_lock(thread->running);
    Py_END_ALLOW_THREADS;
    return PyBool_FromLong(status == PY_LOCK_ACQUIRED);
}
