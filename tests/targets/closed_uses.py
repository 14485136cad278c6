"""A target whose objects are used after their close, and objects that are used as they should be.

``close NAME`` closes, ``use NAME`` calls a method; both answer with their line.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import Any

import zmq
from stepping import serve

from inspector import agent

KEPT: dict[str, Any] = {}


class Plain:
    """Written in Python; its close opens nothing, and ``open`` does."""

    def __init__(self) -> None:
        self.handle: int | None = 7

    def close(self) -> None:
        self.flush()  # its own use of itself is no use by the program
        self.handle = None
        self.flush()

    def flush(self) -> int:
        return 0 if self.handle is None else 1

    def open(self) -> None:
        self.handle = 8

    async def send(self) -> None:
        pass

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        self.handle = None


class Derived(Plain):
    """The program's own class."""


DECLARED = """
adapters = ["zmq", "socket"]
[[proxy]]
class = "__main__.Plain"
handle = "handle"
close = "close"
watch = ["open"]
"""
USES = {"plain": "flush", "derived": "flush", "zmq": "getsockopt", "socket": "getpeername"}


def use_of(thing: Any, name: str) -> Any:
    arguments = (zmq.TYPE,) if name == "getsockopt" else ()
    return getattr(thing, name)(*arguments)


def make() -> None:
    KEPT.update(
        plain=Plain(),
        derived=Derived(),
        zmq=zmq.Context.instance().socket(zmq.REQ),
        socket=socket.socketpair()[0],
    )


def close(name: str) -> int:
    KEPT[name].close()
    return sys._getframe().f_lineno - 1


def leave(name: str) -> int:
    with KEPT[name]:
        pass
    return sys._getframe().f_lineno - 2


def use(name: str) -> int:
    with contextlib.suppress(OSError, zmq.ZMQError):
        use_of(KEPT[name], USES[name])
    return use_of.__code__.co_firstlineno + 2


def reopen(name: str) -> None:
    KEPT[name].open()


def attributes() -> dict[str, int]:
    """Identity of each attribute that a hook could replace."""
    classes = (Plain, zmq.Socket, socket.socket)
    return {f"{cls}.{name}": id(value) for cls in classes for name, value in vars(cls).items()}


def forget() -> None:
    for each in KEPT.values():
        each.close()
    KEPT.clear()
    zmq.Context.instance().term()
    agent.stop()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(DECLARED)
    os.environ["ARC_INSPECTOR_ADAPTERS"] = sys.argv[1]
    before = attributes()
    segment = agent.start("stacks")
    steps = (make, close, leave, use, reopen)
    serve(
        {step.__name__: step for step in steps}
        | {"stop": agent.stop, "is_as_before": lambda: attributes() == before},
        forget=forget,
        segment=segment,
    )
