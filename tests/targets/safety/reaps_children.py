"""Waits for any child, as supervisors do: a foreign child would be taken for a worker."""

import os
import signal
import time

from steps import three_moments

reaped = []


def reap(number, frame):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        reaped.append(os.waitstatus_to_exitcode(status))


signal.signal(signal.SIGCHLD, reap)


def ten_children():
    reaped.clear()
    for number in range(10):
        if os.fork() == 0:
            os._exit(number)
    while len(reaped) < 10:
        time.sleep(0.001)
    return sorted(reaped)


three_moments(ten_children)
