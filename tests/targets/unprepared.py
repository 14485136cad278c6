"""A program that knows nothing of the inspector: works until its stdin ends.

``unprepared.py KIND``: ``idle`` waits for stdin; ``sleep`` sleeps in short bits; ``lock`` has its
main thread wait for a lock; ``busy`` counts on four threads; ``malloc`` allocates outside of
Python; ``dlopen`` loads and unloads libraries; ``poll`` polls with asyncio; ``small`` sleeps, and
has small stacks set for its threads.
"""

import ctypes
import json
import os
import sys
import threading
import time

stop = threading.Event()


def until_stdin_ends():
    while os.read(0, 4096):
        pass
    stop.set()


def busy():
    """Four threads compute a sum whose value is known."""
    sums = []

    def count():
        total, rounds = 0, 0
        while not rounds or not stop.is_set():
            total = sum(i * i for i in range(2000))
            rounds += 1
        sums.append((total, rounds))

    run_all([count] * 4)
    return {"right": all(total == 2664667000 for total, _ in sums) and len(sums) == 4}


def malloc():
    """Large and small blocks from the C library itself."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]

    def churn():
        while not stop.is_set():
            blocks = [libc.malloc(ctypes.c_size_t(size)) for size in (24, 700, 5000, 90000, 300000)]
            for block in blocks:
                libc.free(block)

    run_all([churn] * 3)
    return {"right": True}


def dlopen():
    """Loads and unloads libraries."""
    libdl = ctypes.CDLL(None)
    libdl.dlopen.restype = ctypes.c_void_p
    libdl.dlclose.argtypes = [ctypes.c_void_p]

    def load():
        while not stop.is_set():
            handle = libdl.dlopen(b"libutil.so.1", 2)
            if handle:
                libdl.dlclose(handle)

    run_all([load] * 2)
    return {"right": True}


def run_all(bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def sleep():
    while not stop.is_set():
        time.sleep(0.2)
    return {"right": True}


def small():
    """Has set small stacks for its threads; CPython 3.14 takes no smaller stacks."""
    threading.stack_size(64 << 10)
    sleep()
    return {"right": threading.stack_size() == 64 << 10}


def lock():
    stop.wait()
    return {"right": True}


def poll():
    import asyncio

    async def wait():
        while not stop.is_set():
            await asyncio.sleep(0.05)

    asyncio.run(wait())
    return {"right": True}


def idle():
    until_stdin_ends()
    return {"right": True}


def main():
    kind = sys.argv[1]
    names = set(globals())
    if kind != "idle":
        threading.Thread(target=until_stdin_ends, daemon=True).start()
    print("ready", json.dumps({"pid": os.getpid()}), flush=True)
    outcome = globals()[kind]()
    outcome["names"] = sorted(globals().keys() - names)
    outcome["finders"] = len(sys.meta_path)
    outcome["inspector"] = sum(name.partition(".")[0] == "inspector" for name in sys.modules)
    outcome["backend"] = "_cffi_backend" in sys.modules
    print("done", json.dumps(outcome), flush=True)


main()
