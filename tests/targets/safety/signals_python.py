"""A timer every 100 µs whose handler is Python."""

import signal
import socket

from steps import count, three_moments

caught = 0


def handler(number, frame):
    global caught
    caught += 1


signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)


def exchange():
    left, right = socket.socketpair()
    with left, right:
        for number in range(200):
            left.sendall(b"%d" % number)
            right.recv(100)
    return count(), caught > 0


three_moments(exchange)
signal.setitimer(signal.ITIMER_REAL, 0)
