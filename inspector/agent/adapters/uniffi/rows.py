"""The rows of one proxy class: a row for each live proxy, from its birth (or the scan that found it) to its release.

Proxies are known by ``id``, never referred to. All calls may come from any thread at any time, also from a finaliser that runs
in the middle of another call here; so there is no lock, and each step is one dictionary operation, which is atomic.

*Address* is the object's allocation, so proxies of one object share it. For a trait it is the inner ``Arc``'s: the counts shown are
those of the implementing object. Each value that crossed the boundary has an outer ``Arc`` of its own, which holds one of
the inner's strong counts; so ``strong - proxies`` is what native code holds, for traits as for objects. What the outer ``Arc`` alone
counts (a clone in transit, or leaked by a call that failed to lower) shows in neither.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from typing import Any, Final

from inspector.agent.adapters.uniffi.layout import data_offset, likely_offset, trait_address
from inspector.agent.adapters.uniffi.proxies import ProxyClass, Reference
from inspector.agent.adapters.uniffi.recorder import Recorder, load_word
from inspector.runtime.sites import SiteTable
from inspector.wire.schema import SITE_FRAMES, Kind, Level, ReferenceState

HISTORY: Final = int(Level.HISTORY)
"""As a plain number: comparing with a member costs 80 ns, a third of all that a birth costs here."""
OUTER_OFFSET: Final = 16
"""Bytes from the start of a trait's outer ``Arc`` to the pair that it holds."""
LEAVING: Final = -1
"""Stands for the row of a proxy while its finaliser runs."""
CALIBRATIONS: Final = 64
"""Proxies that are tried before a class's layout is called unknown."""


