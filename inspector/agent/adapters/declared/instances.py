"""Finds the live instances of classes, those made before anybody looked. Worker thread; each step is at most one walk through the heap."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Sequence
from itertools import compress, repeat
from operator import is_
from typing import Any, Final

from inspector.agent.adapters.uniffi.proxies import closure

GC_FLAG: Final = 1 << 14
"""``Py_TPFLAGS_HAVE_GC``: the collector knows the instances."""
ALL: Final = (0, 1, 2)
YOUNG: Final = (0, 1)
"""Generations that a full collection has not seen; walking them is quick."""

Reference = weakref.ref[Any]


def references(classes: Sequence[type], generations: Sequence[int] = ALL) -> Iterator[list[Reference]]:
    """Weak references to the instances of these classes and of what is derived from them, one list a generation.

    What lets go of an instance meanwhile must not wait for the scan, nor its finaliser run on this thread: so none is held between steps.
    """
    wanted = {cls for each in classes for cls in closure(each) if can_be_found(cls)}
    if wanted:
        for generation in generations:
            yield [weakref.ref(each) for each in _of(gc.get_objects(generation=generation), wanted)]


def can_be_found(cls: type) -> bool:
    """Whether instances that nobody saw being made are found: the collector knows them, and they can be referred to weakly."""
    return bool(cls.__flags__ & GC_FLAG) and cls.__weakrefoffset__ > 0


def _of(objects: Sequence[Any], wanted: set[type]) -> list[Any]:
    """By exact class, in C: ``isinstance`` would run code of metaclasses."""
    found: list[Any] = []
    for cls in set(map(type, objects)).intersection(wanted):
        found += compress(objects, map(is_, map(type, objects), repeat(cls)))
    return found
