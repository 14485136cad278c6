"""The rows of one declaration: a row for each handle that a proxy owns.

A row lives from the handle's birth, or from the scan that found it, to its release.

Native code keeps them (``native/crates/follow/src/instances.rs``, ``native/python/instances.c``):
it reads the attributes that the declaration names, makes and ends rows, and sees the end of a proxy
by a weak reference or its class's destructor. Python code runs only in rare cases: a handle that is
no integer, a stack that was not seen before. All calls may come from any thread at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from inspector.agent.adapters.declared.numbers import number_of
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.agent.adapters.stacks import NativeStacks
from inspector.agent.faults import Faults
from inspector.errors import InspectorError
from inspector.runtime.sites import OWN_MODULES
from inspector.source_places import packages_of
from inspector.wire.declarations import Declaration
from inspector.wire.hooks import hooks


class DeclaredRows:
    """The rows of one declaration."""

    def __init__(
        self, declaration: Declaration, origin: str, recorder: DeclaredRecorder, faults: Faults
    ) -> None:
        """Looks at no proxy. Raises when there is no room for another type."""
        self.declaration = declaration
        self.trouble = ""
        """Why a proxy could not be looked at, the first time; ``""`` when all could."""
        self._faults = faults
        self._turn: Iterator[int] = iter(())
        handle, released = declaration.handle, declaration.released
        self.native: Any = hooks.Instances(
            type_index=recorder.declared_type(declaration, origin),
            closes=bool(declaration.close),
            handle=None if handle is None else handle.steps,
            released=None if released is None else released.path.steps,
            test="" if released is None else released.test,
            number=0 if released is None else released.number,
            stacks=NativeStacks(
                (*OWN_MODULES, *declaration.hide), packages_of([declaration.cls])
            ).native,
            number_of=number_of,
            note=self._note,
            fail=faults.add,
        )

    def __len__(self) -> int:
        """Rows that live."""
        return len(self.native)

    def __contains__(self, row: int) -> bool:
        """Whether the row is of a live handle."""
        return self.proxy(row) is not None

    @property
    def owner(self) -> Any:
        """The function that is given each proxy of the class."""
        return self.native

    def row_of(self, proxy: object) -> int:
        """The row of a proxy; 0 when it has none."""
        row: int = self.native.row(proxy)
        return row

    def proxy(self, row: int) -> Any:
        """The proxy of a row; ``None`` when it has none, or none any more."""
        return self.native.of_row(row) if row > 0 else None

    def observe(self, proxy: Any) -> bool:
        """Give a proxy a row, or end its row; returns whether it has a row then.

        Called on the thread that made the proxy, or may have changed it.

        An exception of the proxy's attributes is kept as a fault.
        """
        has_row: bool = self.native.observe(proxy)
        return has_row

    def release(self, proxy: Any) -> None:
        """A proxy gave its handle back."""
        self.native.release(proxy)

    def look_round(self, most: int) -> None:
        """Look at some of the live proxies, in turn: no hook may have seen their release."""
        keys = list(islice(self._turn, most))
        if len(keys) < most:
            self._turn = iter(self.native.places())
        for key in keys:
            proxy = self.native.at(key)
            if proxy is not None:
                self.native.observe(proxy)

    def adopt(self, proxies: Sequence[Any]) -> int:
        """Rows for proxies that have none yet, their birth unknown.

        Answers how many there are now.
        """
        return sum(map(self.native.adopt, proxies))

    def let_go(self) -> None:
        """Look after no proxy any more; rows stay as they are."""
        self.native.let_go()

    def clear(self) -> None:
        """Follow no longer: forget all rows, without a trace in the table."""
        self.native.forget()

    def _note(self, error: Exception) -> None:
        """A proxy's attributes raised."""
        trouble = " ".join(f"{type(error).__name__}: {error}".split())
        self.trouble = self.trouble or trouble
        self._faults.add(
            InspectorError(f"{self.declaration.key}: {trouble}: {self.declaration.source}")
        )
