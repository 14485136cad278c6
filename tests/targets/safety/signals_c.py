"""A timer every 100 µs whose handler is C and does not have calls restarted."""

import ctypes
import os

from steps import FOLDER, count, three_moments

native = ctypes.CDLL(f"{FOLDER}/native.so")
native.tick(100, 0)


def read_and_write():
    reader, writer = os.pipe()
    for number in range(200):
        os.write(writer, b"%d" % number)
        os.read(reader, 100)
    os.close(reader)
    os.close(writer)
    return count(), native.ticks() > 0


three_moments(read_and_write)
native.tick(0, 0)
