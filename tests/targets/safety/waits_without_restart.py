"""A library of its own waits on a socket with a time-out, and takes an interruption for an
error."""

import ctypes
import socket
import threading

from steps import FOLDER, three_moments

native = ctypes.CDLL(f"{FOLDER}/native.so")
left, right = socket.socketpair()
interrupted = 0
stopped = threading.Event()


def wait():
    global interrupted
    while not stopped.is_set():
        interrupted += native.receive(left.fileno(), 20) == 1


thread = threading.Thread(target=wait)
thread.start()
three_moments(lambda: interrupted, meanwhile=lambda: None)
stopped.set()
thread.join()
