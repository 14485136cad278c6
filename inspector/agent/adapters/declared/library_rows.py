"""The rows of a declaration that names a library's functions.

Each row is a reference that the functions gave out; it ends when they get the reference back.

A proxy that ends without freeing leaves its row behind, which is the leak.

Proxies are known by weak references, never held. Calls may come from any thread at any time, also
from a weak reference's end in the middle of another call here; so there is no lock, and each step
is one dictionary operation, which is atomic.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from inspector.agent.adapters.declared.numbers import Number, number_of
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.agent.faults import Faults
from inspector.errors import InspectorError
from inspector.runtime.sites import OWN_MODULES, SiteTable
from inspector.source_places import packages_of
from inspector.vocabulary import Reference, Resource
from inspector.wire.declarations import Declaration


class ProxyRef(weakref.ref[Any]):
    """A weak reference that knows its row."""

    __slots__ = ("key", "number", "row")

    key: int
    """``id`` of the proxy."""
    number: int
    row: int


class LibraryRows:
    """The rows of one declaration with a library. A row that found no room is 0."""

    def __init__(
        self, declaration: Declaration, origin: str, recorder: DeclaredRecorder, faults: Faults
    ) -> None:
        """Looks at no proxy. Raises when there is no room for another type."""
        self.declaration = declaration
        self._recorder = recorder
        self._faults = faults
        self._sites = SiteTable(
            (*OWN_MODULES, *declaration.hide), packages_of([declaration.cls or declaration.library])
        )
        self._type_index = recorder.declared_type(declaration, origin)
        self._refs: dict[int, ProxyRef] = {}
        self._key_by_row: dict[int, int] = {}
        self._by_number: dict[int, list[int]] = {}
        self.trouble = ""
        """Why a proxy could not be looked at, the first time; ``""`` when all could."""
        self._is_followed = True
        self._turn: Iterator[int] = iter(())
        self._level: Callable[[], int] = recorder.level

    def __len__(self) -> int:
        """Rows that live."""
        return sum(map(len, list(self._by_number.values())))

    def __contains__(self, row: int) -> bool:
        """Whether the row is of a live handle."""
        return row > 0 and (
            self.proxy(row) is not None
            or any(row in rows for rows in list(self._by_number.values()))
        )

    def __call__(self, proxy: Any) -> bool:
        """Look at a proxy that was made or may have changed, as ``observe``."""
        return self.observe(proxy)

    @property
    def owner(self) -> LibraryRows:
        """The object that is given each proxy of the class.

        It is also asked when a closing method begins.
        """
        return self

    def close_begins(self, proxy: Any) -> int:
        """A method that closes begins on this thread.

        The row whose resource it found open, 0: there is none. Native code sees its end.
        """
        row, site = self.row_of(proxy), self._recorder.site(self._sites, self._type_index)
        return row if row > 0 and self._recorder.close_begins(row, site) else 0

    def row_of(self, proxy: object) -> int:
        """The row of a proxy; 0 when it has none."""
        ref = self._refs.get(id(proxy))
        return ref.row if ref is not None and ref() is proxy else 0

    def proxy(self, row: int) -> Any:
        """The proxy of a row; ``None`` when it has none, or none any more."""
        ref = self._refs.get(self._key_by_row.get(row, 0))
        return ref() if ref is not None and ref.row == row else None

    def observe(self, proxy: Any, *, is_born_now: bool = True) -> bool:
        """Give a proxy a row, or end its row; returns whether it has a row then.

        Called on the thread that made the proxy, or may have changed it.

        Raises nothing: an exception of the proxy's attributes is kept as a fault.
        """
        try:
            ref = self._refs.get(id(proxy))
            if ref is None or ref() is not proxy:
                return self._greet(proxy, is_born_now=is_born_now)
            if self.is_released(proxy):
                self.release(proxy)
                return False
        except Exception as error:  # the program's own call must not fail because of the tool
            self._note(error)
            return False
        return True

    def is_released(self, proxy: Any) -> bool:
        """Whether a proxy gave its handle back. Raises the exceptions of its attributes."""
        declared = self.declaration
        if declared.released is not None:
            return declared.released.holds(proxy)
        return declared.handle is not None and not number_of(declared.handle.read(proxy)).value

    def release(self, proxy: Any) -> None:
        """A proxy gave its handle back. The library decides about the reference."""
        self._forget(id(proxy))

    def look_round(self, most: int) -> None:
        """Look at some of the live proxies, in turn: no hook may have seen their release."""
        keys = list(islice(self._turn, most))
        if len(keys) < most:
            self._turn = iter(list(self._refs))
        for key in keys:
            ref = self._refs.get(key)
            proxy = None if ref is None else ref()
            if proxy is not None:
                self.observe(proxy)

    def adopt(self, proxies: Sequence[Any]) -> int:
        """Rows for proxies that have none yet, their birth unknown.

        Answers how many there are now.
        """
        return sum(self.observe(proxy, is_born_now=False) for proxy in proxies)

    def created(self, number: Number) -> None:
        """The library gave out a reference, on this thread."""
        if number.value and self._level():
            self._add_reference(number, is_born_now=True)

    def freed(self, number: Number) -> None:
        """The library got a reference back; the oldest, when it gave out several."""
        rows = self._by_number.get(number.value)
        if not rows:
            return  # given out before the agent came
        row = rows.pop(0)
        if not rows:
            self._by_number.pop(number.value, None)
        self._forget(self._key_by_row.get(row, 0))
        self._end(row, Reference.RELEASED if rows else Reference.DROPPED, is_closed=not rows)

    def let_go(self) -> None:
        """Look after no proxy any more; rows stay as they are."""
        self._refs.clear()
        self._key_by_row.clear()

    def clear(self) -> None:
        """Follow no longer: forget all rows, without a trace in the table."""
        self._is_followed = False
        self._level = _off
        self._recorder.clear(self._type_index)
        self._refs.clear()
        self._key_by_row.clear()
        self._by_number.clear()

    def _note(self, error: Exception) -> None:
        """A proxy's attributes raised."""
        trouble = " ".join(f"{type(error).__name__}: {error}".split())
        self.trouble = self.trouble or trouble
        self._faults.add(
            InspectorError(f"{self.declaration.key}: {trouble}: {self.declaration.source}")
        )

    def _greet(self, proxy: Any, *, is_born_now: bool) -> bool:
        """Gives a proxy without a row a row, if it has a handle."""
        declared = self.declaration
        if not self._level() or (declared.released is not None and declared.released.holds(proxy)):
            return False
        number = (
            Number(id(proxy), is_address=True)
            if declared.handle is None
            else number_of(declared.handle.read(proxy))
        )
        if not number.value:
            return False
        ref = self._refer(proxy, number, self._row_for(number, is_born_now=is_born_now))
        self._keep(ref, proxy)
        if not self._is_followed:
            self.clear()  # a detach on another thread came between
        return True

    def _keep(self, ref: ProxyRef, proxy: Any) -> None:
        """Make a row the proxy's own, unless it was given a row meanwhile.

        A scan and a birth hook may meet at one proxy.
        """
        before = self._refs.setdefault(ref.key, ref)
        if before is not ref and before() is proxy:
            return self._withdraw(ref)
        if before is not ref:
            self._key_by_row.pop(before.row, None)
        self._refs[ref.key] = ref
        self._key_by_row[ref.row] = ref.key
        return None

    def _forget(self, key: int) -> None:
        """Look after a proxy no longer."""
        ref = self._refs.pop(key, None)
        if ref is not None:
            self._key_by_row.pop(ref.row, None)

    def _withdraw(self, ref: ProxyRef) -> None:
        """A row that was one too many."""
        rows = self._by_number.get(ref.number, [])
        if ref.row in rows and ref.row in self._key_by_row:
            return
        if ref.row in rows:
            rows.remove(ref.row)
        self._recorder.end(ref.row, Reference.RELEASED)

    def _refer(self, proxy: Any, number: Number, row: int) -> ProxyRef:
        """The link from a row back to its proxy, which sees the proxy's end."""
        ref = ProxyRef(proxy, self._gone)
        ref.key, ref.number, ref.row = id(proxy), number.value, row
        return ref

    def _row_for(self, number: Number, *, is_born_now: bool) -> int:
        """The row of the reference that the library gave out for this proxy, or a new row."""
        free = [row for row in self._by_number.get(number.value, ()) if row not in self._key_by_row]
        return free[-1] if free else self._add_reference(number, is_born_now=is_born_now)

    def _add_reference(self, number: Number, *, is_born_now: bool) -> int:
        """A row that is found again by its number."""
        row = self._add(number, is_born_now=is_born_now)
        self._by_number.setdefault(number.value, []).append(row)
        self._recorder.set_single(row)
        return row

    def _add(self, number: Number, *, is_born_now: bool) -> int:
        """A row in the table."""
        address = number.value if number.is_address else 0
        if not is_born_now:
            return self._recorder.adopt(self._type_index, [address], [number.value])[0]
        site = self._recorder.site(self._sites, self._type_index)
        return self._recorder.add(self._type_index, address, number.value, site)

    def _gone(self, ref: ProxyRef) -> None:
        """A proxy has ended; its reference is still out. On the thread that let it go."""
        if self._refs.get(ref.key) is ref:
            self._forget(ref.key)

    def _end(self, row: int, state: Reference, *, is_closed: bool) -> None:
        if not self._is_followed:
            return
        if is_closed and self.declaration.close:
            self._recorder.set_resource(row, Resource.CLOSED)
        self._recorder.end(row, state)


def _off() -> int:
    """The level of classes that are not followed any more."""
    return 0
