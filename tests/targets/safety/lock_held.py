"""Holds the interpreter's lock for long, in a loop in C and while it sleeps.

For seconds in the full form.
"""

import ctypes
import os

from steps import FOLDER, three_moments

native = ctypes.PyDLL(f"{FOLDER}/native.so")
native.loop.restype = ctypes.c_uint64
native.loop.argtypes = [ctypes.c_uint64]

holds = iter([int(os.environ.get("SAFETY_HOLD_MILLIS", "40"))])


def hold():
    native.hold(60)
    return native.loop(10_000_000)


three_moments(hold, meanwhile=lambda: native.hold(next(holds, 40)))
