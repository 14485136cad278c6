/* One interleaved run: an event of our ring against an LTTng-UST event with the same fields. Prints JSON. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "arc_tp.h"
#include "arc_inspector.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 41, EVENTS = 200000 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

int main(void) {
    AiOptions options = {0};
    AiError error = {0};
    options.level = AiLevel_History;
    options.idle_level = AiLevel_History;
    if (ai_start(&options, &error) != 0) {
        fprintf(stderr, "%.*s\n", (int)error.length, (const char *)error.message);
        return 1;
    }
    uint64_t handle = 0;
    if (ai_todo_list_new(&handle, &error) != 0) {
        fprintf(stderr, "%.*s\n", (int)error.length, (const char *)error.message);
        return 1;
    }
    static double ours[ROUNDS], theirs[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now();
        for (uint32_t i = 0; i < EVENTS; i++) ai_event(AiEventKind_Clone, handle, 4096, i & 0xFFFF);
        double middle = now();
        for (uint32_t i = 0; i < EVENTS; i++) lttng_ust_tracepoint(arc_peer, event, handle, 4096, i, 0);
        ours[round] = (middle - begin) / EVENTS;
        theirs[round] = (now() - middle) / EVENTS;
    }
    qsort(ours, ROUNDS, sizeof *ours, by_value);
    qsort(theirs, ROUNDS, sizeof *theirs, by_value);
    printf("{\"ours_nanos\": %.2f, \"lttng_nanos\": %.2f, \"ratio\": %.1f}\n", ours[ROUNDS / 2], theirs[ROUNDS / 2], theirs[ROUNDS / 2] / ours[ROUNDS / 2]);
    ai_handle_release(handle, &error);
    ai_stop(&error);
    return 0;
}
