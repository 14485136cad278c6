/* A host without an interpreter: opens a library of UniFFI's and calls it as generated bindings do.
 * A step a line, and the handles that it has a line. */
#define _GNU_SOURCE /* pthread_setname_np */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { uint64_t capacity, length; uint8_t *data; } Buffer;
typedef struct { int8_t code; Buffer error; } Status;
typedef uint64_t Handle;

static void *library;
static struct { Handle handle; const char *type; } held[100000];
static int count;

static void *find(const char *format, const char *name) {
    char symbol[200];
    void *found;
    snprintf(symbol, sizeof symbol, format, name);
    found = dlsym(library, symbol);
    if (!found) { fprintf(stderr, "not found: %s\n", symbol); exit(2); }
    return found;
}
#define FUNCTION(name) find("uniffi_uniffi_shapes_fn_%s", name)

static int keep(Handle handle, const char *type) {
    if (!handle) return 0;
    held[count].handle = handle;
    held[count++].type = type;
    return 1;
}

static Handle cloned(int at) {
    Status status = {0};
    char name[60];
    snprintf(name, sizeof name, "clone_%s", held[at].type);
    return ((Handle (*)(Handle, Status *))FUNCTION(name))(held[at].handle, &status);
}

static void release(int at) {
    Status status = {0};
    char name[60];
    snprintf(name, sizeof name, "free_%s", held[at].type);
    ((void (*)(Handle, Status *))FUNCTION(name))(held[at].handle, &status);
    memmove(&held[at], &held[at + 1], (size_t)(--count - at) * sizeof held[0]);
}

#ifdef LINKED
/* the two functions that a linked program of this test calls, found by the loader */
Handle uniffi_uniffi_shapes_fn_constructor_node_new(uint64_t, Status *);
void uniffi_uniffi_shapes_fn_free_node(Handle, Status *);

static void linked(const char *line) {
    Status status = {0};
    int number;
    if (sscanf(line, "node %d", &number) == 1)
        keep(uniffi_uniffi_shapes_fn_constructor_node_new((uint64_t)number, &status), "node");
    else if (count)
        uniffi_uniffi_shapes_fn_free_node(held[--count].handle, &status);
}
#endif

static int make(const char *constructor, const char *type, uint64_t number) {
    Status status = {0};
    Handle made = ((Handle (*)(uint64_t, Status *))FUNCTION(constructor))(number, &status);
    if (status.code) return 0;
    return keep(made, type);
}

static Buffer buffer_of(const char *bytes, uint64_t length) {
    Status status = {0};
    struct { int32_t length; const uint8_t *data; } foreign = {(int32_t)length, (const uint8_t *)bytes};
    return ((Buffer (*)(__typeof__(foreign), Status *))find("ffi_%s", "uniffi_shapes_rustbuffer_from_bytes"))(
        foreign, &status);
}

static void free_buffer(Buffer buffer) {
    Status status = {0};
    ((void (*)(Buffer, Status *))find("ffi_%s", "uniffi_shapes_rustbuffer_free"))(buffer, &status);
}

/* Every eight bytes of a buffer that look like a handle of a node: enough for these types. */
static void keep_nodes(Buffer buffer, uint64_t at, uint64_t step) {
    for (; at + 8 <= buffer.length; at += step) {
        Handle handle = 0;
        for (int byte = 0; byte < 8; byte++) handle = handle << 8 | buffer.data[at + (uint64_t)byte];
        keep(handle, "node");
    }
    free_buffer(buffer);
}

static Buffer asked(const char *method) {
    Status status = {0};
    return ((Buffer (*)(Handle, Status *))FUNCTION(method))(cloned(count - 1), &status);
}

/* The last node adopts the node before it. */
static void adopt(void) {
    typedef Handle (*Adopt)(Handle, Handle, uint64_t, Buffer, uint64_t, double, Buffer, uint64_t,
                            uint64_t, Status *);
    Status status = {0};
    Buffer name = buffer_of("named", 5), more = buffer_of("\0\0\0\0", 4);
    Handle parent = cloned(count - 1), child = cloned(count - 2);
    Handle same = ((Adopt)FUNCTION("method_node_adopt"))(parent, child, 1, name, 2, 3.0, more, 4, 5,
                                                         &status);
    if (status.code) exit(3);
    keep(same, "node");
}

