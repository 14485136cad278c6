"""A target whose main thread holds the interpreter's lock.

``hold SECS`` sleeps in C without giving it up, until a SIGUSR1.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading

from stepping import serve

from inspector import agent
from inspector.runtime import TodoItem

KEPT: list[TodoItem] = []


def item() -> int:
    KEPT.append(TodoItem("kept"))
    return int(KEPT[-1].handle)


def hold(secs: str) -> int:
    print("holding", flush=True)
    return int(ctypes.PyDLL(None).sleep(int(secs)))


if __name__ == "__main__":
    # a thread that touches no handle
    threading.Thread(target=threading.Event().wait, name="waiting", daemon=True).start()
    signal.signal(signal.SIGUSR1, lambda _number, _frame: None)
    serve(
        {"item": item, "hold": hold},
        segment=str(agent.start(sys.argv[1] if len(sys.argv) > 1 else "history")),
    )
