"""A target whose declared classes are born where no hook sees it.

Each step ``make KIND NUMBER`` keeps so many more: ``__new__`` and then the attribute,
``copy.copy``, and a factory in native code (``ctypes.Structure.from_buffer_copy``), beside
``seen``, which calls the constructor.
"""

from __future__ import annotations

import copy
import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from stepping import serve

from inspector import agent


class Frame:
    """Wraps a handle; most are made without the constructor."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    @classmethod
    def wrap(cls, inner: object) -> Self:
        self = cls.__new__(cls)
        self.inner = inner
        return self


class Point(ctypes.Structure):
    """Native code makes it from bytes."""

    _fields_ = (("x", ctypes.c_int64),)


DECLARED = """
[[proxy]]
class = "__main__.Frame"
handle = "inner"
[[proxy]]
class = "__main__.Point"
"""
FIRST = Frame(object())
KINDS: dict[str, Callable[[], Any]] = {
    "new": lambda: Frame.wrap(object()),
    "copy": lambda: copy.copy(FIRST),
    "native": lambda: Point.from_buffer_copy(bytes(8)),
    "seen": lambda: Frame(object()),
}
KEPT: list[Any] = []


def make(kind: str, number: str) -> None:
    KEPT.extend(KINDS[kind]() for _ in range(int(number)))


def forget() -> None:
    global FIRST  # the only instance outside the list
    KEPT.clear()
    FIRST = None  # type: ignore[assignment]  # its row goes with it


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(DECLARED)
    os.environ["ARC_INSPECTOR_ADAPTERS"] = sys.argv[1]
    serve({"make": make}, forget=forget, segment=agent.start("stacks"))