static void pair(void) {
    Status status = {0};
    Buffer found = ((Buffer (*)(Handle, Buffer, Status *))FUNCTION("method_node_pair"))(
        cloned(count - 1), buffer_of("ab", 2), &status);
    /* text of 2, a handle, then an option */
    uint64_t length = found.length;
    Handle left = 0, right = 0;
    for (int byte = 0; byte < 8; byte++) left = left << 8 | found.data[6 + byte];
    if (length > 15)
        for (int byte = 0; byte < 8; byte++) right = right << 8 | found.data[15 + byte];
    keep(left, "node");
    keep(right, "node");
    free_buffer(found);
}

static void named(void) {
    /* a number of entries; a text, a variant, and a handle or a number: read it as bindings do */
    Buffer found = asked("method_node_named");
    uint64_t at = 4;
    while (at + 8 <= found.length) {
        uint64_t text = found.data[at + 3];
        at += 4 + text;
        int is_node = found.data[at + 3] == 2;
        at += 4;
        if (is_node) {
            Handle handle = 0;
            for (int byte = 0; byte < 8; byte++) handle = handle << 8 | found.data[at + (uint64_t)byte];
            keep(handle, "node");
        }
        at += is_node ? 8 : 4;
    }
    free_buffer(found);
}

static void on_poll(uint64_t data, int8_t ready) { *(int8_t *)(uintptr_t)data = ready; }

static Handle future;

static void grow(uint64_t number) {
    future = ((Handle (*)(Handle, uint64_t))FUNCTION("method_node_grow"))(cloned(count - 1), number);
}

static void complete(void) {
    Status status = {0};
    int8_t ready = 1;
    ((void (*)(Handle, void (*)(uint64_t, int8_t), uint64_t))find(
        "ffi_%s", "uniffi_shapes_rust_future_poll_u64"))(future, on_poll, (uint64_t)(uintptr_t)&ready);
    if (ready) exit(4);
    keep(((Handle (*)(Handle, Status *))find("ffi_%s", "uniffi_shapes_rust_future_complete_u64"))(
             future, &status), "node");
    ((void (*)(Handle))find("ffi_%s", "uniffi_shapes_rust_future_free_u64"))(future);
}

static uint64_t call(int times) {
    Status status = {0};
    uint64_t (*number)(Handle, Status *) = (uint64_t (*)(Handle, Status *))FUNCTION("method_node_number");
    Handle (*clone)(Handle, Status *) = (Handle (*)(Handle, Status *))FUNCTION("clone_node");
    uint64_t sum = 0;
    errno = 77;
    while (times-- > 0) sum += number(clone(held[count - 1].handle, &status), &status);
    return errno == 77 ? sum : 0;
}

/* Makes and releases nodes, without looking a function up in between. */
static void churn(int times) {
    Status status = {0};
    Handle (*make_one)(uint64_t, Status *) =
        (Handle (*)(uint64_t, Status *))FUNCTION("constructor_node_new");
    void (*free_one)(Handle, Status *) = (void (*)(Handle, Status *))FUNCTION("free_node");
    while (times-- > 0) free_one(make_one(1, &status), &status);
}

