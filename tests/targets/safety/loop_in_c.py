"""Its main thread is in a loop in C nearly all the time, the interpreter's lock free."""

import ctypes
import time

from steps import FOLDER, three_moments

native = ctypes.CDLL(f"{FOLDER}/native.so")
native.loop.restype = ctypes.c_uint64
native.loop.argtypes = [ctypes.c_uint64]

three_moments(
    lambda: native.loop(30_000_000), meanwhile=lambda: (native.loop(3_000_000), time.sleep(0.001))
)
