"""Holders across the boundary of our own runtime: exact, because its objects report them."""

from __future__ import annotations

import gc
import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from inspector.agent.boundary import ForeignObject, Reach
from inspector.agent.plain import is_a
from inspector.runtime.foreign import FOREIGN
from inspector.runtime.handles import Handle
from inspector.wire import ffi, lib
from inspector.wire.text import take_buffer

CLASSES_AT_ONCE: Final = 4
"""Classes of one walk through the heap: it takes longer with each."""
PLACE: Final = 1
"""The first half of our keys: there is one map of foreign objects."""


class OwnBoundary:
    """Proxies of ``inspector.runtime`` and the objects in its map. Holds nothing."""

    __slots__ = ()

    def python_object(self, row: int) -> object | None:
        """The proxy that owns a handle, or a foreign object by its row."""
        key = _foreign_key(row)
        if key:
            return FOREIGN._objects.get(key)
        return next(
            (proxy for proxy in live_proxies() if proxy._is_owned and proxy.handle == row), None
        )

    def foreign_objects(self) -> Sequence[ForeignObject]:
        """The foreign objects that native code holds now."""
        held = FOREIGN._objects.copy()
        return [
            ForeignObject((PLACE, key), thing, f"foreign object {key}", 0)
            for key, thing in held.items()
        ]

    def places(self) -> Mapping[int, str]:
        """The map of foreign objects."""
        return {id(FOREIGN._objects): "a listener that native code calls back"}

    def proxy_row(self, thing: object) -> int:
        """The handle of a live proxy."""
        if not is_a(thing, Handle):
            return 0
        proxy = cast(Handle, thing)
        return proxy.handle if getattr(proxy, "_is_owned", False) else 0

    def reaches(self, proxy: object) -> Sequence[Reach]:
        """Foreign objects that the object behind a proxy leads to, each by the shortest way."""
        edges = native_edges(self.proxy_row(proxy))
        if not edges:
            return []
        by_holder: dict[int, list[dict[str, Any]]] = {}
        for edge in edges:
            by_holder.setdefault(edge["from"], []).append(edge)
        found: dict[int, Reach] = {}
        start = edges[0]["from"]
        waiting: deque[tuple[int, tuple[str, ...]]] = deque([(start, ())])
        seen = {start}
        while waiting:
            address, steps = waiting.popleft()
            for edge in by_holder.get(address, ()):
                taken: tuple[str, ...] = (*steps, f"{edge['from_type']}.{edge['label']}")
                key, target = (
                    _foreign_key(edge["to"].get("foreign", 0)),
                    edge["to"].get("address", 0),
                )
                if key:
                    found.setdefault(key, Reach((PLACE, key), taken, is_exact=True))
                elif target and target not in seen:
                    seen.add(target)
                    waiting.append((target, taken))
        return list(found.values())


def native_edges(row: int) -> list[dict[str, Any]]:
    """Objects that the object of a handle holds, its own edges first."""
    buffer = ffi.new("AiBuffer *")
    if lib.ai_edges(row, buffer, ffi.NULL):
        return []
    edges: list[dict[str, Any]] = json.loads(take_buffer(buffer))["edges"]
    return edges


def live_proxies() -> list[Handle]:
    """All proxies, by the type that each refers to.

    Hands out nothing but referrers of the classes, so nothing else is held meanwhile.
    """
    classes = _classes(Handle)
    found: list[Handle] = []
    for start in range(0, len(classes), CLASSES_AT_ONCE):
        referrers = gc.get_referrers(*classes[start : start + CLASSES_AT_ONCE])
        found += [each for each in referrers if type(each) in classes]
    return found


def _classes(cls: type[Handle]) -> list[type[Handle]]:
    """A class and all that derive from it."""
    found = [cls]
    for each in found:
        found += [sub for sub in type.__subclasses__(each) if sub not in found]
    return found


def _foreign_key(row: int) -> int:
    """The key of a foreign object by its row; 0: it is none of ours, or went."""
    key = ffi.new("uint64_t *")
    return 0 if not row or lib.ai_foreign_key(row, key, ffi.NULL) else int(key[0])
