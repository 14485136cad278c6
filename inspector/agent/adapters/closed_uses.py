"""Uses of objects after their close, each with its place and the place of the close.

The program's libraries refuse such a use or carry it out; nothing is refused here. Calls come from
any thread of the program. Nothing of the program is kept: a closed object is referred to weakly.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

MOST_CLOSED: Final = 10_000
"""Closed objects whose place of the close is remembered; the oldest are forgotten first."""
MOST_PLACES: Final = 200
"""Different uses that are told apart."""
MOST_OBJECTS: Final = 20
"""Objects of one use that are named."""


class _Closed(NamedTuple):
    """A closed object that lives."""

    reference: weakref.ref[Any]
    row: int
    site: int
    """The site of the close; 0: not known."""


class _Use:
    """Uses by one method at one place."""

    __slots__ = ("count", "rows")

    def __init__(self) -> None:
        self.count = 0
        self.rows: dict[int, None] = {}


class ClosedUses:
    """The uses after close of one class's objects."""

    def __init__(self, name: str) -> None:
        """``name``: of the class, as its rows have it."""
        self._name = name
        self._closed: dict[int, _Closed] = {}
        self._uses: dict[tuple[str, int, int], _Use] = {}
        self._lock = threading.RLock()  # taken again by a finaliser that runs meanwhile

    def closed(self, thing: object, *, key: int, row: int, site: int) -> None:
        """An object was closed at a site. ``key`` names it as long as it lives."""
        try:
            reference = weakref.ref(thing, functools.partial(self._gone, key))
        except TypeError:  # it cannot be referred to weakly, so its end would not be seen
            return
        with self._lock:
            while len(self._closed) >= MOST_CLOSED:
                self._closed.pop(next(iter(self._closed)))
            self._closed[key] = _Closed(reference, row, site)

    def opened(self, key: int) -> None:
        """An object is open again."""
        with self._lock:
            self._closed.pop(key, None)

    def is_closed(self, key: int) -> bool:
        """Whether the object with this key was seen to be closed. Cheap."""
        return key in self._closed

    def used(self, key: int, method: str, *, row: int, site: int) -> None:
        """A closed object was used by a method at a site; ``row``: where its close was not seen."""
        with self._lock:
            closed = self._closed.get(key)
            place = method, site, 0 if closed is None else closed.site
            if place not in self._uses and len(self._uses) >= MOST_PLACES:
                place = "other methods", 0, 0
            use = self._uses.setdefault(place, _Use())
            use.count += 1
            number = row if closed is None else closed.row
            if number and len(use.rows) < MOST_OBJECTS:
                use.rows[number] = None

    def told(self) -> list[dict[str, Any]]:
        """All uses, for a viewer."""
        with self._lock:
            return [
                {
                    "type": self._name,
                    "method": method,
                    "count": use.count,
                    "used_site": used,
                    "closed_site": closed,
                    "handles": list(use.rows),
                }
                for (method, used, closed), use in self._uses.items()
            ]

    def forget(self) -> None:
        """Follow no object any more; the uses stay."""
        with self._lock:
            self._closed.clear()

    def _gone(self, key: int, reference: weakref.ref[Any]) -> None:
        with self._lock:
            known = self._closed.get(key)
            if known is not None and known.reference is reference:
                del self._closed[key]


def all_told(uses: Sequence[ClosedUses]) -> list[dict[str, Any]]:
    """The uses of several classes, for a viewer."""
    return [told for each in uses for told in each.told()]
