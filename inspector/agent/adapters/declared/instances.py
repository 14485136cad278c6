"""Finds the live instances of classes, including instances older than the agent.

Worker thread; each step is at most one walk through the heap.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import compress, repeat
from operator import is_
from typing import Any, Final

from inspector.agent.adapters.classes import closure

GC_FLAG: Final = 1 << 14
"""``Py_TPFLAGS_HAVE_GC``: the collector knows the instances."""
GENERATIONS: Final = (0, 1, 2)

Reference = Callable[[], Any]


def references(classes: Sequence[type]) -> Iterator[list[Reference]]:
    """References to the instances of these classes and their subclasses, by generation.

    Weak references where there is room for them: an instance that the program releases meanwhile
    must not wait for the scan, nor its finaliser run on this thread. Instances that the collector
    does not know are not found; they have rows from their birth, if that is seen.
    """
    wanted = {cls for each in classes for cls in closure(each) if cls.__flags__ & GC_FLAG}
    if wanted:
        for generation in GENERATIONS:
            yield [refer(each) for each in _of(gc.get_objects(generation=generation), wanted)]


def refer(instance: Any) -> Reference:
    """A weak reference where there is room for it."""
    return (
        weakref.ref(instance)
        if type(instance).__weakrefoffset__
        else partial(next, repeat(instance))
    )


def _of(objects: Sequence[Any], wanted: set[type]) -> list[Any]:
    """By exact class, in C: ``isinstance`` would run code of metaclasses."""
    found: list[Any] = []
    for cls in set(map(type, objects)).intersection(wanted):
        found += compress(objects, map(is_, map(type, objects), repeat(cls)))
    return found
