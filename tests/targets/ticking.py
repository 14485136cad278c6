"""An unprepared program that measures how long its threads stand still: ``ticking.py LIBRARY``.

Two threads wake every fifth of a millisecond and keep the longest that they were late: one in
native code, which needs no lock, one in Python, which needs the interpreter's. Each line of stdin
is answered with both, in seconds, since the line before.
"""

import ctypes
import json
import os
import sys
import threading
import time

EVERY_NANOS = 200_000


class Ticking:
    longest = 0

    def run(self):
        last = time.perf_counter_ns()
        while True:
            time.sleep(EVERY_NANOS / 1e9)
            at = time.perf_counter_ns()
            self.longest = max(self.longest, at - last - EVERY_NANOS)
            last = at

    def take(self):
        longest, self.longest = self.longest, 0
        return longest / 1e9


native = ctypes.CDLL(sys.argv[1])
native.take.restype = ctypes.c_uint64
ticking = Ticking()
threading.Thread(target=native.tick, args=(ctypes.c_uint64(EVERY_NANOS),), daemon=True).start()
threading.Thread(target=ticking.run, daemon=True).start()
print("ready", json.dumps({"pid": os.getpid()}), flush=True)
for _ in sys.stdin:
    print("take", json.dumps({"native": native.take() / 1e9, "python": ticking.take()}), flush=True)
os._exit(0)
