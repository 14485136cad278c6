"""A program whose memory grows: ``memory_growth.py objects|allocator``.

It makes ten objects of a Rust extension every 10 ms, or as much memory without an object.
"""

from __future__ import annotations

import json
import os
import sys
import time

import rpds

from inspector import agent

BYTES = 40 << 10

segment = agent.start("count")
makes_objects = sys.argv[1] == "objects"
kept: list[object] = [rpds.List([1])]
print("ready", json.dumps({"pid": os.getpid(), "segment": str(segment)}), flush=True)
while len(kept) < 20_000:
    for _ in range(10):
        some = b"x" * BYTES
        kept.append(rpds.List([some]) if makes_objects else some)
    time.sleep(0.01)
