"""The rows of one proxy class: a row for each live proxy.

A row lives from the proxy's birth, or from the scan that found it, to its release.

Native code keeps them (``native/crates/follow/src/proxies.rs``) and asks here in rare cases: for
the type's name with the first row, the layout with the first proxy, and the care for proxies whose
class the program derived. All calls may come from any thread at any time.

*Address* is the object's allocation, so proxies of one object share it. For a trait it is the inner
``Arc``'s. Each lowered value has an outer ``Arc`` (or a box) of its own, which holds one of the
inner's strong counts; the type says which, and the place of its count.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from types import CodeType
from typing import Any, Final

from inspector.agent.adapters.recorder import Recorder
from inspector.agent.adapters.stacks import NativeStacks
from inspector.agent.adapters.uniffi.closing import Closing
from inspector.agent.adapters.uniffi.freed import LOOKS_BEFORE, FreedProxies, handle_of
from inspector.agent.adapters.uniffi.generation import finaliser_of
from inspector.agent.adapters.uniffi.layout import data_offset, likely_offset
from inspector.agent.adapters.uniffi.proxies import ProxyClass, Reference
from inspector.agent.faults import Faults
from inspector.vocabulary import Kind, Resource
from inspector.wire.hooks import hooks

OUTER_BYTES: Final = 16
"""Bytes from the start of a trait's outer ``Arc`` to the pair that it holds."""
CALIBRATIONS: Final = 64
"""Proxies that are tried before a class's layout is called unknown."""


class ProxyRows:
    """The rows of one proxy class."""

    def __init__(
        self, proxy_class: ProxyClass, recorder: Recorder, stacks: NativeStacks, faults: Faults
    ) -> None:
        """Start without looking at any proxy.

        The recorder is told the type only with its first row: packages have unused types.
        """
        self.proxy_class = proxy_class
        self.type_index = 0
        """The type in the recorder; 0 until the first row."""
        self.layout: tuple[int, int] = (hooks.UNKNOWN, 0)
        """Kind and bytes, as native code takes it: how a handle leads to the object's
        allocation."""
        self.closing: Closing | None = None
        """How the class closes; ``None``: it did not opt in."""
        self.sites = stacks.table
        """Interned stacks of the program, without the generated module's own frames."""
        self._recorder = recorder
        self._watched: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._calibrations_left = CALIBRATIONS
        attribute = proxy_class.shape.handle_attribute
        self.native: Any = hooks.Proxies(
            proxy_class.cls,
            attribute,
            stacks.native,
            self._learn,
            self._watch,
            self._keep,
            faults.add,
        )
        self._freed = FreedProxies(self.native, attribute)

    def __len__(self) -> int:
        """Proxies that are known."""
        return len(self.native)

    def __contains__(self, row: int) -> bool:
        """Whether the row is of a live proxy of this class."""
        return row > 0 and bool(self.native.place(row))

    @property
    def finaliser_code(self) -> CodeType | None:
        """Code of the class's own finaliser."""
        finaliser = finaliser_of(self.proxy_class.cls)
        return finaliser.__code__ if finaliser is not None else None

    def proxy_id(self, row: int) -> int | None:
        """``id`` of the proxy that a row stands for."""
        return self.native.place(row) or None

    def row_of(self, proxy: object) -> int:
        """The row of a live proxy; 0: it has none, or is just ending."""
        row: int = self.native.row(id(proxy))
        return row

    def address_of(self, proxy: Any) -> int:
        """The allocation behind a proxy of the class.

        0 when it has no handle, or its layout is not known.
        """
        handle = getattr(proxy, self.proxy_class.shape.handle_attribute, None)
        if not handle:
            return 0
        self._learn(proxy, handle)
        address: int = self.native.address(handle)
        return address

    def adopt(self, references: Sequence[Reference]) -> int:
        """Rows for proxies that have none yet, their birth unknown; answers how many.

        Holds the proxies meanwhile.
        """
        proxies = [proxy for reference in references if (proxy := reference()) is not None]
        return sum(map(self.native.adopt, proxies))

    def keep(self, proxy: Any) -> None:
        """The finaliser of a proxy ran, or runs, and no hook saw it begin."""
        self.native.leaving(id(proxy))
        self._keep(proxy, handle_of(proxy, self.proxy_class.shape.handle_attribute))

    def reconcile(self) -> None:
        """Give freed proxies that live on a row, and end rows that no finaliser ends.

        A subclass may never call the class's own finaliser.
        """
        self._freed.settle()
        for key, (watch, row) in list(self._watched.items()):
            if watch() is None and self._watched.pop(key, None) is not None:
                self.native.lost(key, row)

    def settle(self) -> None:
        """Look at the freed proxies as often as it takes to say that they live on. Any thread."""
        for _ in range(LOOKS_BEFORE + 1):
            self._freed.settle()

    def set_closing(self, closing: Closing | None) -> None:
        """The class closes in this way from now on, or no longer.

        A proxy that lives already may have been closed: that is unknown.
        """
        self.closing = closing
        if self.type_index:
            self._name_type()
            self.native.set_resource(0, Resource.NONE if closing is None else Resource.UNKNOWN)

    def clear(self) -> None:
        """Follow the class no longer: forget all rows, without a trace in the table."""
        self.native.forget()
        self._watched.clear()
        self._freed.clear()

    def _keep(self, proxy: Any, handle: int) -> None:
        """The finaliser of a proxy has run, and something still refers to the proxy."""
        self._freed.add(proxy, handle)
        if not self.type_index:
            self._name_type()

    def _learn(self, proxy: Any, handle: int) -> None:
        """Name the type and find the layout, as far as that is not done.

        Raises when there is no room for the type.
        """
        if not self.type_index:
            self._name_type()
        if self.layout[0] == hooks.UNKNOWN:
            self.layout = self._layout(proxy, handle)
            self.native.set_layout(*self.layout)

    def _name_type(self) -> None:
        """Raises when there is no room for the type."""
        named = self.proxy_class
        outer_bytes = (
            OUTER_BYTES if named.kind == Kind.UNIFFI_TRAIT and named.shape.trait_is_counted else 0
        )
        closes = None if self.closing is None else self.closing.declaration
        self.type_index = self._recorder.type_index(
            name=named.name,
            origin=named.origin,
            kind=named.kind,
            data_offset=outer_bytes,
            closes=closes,
        )
        self.native.set_type(self.type_index)

    def _layout(self, proxy: Any, handle: int) -> tuple[int, int]:
        """The path from a handle to its allocation.

        The generation has it, or it is found with this proxy.
        """
        shape, kind = self.proxy_class.shape, self.proxy_class.kind
        if not shape.is_address or self._calibrations_left <= 0:
            return hooks.HIDDEN, 0
        if kind == Kind.UNIFFI_TRAIT:
            return hooks.COUNTED if shape.trait_is_counted else hooks.BOXED, 0
        self._calibrations_left -= 1
        clone, release = self.proxy_class.clone, self.proxy_class.release
        offset = (
            data_offset(handle, lambda: clone(proxy), release)
            if clone is not None
            else likely_offset(handle)
        )
        return (hooks.UNKNOWN, 0) if offset is None else (hooks.BEFORE, offset)

    def _watch(self, proxy: Any, row: int) -> None:
        """Look after a proxy whose subclass has a finaliser.

        It may not call the generated finaliser.
        """
        if type(proxy).__del__ is not self.proxy_class.cls.__del__:  # type: ignore[attr-defined]
            try:
                self._watched[id(proxy)] = weakref.ref(proxy), row
            except TypeError:
                return  # no __weakref__: its row ends when its place is taken by another
