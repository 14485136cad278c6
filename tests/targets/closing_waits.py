"""A target whose closing methods do not return until they are let.

``begin KIND`` calls a method on a thread of that name, ``let KIND`` lets it end: ``context``:
``zmq.Context.term`` with an open socket; ``session``: a method written in Python; ``buffer``: of a
class of a ctypes library; ``failing``: a method that raises in the end.

With the word ``late`` the methods of ``LATE`` run before the agent starts.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import zmq
from stepping import serve

from inspector import agent

LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
LIBC.free.argtypes = [ctypes.c_void_p]
LET = {kind: threading.Event() for kind in ("session", "buffer", "failing")}


class Session:
    """Waits in ``close``."""

    kind = "session"

    def __init__(self) -> None:
        self.handle: int | None = 7

    def close(self) -> None:
        LET[self.kind].wait()
        self.handle = None


class Failing(Session):
    """Raises in ``close`` and stays open."""

    kind = "failing"

    def close(self) -> None:
        LET[self.kind].wait()
        raise OSError("as it would without us")


class Buffer:
    """Waits before it frees."""

    def __init__(self) -> None:
        self.address: int | None = LIBC.malloc(8)

    def close(self) -> None:
        LET["buffer"].wait()
        LIBC.free(self.address)
        self.address = None


DECLARED = """
adapters = ["zmq"]
[[proxy]]
class = "__main__.Session"
handle = "handle"
close = "close"
[[proxy]]
class = "__main__.Failing"
handle = "handle"
close = "close"
[[proxy]]
class = "__main__.Buffer"
handle = "address"
library = "__main__.LIBC"
creates = ["malloc"]
frees = ["free"]
close = "close"
"""
LATE = ("context", "session", "failing")
KEPT: dict[str, Any] = {}
THREADS: list[threading.Thread] = []


def make() -> None:
    KEPT.update(context=zmq.Context(), session=Session(), failing=Failing(), buffer=Buffer())
    KEPT["socket"] = KEPT["context"].socket(zmq.REQ)
    KEPT["socket"].connect("ipc://nobody-here.sock")
    KEPT["socket"].send(b"?")
    # of a context that does not close, so that no close waits for it
    KEPT["other"] = zmq.Context()
    KEPT["other socket"] = KEPT["other"].socket(zmq.REQ)


def close(kind: str) -> None:
    try:
        KEPT[kind].term() if kind == "context" else KEPT[kind].close()
    except OSError:
        return


def begin(kind: str) -> None:
    thread = threading.Thread(target=close, args=(kind,), name=kind)
    THREADS.append(thread)
    thread.start()


def has_begun(thread: threading.Thread) -> bool:
    """Whether a thread is in the closing method."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None and frame.f_code.co_qualname not in (
        "Context.term",
        "Session.close",
        "Failing.close",
    ):
        frame = frame.f_back
    return frame is not None


def begin_late() -> None:
    for kind in LATE:
        begin(kind)
    while not all(map(has_begun, THREADS)):
        time.sleep(0)


def let(kind: str) -> None:
    if kind == "context":
        KEPT["socket"].close(linger=0)
    else:
        LET[kind].set()
    next(thread for thread in THREADS if thread.name == kind).join()


def forget() -> None:
    for socket, context in (("socket", "context"), ("other socket", "other")):
        KEPT.pop(socket).close(linger=0)
        KEPT.pop(context).term()
    KEPT.clear()
    agent.stop()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(DECLARED)
    os.environ["ARC_INSPECTOR_ADAPTERS"] = sys.argv[1]
    make_late = "late" in sys.argv
    if make_late:
        make()
        begin_late()
    segment = agent.start("stacks")
    if not make_late:
        make()
    serve({"begin": begin, "let": let}, forget=forget, segment=segment)
