"""Blocks signals in all of its threads and takes them with sigwait."""

import os
import signal
import threading

from steps import three_moments

SIGNALS = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP]
signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
taken = []


def take():
    for _ in range(len(SIGNALS) * 5):
        taken.append(int(signal.sigwait(SIGNALS)))
        seen.release()


def send():
    seen_by = threading.Thread(target=take)
    seen_by.start()
    for number in SIGNALS * 5:
        os.kill(os.getpid(), number)
        seen.acquire()
    seen_by.join()
    return taken[-4:], len(taken)


seen = threading.Semaphore(0)
three_moments(send)
