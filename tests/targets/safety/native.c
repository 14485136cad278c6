/* Pieces of the safety programs that have to be native. Built when a test first needs them. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t caught;

static void handle(int number) {
    (void)number;
    caught += 1;
}

/* A handler in C for a timer; `restarts`: interrupted calls are restarted. */
int tick(long every_micros, int restarts) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    action.sa_flags = restarts ? SA_RESTART : 0;
    const struct itimerval timer = {{0, every_micros}, {0, every_micros}};
    return sigaction(SIGALRM, &action, NULL) || setitimer(ITIMER_REAL, &timer, NULL);
}

int ticks(void) { return caught; }

/* A loop that calls nothing; its sum is known. */
uint64_t loop(uint64_t rounds) {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < rounds; i++) sum += i & 7;
    return sum;
}

/* Sleeps through all interruptions; called with the interpreter's lock held, nothing else of the interpreter runs meanwhile. */
int hold(long millis) {
    struct timespec left = {millis / 1000, millis % 1000 * 1000000};
    while (nanosleep(&left, &left)) {
    }
    return 0;
}

/* Receives with a time-out, as a library does that takes EINTR for an error: 0 received nothing in time, 1 was interrupted, 2 received. */
int receive(int descriptor, long millis) {
    char byte;
    const struct timeval time = {millis / 1000, millis % 1000 * 1000};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    if (recv(descriptor, &byte, 1, 0) >= 0) return 2;
    return errno == EINTR;
}
