"""Proxies that live on after their finaliser released their handle.

The program called ``obj.__del__()``, or a finaliser brought the proxy back.

Each use of such a proxy touches memory that may be freed, and its next finaliser frees it again.
When a finaliser returns, the proxy may still be referred to for good reasons: a subclass's own
finaliser runs on, or a collection frees it a moment later. So it gets a row when a later look still
finds it.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

MOST_WAITING: Final = 10_000
"""Proxies that are looked after at once: 2 MB."""
LOOKS_BEFORE: Final = 1
"""Looks that find a proxy alive before the one that gives it a row."""


class Freed:
    """A proxy whose finaliser has run."""

    __slots__ = ("handle", "looks", "proxy", "row")

    def __init__(self, proxy: weakref.ref[Any], handle: int) -> None:
        """No look has found it alive yet."""
        self.proxy = proxy
        self.handle = handle
        self.looks = 0
        self.row = 0
        """0: it has none yet."""


class FreedProxies:
    """The proxies of one class. ``add`` comes from any thread, the rest from the agent's."""

    def __init__(self, native: Any, attribute: str) -> None:
        """``native``: the rows of the class.

        ``attribute``: the proxies' attribute that keeps the handle.
        """
        self._native = native
        self._attribute = attribute
        self._freed: dict[int, Freed] = {}

    def add(self, proxy: Any, handle: int) -> None:
        """Look after a proxy; without a weak reference, or beyond the limit, it is forgotten."""
        key = id(proxy)
        try:
            if handle and len(self._freed) < MOST_WAITING:
                self._freed[key] = Freed(weakref.ref(proxy), handle)
                return
        except TypeError:
            pass
        self._native.left(key)

    def settle(self) -> None:
        """Look at each proxy: it gets a row while it lives with its handle."""
        for key, freed in list(self._freed.items()):
            if not self._settle(key, freed) and self._freed.get(key) is freed:
                del self._freed[key]

    def clear(self) -> None:
        """Forget all."""
        self._freed.clear()

    def _settle(self, key: int, freed: Freed) -> bool:
        """Whether the proxy is to be looked after further on."""
        if handle_of(freed.proxy(), self._attribute) != freed.handle:
            if freed.row:
                self._native.lost(key, freed.row)
            else:
                self._native.left(key)
            return False
        if not freed.row and freed.looks >= LOOKS_BEFORE:
            # the exit report may look at the same time
            freed.row = self._native.freed(key, freed.handle) or freed.row
        freed.looks += 1
        return True


def handle_of(proxy: Any, attribute: str) -> int:
    """The handle that a proxy keeps; 0: it has none. Runs no code of the program."""
    try:
        found = object.__getattribute__(proxy, attribute)
    except AttributeError:
        return 0
    return found if type(found) is int else 0