class ProxyRows:
    """The rows of one proxy class. A row that found no room is 0."""

    def __init__(self, proxy_class: ProxyClass, recorder: Recorder, sites: SiteTable) -> None:
        """Looks at no proxy, and names the type to the recorder only with its first row: packages have types that nobody uses."""
        self.proxy_class = proxy_class
        self.offset: int | None = None
        """Bytes from an object's allocation to its data; ``None`` until the first proxy told it, and always for a trait."""
        self._cls = proxy_class.cls
        self._is_trait = proxy_class.kind == Kind.UNIFFI_TRAIT
        self._attribute = proxy_class.shape.handle_attribute
        self._recorder = recorder
        self._level, self._add, self._end_counted = recorder.level, recorder.add, recorder.end_counted
        self._sites = sites
        self._type_index = 0
        self._rows: dict[int, int] = {}
        self._watched: dict[int, weakref.ref[Any]] = {}
        self._unplaced: dict[int, int] = {}
        self._calibrations_left = CALIBRATIONS

    def __len__(self) -> int:
        """Proxies that are known."""
        return len(self._rows)

    def __contains__(self, row: int) -> bool:
        """Whether the row is of a live proxy of this class."""
        return row > 0 and row in self._rows.values()

    def proxy_id(self, row: int) -> int | None:
        """``id`` of the proxy that a row stands for."""
        return next((key for key, known in list(self._rows.items()) if known == row), None)

    def row_of(self, proxy: object) -> int:
        """The row of a live proxy; 0: it has none, or goes just now."""
        return max(self._rows.get(id(proxy), 0), 0)

    def address_of(self, proxy: Any) -> int:
        """The allocation behind a proxy of the class; 0 when it has no handle, or its layout is not known."""
        handle = getattr(proxy, self._attribute, None)
        return self._address(proxy, handle) if handle else 0

    def born(self, proxy: Any) -> None:
        """A proxy was made now, on this thread. One whose construction gave it no handle has no row."""
        level = self._level()
        handle = getattr(proxy, self._attribute, None)
        if not level or handle is None:
            return
        offset = self.offset
        address = self._address(proxy, handle) if offset is None else handle - offset
        site = 0 if level < HISTORY else self._sites.here(1 if level == HISTORY else SITE_FRAMES)
        row = self._add(self._type_index or self._name_type(), address, handle, site)
        key = id(proxy)
        known = self._rows.setdefault(key, row)
        if known is not row:
            self._supersede(key, known, row)
        if not address:
            self._unplaced[row] = handle
        if type(proxy) is not self._cls:
            self._watch(proxy, key)
        if self._level is _off:
            self.clear()  # a detach on another thread came between

    def gone(self, proxy: Any) -> None:
        """A proxy's finaliser runs: its reference is about to be released. Called before the library's own code, ``left`` after it."""
        key = id(proxy)
        row = self._rows.get(key, 0)
        self._rows[key] = LEAVING
        if row <= 0:
            return
        if self._watched:
            self._watched.pop(key, None)
        if self._unplaced:
            self._unplaced.pop(row, None)
        handle, offset = getattr(proxy, self._attribute, None), self.offset
        if offset is None or handle is None:
            self._recorder.end(row, self._state_after_release(handle))
        else:
            self._end_counted(row, handle - offset)

    def left(self, proxy: Any) -> None:
        """The finaliser of a proxy has run."""
        self._rows.pop(id(proxy), None)

    def adopt(self, references: Sequence[Reference]) -> int:
        """Rows for proxies that have none yet, their birth unknown; answers how many. Holds the proxies meanwhile."""
        proxies = [proxy for reference in references if (proxy := reference()) is not None]
        fresh = [(proxy, handle) for proxy in proxies if (handle := self._unknown_handle(proxy)) is not None]
        if not fresh or not self._level():
            return 0
        addresses = [self._address(proxy, handle) for proxy, handle in fresh]
        rows = self._recorder.adopt(self._type_index or self._name_type(), addresses, [handle for _, handle in fresh])
        for (proxy, handle), address, row in zip(fresh, addresses, rows, strict=True):
            if self._rows.setdefault(id(proxy), row) is not row:
                self._recorder.end(row, ReferenceState.RELEASED)  # its birth hook was faster
            elif not address:
                self._unplaced[row] = handle
            if type(proxy) is not self._cls:
                self._watch(proxy, id(proxy))
        if self._level is _off:
            self.clear()  # a detach on another thread came between
        return len(fresh)

    def reconcile(self) -> None:
        """End the rows of proxies that went without their class's finaliser: a subclass has one that does not call it."""
        for key, watch in list(self._watched.items()):
            if watch() is None and self._watched.pop(key, None) is not None:
                self._recorder.end(self._rows.pop(key, 0), ReferenceState.RELEASED)

    def clear(self) -> None:
        """Follow the class no longer: forget all rows, without a trace in the table."""
        self._level = _off
        if self._rows:
            self._recorder.clear(self._type_index)
        self._rows.clear()
        self._watched.clear()
        self._unplaced.clear()

    def _name_type(self) -> int:
        """Tell the recorder of the type. Raises when there is no room for it."""
        named = self.proxy_class
        self._type_index = self._recorder.type_index(name=named.name, origin=named.origin, kind=named.kind)
        return self._type_index

    def _unknown_handle(self, proxy: Any) -> int | None:
        """The handle of a proxy without a row; ``None`` when it has a row, or no handle, or none any more.

        A weak reference gives a proxy out even while its finaliser runs, which lets it live on without a handle.
        """
        if id(proxy) in self._rows or gc.is_finalized(proxy):
            return None
        handle: int | None = getattr(proxy, self._attribute, None)
        return handle

    def _watch(self, proxy: Any, key: int) -> None:
        """Look after a proxy whose subclass has a finaliser of its own, which may not call the generated one."""
        if type(proxy).__del__ is not self._cls.__del__:  # type: ignore[attr-defined]
            try:
                self._watched[key] = weakref.ref(proxy)
            except TypeError:
                return  # no __weakref__: its row ends when its place is taken by another

    def _supersede(self, key: int, known: int, row: int) -> None:
        """A proxy at the place of a known one: that one went without a word, or was constructed again, or a scan was faster."""
        self._rows[key] = row
        self._watched.pop(key, None)
        self._unplaced.pop(known, None)
        self._recorder.end(known, ReferenceState.RELEASED)

    def _address(self, proxy: Any, handle: int) -> int:
        """The object's allocation, 0 while the class's layout is not known."""
        if not self.proxy_class.shape.is_address:
            return 0
        if self._is_trait:
            return trait_address(handle)
        if self.offset is None:
            self._calibrate(proxy, handle)
        return handle - self.offset if self.offset is not None else 0

    def _calibrate(self, proxy: Any, handle: int) -> None:
        """Find the layout with this proxy, and place the rows that waited for it."""
        if self._calibrations_left <= 0:
            return
        self._calibrations_left -= 1
        clone, release = self.proxy_class.clone, self.proxy_class.release
        self.offset = data_offset(handle, lambda: clone(proxy), release) if clone is not None else likely_offset(handle)
        if self.offset is not None:
            while self._unplaced:
                row, waiting = self._unplaced.popitem()
                self._recorder.set_address(row, waiting - self.offset)

    def _state_after_release(self, handle: int | None) -> ReferenceState:
        """What the release of a trait makes of the reference; of what has no known counts, that it was released."""
        if not self._is_trait or not handle:
            return ReferenceState.RELEASED
        is_outer_last = not self.proxy_class.shape.trait_is_counted or load_word(handle - OUTER_OFFSET) == 1
        return ReferenceState.DROPPED if is_outer_last and load_word(load_word(handle)) == 1 else ReferenceState.RELEASED


def _off() -> int:
    """The level of what is not followed any more."""
    return 0
