"""Makes objects of one Rust extension package, and drops them one at a time.

``whatif_steps.py PACKAGE FOLDER...``; the makers are those of ``pyo3_packages``. Stepped by lines.
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

from tests.targets.pyo3_packages import MAKERS
from tests.targets.stepping import serve

OBJECTS: dict[int, Any] = {}
REFERENCES = 2
"""That ``getrefcount`` counts when the table alone holds an object: the table and the argument."""


def make(count: str) -> list[int]:
    """Objects that only the table holds; their addresses."""
    name = sys.argv[1]
    module = importlib.import_module(name)
    for number in range(int(count)):
        OBJECTS.update((id(thing), thing) for thing in MAKERS[name](module, number)[1])
    gc.collect()
    return [place for place in OBJECTS if sys.getrefcount(OBJECTS[place]) == REFERENCES]


def drop(place: str) -> None:
    """One object ends."""
    del OBJECTS[int(place)]


if __name__ == "__main__":
    sys.path[:0] = sys.argv[2:]
    gc.disable()
    serve({"make": make, "drop": drop}, forget=OBJECTS.clear)
