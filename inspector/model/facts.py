"""Facts of a frozen value that take a look at all its rows, each computed once.

A snapshot computes them on the thread that needs them first. The window has them computed on the
session's thread, so that its own thread only looks them up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

T = TypeVar("T")


class WithFacts:
    """A frozen value that remembers facts computed from it. Any thread.

    Two threads that ask at once may both compute; the results are equal.
    """

    __slots__ = ("_facts",)
    _facts: dict[Callable[[Any], Any], Any]

    def fact(self, compute: Callable[[Self], T]) -> T:
        """The result of ``compute`` for this value, computed once."""
        try:
            facts = self._facts
        except AttributeError:
            facts = {}
            object.__setattr__(self, "_facts", facts)
        if compute not in facts:
            facts[compute] = compute(self)
        found: T = facts[compute]
        return found