static uint64_t used_nanos(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void *elsewhere(void *number) {
    pthread_setname_np(pthread_self(), "maker");
    make("constructor_node_new", "node", (uint64_t)(uintptr_t)number);
    return NULL;
}

static void on_thread(uint64_t number) {
    pthread_t thread;
    pthread_create(&thread, NULL, elsewhere, (void *)(uintptr_t)number);
    pthread_join(thread, NULL);
}

/* Makes nodes, gets each again from a method, and releases both, in an order that differs by thread. */
static void *storming(void *times) {
    Status status = {0};
    Handle (*make_one)(uint64_t, Status *) =
        (Handle (*)(uint64_t, Status *))FUNCTION("constructor_node_new");
    Handle (*clone)(Handle, Status *) = (Handle (*)(Handle, Status *))FUNCTION("clone_node");
    Handle (*itself)(Handle, Status *) = (Handle (*)(Handle, Status *))FUNCTION("method_node_itself");
    void (*free_one)(Handle, Status *) = (void (*)(Handle, Status *))FUNCTION("free_node");
    for (uintptr_t at = (uintptr_t)times; at > 0; at--) {
        Handle first = make_one(at, &status);
        Handle second = itself(clone(first, &status), &status);
        free_one(at % 2 ? first : second, &status);
        free_one(at % 2 ? second : first, &status);
    }
    return NULL;
}

static void storm(int times) {
    pthread_t threads[8];
    for (int at = 0; at < 8; at++)
        pthread_create(&threads[at], NULL, storming, (void *)(uintptr_t)times);
    for (int at = 0; at < 8; at++) pthread_join(threads[at], NULL);
}

int main(int words, char **word) {
    char line[100];
    int number;
#ifdef LINKED
    (void)words, (void)word, (void)make, (void)release, (void)storm;
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        linked(line);
        printf("%d\n", count);
        fflush(stdout);
    }
    while (count) linked("");
    return 0;
#endif
    if (words < 2 || !(library = dlopen(word[1], RTLD_NOW))) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    FUNCTION("free_node");
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "node %d", &number) == 1)
            make("constructor_node_new", "node", (uint64_t)number);
        else if (sscanf(line, "even %d", &number) == 1)
            make("constructor_node_even", "node", (uint64_t)number);
        else if (sscanf(line, "metre %d", &number) == 1)
            make("constructor_metre_new", "metre", (uint64_t)number);
        else if (sscanf(line, "second %d", &number) == 1)
            make("constructor_second_new", "second", (uint64_t)number);
        else if (sscanf(line, "wide %d", &number) == 1)
            make("constructor_wide_new", "wide", (uint64_t)number);
        else if (sscanf(line, "function %d", &number) == 1)
            make("func_make_node", "node", (uint64_t)number);
        else if (sscanf(line, "thread %d", &number) == 1)
            on_thread((uint64_t)number);
        else if (sscanf(line, "storm %d", &number) == 1)
            storm(number);
        else if (!strncmp(line, "square", 6)) {
            Status status = {0};
            keep(((Handle (*)(Status *))FUNCTION("func_make_square"))(&status), "shape");
        } else if (!strncmp(line, "itself", 6)) {
            Status status = {0};
            keep(((Handle (*)(Handle, Status *))FUNCTION("method_node_itself"))(
                     cloned(count - 1), &status), "node");
        } else if (!strncmp(line, "adopt", 5))
            adopt();
        else if (!strncmp(line, "children", 8))
            keep_nodes(asked("method_node_children"), 4, 8);
        else if (!strncmp(line, "first", 5))
            keep_nodes(asked("method_node_first"), 1, 8);
        else if (!strncmp(line, "pair", 4))
            pair();
        else if (!strncmp(line, "named", 5))
            named();
        else if (sscanf(line, "grow %d", &number) == 1)
            grow((uint64_t)number);
        else if (!strncmp(line, "complete", 8))
            complete();
        else if (!strncmp(line, "drop", 4))
            release(count - 1);
        else if (!strncmp(line, "leak", 4))
            cloned(count - 1);
        else if (sscanf(line, "timed call %d", &number) == 1) {
            uint64_t began = used_nanos();
            call(number);
            printf("%lu ", (unsigned long)(used_nanos() - began));
        } else if (sscanf(line, "timed churn %d", &number) == 1) {
            uint64_t began = used_nanos();
            churn(number);
            printf("%lu ", (unsigned long)(used_nanos() - began));
        }
        else if (sscanf(line, "call %d", &number) == 1)
            printf("%lu ", (unsigned long)call(number));
        printf("%d\n", count);
        fflush(stdout);
    }
    while (count) release(count - 1);
    return 0;
}
