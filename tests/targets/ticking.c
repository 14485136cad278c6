/* A thread that measures how long it stood still, and needs no interpreter for that. Built by
 * tests/bench/ticking.py. */
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

static _Atomic uint64_t longest;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Never returns. */
void tick(uint64_t every_nanos) {
    const struct timespec pause = {0, (long)every_nanos};
    uint64_t last = now();
    for (;;) {
        nanosleep(&pause, NULL);
        const uint64_t at = now(), late = at - last - every_nanos;
        if (late > atomic_load(&longest)) atomic_store(&longest, late);
        last = at;
    }
}

/* The longest that it was late since this was last asked. */
uint64_t take(void) { return atomic_exchange(&longest, 0); }
