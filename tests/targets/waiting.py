"""A program whose threads wait in different system calls and count their returns.

Prints ``ready`` with the system's number of each thread; each line on stdin is answered with the
counts; the end of stdin ends it.
"""

import ctypes
import json
import os
import select
import signal
import socket
import struct
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
EINTR = 4
LONG_SECS = 600
TIME = struct.pack("qq", LONG_SECS, 0)
PRIVATE, CREATE, REMOVE = 0, 0o1600, 0
queue = libc.msgget(PRIVATE, CREATE)
semaphore = libc.semget(PRIVATE, 1, CREATE)
kept = []


def with_timeout(opened):
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, TIME)
    kept.append(opened)
    return opened.fileno()


def pair():
    mine, other = socket.socketpair()
    kept.append(other)
    return with_timeout(mine)


def listening():
    opened = socket.socket(socket.AF_UNIX)
    opened.bind(b"\0" + os.urandom(12))
    opened.listen()
    return with_timeout(opened)


def epoll():
    opened = select.epoll()
    kept.append(opened)
    return opened.fileno()


def counting_semaphore():
    opened = ctypes.create_string_buffer(64)
    libc.sem_init(opened, 0, 0)
    return opened


def for_ever():
    """A time to come, in a place that stays."""
    return ctypes.create_string_buffer(struct.pack("qq", 1 << 40, 0))


def waits():
    """By name: a call that waits, with its arguments."""
    place, time, later = (
        ctypes.create_string_buffer(64),
        ctypes.create_string_buffer(TIME),
        for_ever(),
    )
    signals = ctypes.create_string_buffer(struct.pack("Q", 1 << (signal.SIGUSR2 - 1)) + bytes(120))
    less = ctypes.create_string_buffer(struct.pack("HhH", 0, -1, 0))
    return {
        "recv": (libc.recv, pair(), place, 1, 0),
        "read": (libc.read, pair(), place, 1),
        "accept": (libc.accept, listening(), None, None),
        "epoll_wait": (libc.epoll_wait, epoll(), place, 1, LONG_SECS * 1000),
        "poll": (libc.poll, None, 0, LONG_SECS * 1000),
        "select": (libc.select, 0, None, None, None, time),
        "nanosleep": (libc.nanosleep, time, None),
        "semtimedop": (libc.semtimedop, semaphore, less, 1, time),
        "sem_timedwait": (libc.sem_timedwait, counting_semaphore(), later),
        "sigtimedwait": (libc.sigtimedwait, signals, None, time),
        "msgrcv": (libc.msgrcv, queue, place, 8, 0, 0),
    }


def main():
    counts, threads = {}, {}

    def wait(name, call, *arguments):
        threads[name] = threading.get_native_id()
        while True:
            returned = call(*arguments)
            number = ctypes.get_errno() if returned < 0 else 0
            counts[name]["eintr" if number == EINTR else "returned"] += 1

    for name, (call, *arguments) in waits().items():
        counts[name] = {"eintr": 0, "returned": 0}
        threading.Thread(target=wait, args=(name, call, *arguments), daemon=True).start()
    while len(threads) < len(counts):
        os.sched_yield()
    print("ready", json.dumps({"pid": os.getpid(), "threads": threads}), flush=True)
    for _ in sys.stdin:
        print("counts", json.dumps(counts), flush=True)
    libc.msgctl(queue, REMOVE, None)
    libc.semctl(semaphore, 0, REMOVE)
    print("done", "{}", flush=True)
    os._exit(0)


main()
