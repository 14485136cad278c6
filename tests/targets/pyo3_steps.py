"""A program over Rust extension modules that knows nothing of the inspector.

``pyo3_steps.py FOLDER...``: rpds, rustworkx and cryptography-like packages lie in the folders.
Stepped by lines on stdin as ``stepping`` does. Nothing of the project is imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

sys.path[:0] = sys.argv[1:]
KEPT: dict[str, list[Any]] = {}


def make(dotted: str, count: str) -> None:
    """Objects of a class that is called without arguments."""
    module, _, name = dotted.rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    KEPT.setdefault(dotted, []).extend(cls() for _ in range(int(count)))


def returned(dotted: str, count: str) -> None:
    """Objects that a method of such a class returns; the objects that it is called on die."""
    module, _, name = dotted.rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    KEPT.setdefault(dotted, []).extend(cls().insert("a", at) for at in range(int(count)))


def derive(dotted: str, count: str) -> None:
    """Objects of a class that the program derives."""
    module, _, name = dotted.rpartition(".")
    cls = type("Derived", (getattr(importlib.import_module(module), name),), {})
    KEPT.setdefault(dotted, []).extend(cls() for _ in range(int(count)))


def churn(dotted: str, count: str) -> None:
    """Objects that die at once: their remains lie in memory."""
    module, _, name = dotted.rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    some = [cls() for _ in range(int(count))]
    words = [memoryview(bytes(64)) for _ in range(100)]
    del some, words


def mention(dotted: str, count: str) -> None:
    """Tuples, lists and dicts that begin with the class of the first object, or that class."""
    module, _, name = dotted.rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    kinds = {cls, *map(type, KEPT.get(dotted, ()))}
    for kind in kinds:
        for at in range(int(count)):
            rest = tuple(range(1000, 1000 + at % 12))
            KEPT.setdefault("mentions", []).extend(((kind, *rest), [kind, *rest], {kind: at}))


def drop(dotted: str, count: str) -> None:
    """The first of the objects go."""
    del KEPT[dotted][: int(count)]


def load(name: str) -> None:
    """Import a module."""
    importlib.import_module(name)


STEPS = {step.__name__: step for step in (make, returned, derive, mention, churn, drop, load)}

print("ready", json.dumps({"pid": os.getpid()}), flush=True)
for line in sys.stdin:
    step, *arguments = line.split()
    STEPS[step](*arguments)
    print(step, "null", flush=True)
