"""Holders across UniFFI's boundary, as far as they can be known.

A generated module keeps each Python object that Rust holds in a handle map; that part is exact. A
Rust object cannot be asked for the objects it holds: its memory is scanned for their handles
(``native/crates/objects/src/edges/scan.rs``), and the result is marked as such. Worker thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from inspector.agent.adapters.uniffi.foreign import ForeignRows
from inspector.agent.adapters.uniffi.proxies import live_proxies
from inspector.agent.adapters.uniffi.rows import ProxyRows
from inspector.agent.boundary import ForeignObject, Reach
from inspector.wire import ffi, lib

if TYPE_CHECKING:
    from inspector.agent.adapters.uniffi.bindings import Bindings

MOST_FOUND: Final = 256
"""Handles that one object leads to and that are told."""


class UniffiBoundary:
    """Asks the rows of the modules that are followed. Holds nothing itself."""

    __slots__ = ("_followed",)

    def __init__(self, followed: Callable[[], Sequence[Bindings]]) -> None:
        """``followed`` gives the modules of now."""
        self._followed = followed

    def python_object(self, row: int) -> object | None:
        """The proxy of a row, or the Python object that Rust holds."""
        for bindings in self._followed():
            if row in bindings.foreign:
                found: object | None = bindings.foreign.entry(row)
                return found
            for rows in bindings.proxies:
                if row in rows:
                    return _proxy(rows, row)
        return None

    def foreign_objects(self) -> Sequence[ForeignObject]:
        """The Python objects that Rust holds now."""
        found = []
        for bindings in self._followed():
            for (place, handle), thing, row in bindings.foreign.held():
                text = f"handle {handle} of {type(thing).__qualname__}"
                found.append(ForeignObject((place, handle), thing, text, row))
        return found

    def places(self) -> Mapping[int, str]:
        """The handle maps' dicts."""
        return {
            place: name
            for bindings in self._followed()
            for place, name in bindings.foreign.places().items()
        }

    def proxy_row(self, thing: object) -> int:
        """The row of a live proxy, by its exact type."""
        cls = type(thing)
        for bindings in self._followed():
            for rows in bindings.proxies:
                if rows.proxy_class.cls in cls.__mro__:
                    return rows.row_of(thing)
        return 0

    def reaches(self, proxy: object) -> Sequence[Reach]:
        """Python objects that the Rust object behind a proxy may lead to."""
        for bindings in self._followed():
            for rows in bindings.proxies:
                if rows.row_of(proxy) and rows.proxy_class.cls in type(proxy).__mro__:
                    return _scanned(rows.address_of(proxy), bindings.foreign)
        return []


def _proxy(rows: ProxyRows, row: int) -> object | None:
    """The live proxy of a row; ``None`` when it went."""
    place = rows.proxy_id(row)
    alive = (
        reference()
        for _, references in live_proxies([rows.proxy_class])
        for reference in references
    )
    return next((proxy for proxy in alive if proxy is not None and id(proxy) == place), None)


def _scanned(address: int, foreign: ForeignRows) -> list[Reach]:
    """The finds of a scan of an object's memory."""
    keys = {key[1]: key for key, _, _ in foreign.held()}
    if not address or not keys:
        return []
    out = ffi.new("AiScannedHandle[]", MOST_FOUND)
    found = lib.ai_scan(address, ffi.new("uint64_t[]", list(keys)), len(keys), out, MOST_FOUND)
    return [
        _reach(keys[out[place].handle], out[place].hops) for place in range(min(found, MOST_FOUND))
    ]


def _reach(key: tuple[int, int], hops: int) -> Reach:
    return Reach(key, (f"≈ {hops} pointer{'s' if hops > 1 else ''} away",), is_exact=False)
