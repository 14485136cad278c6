"""Repeated looks for instances whose birth no hook saw.

Examples: copies, ``__new__`` without ``__init__``, factories in native code.

Each look walks the youngest objects, and continues a pass through the whole heap where the look
before it ended. A look takes about a millisecond; where such births are known, up to ten, in slices
between which other threads run. An instance is adopted when a second look meets it: a hook may be
about to report an instance of the first look. Worker thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.declared.instances import GC_FLAG, Reference, refer, references
from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.plain import mro_of
from inspector.wire.hooks import hooks

Owners = Mapping[type, DeclaredRows | LibraryRows]
"""The rows of each followed class."""
Clock = Callable[[], float]

LOOK_SECS: Final = 0.4
"""From one look to the next, at least: viewers make the worker poll more often."""
SLICE_OBJECTS: Final = 50_000
SLICE_INSTANCES: Final = 1_500
"""Objects walked and instances met without letting other threads run; about half a millisecond."""
YOUNG_OBJECTS: Final = 20_000
"""The youngest objects, which each look walks: what was born since the look before is among them,
unless the program makes more."""
BUDGET_SECS: Final = 0.001
UNSEEN_BUDGET_SECS: Final = 0.01
"""Time of one look, where no births are known that no hook saw, and where some are."""
REST: Final = 50
"""Times as long as a look took pass before the next one begins."""
SLOW_SECS: Final = 1.5
"""A pass through the heap that ends later than this after the one before finds instances too late
to say whether their class grows."""


class Looks:
    """The looks of one adapter."""

    def __init__(
        self, *, clock: Clock = time.monotonic, work_clock: Clock = time.perf_counter
    ) -> None:
        """``clock`` gives the age of the instances met, ``work_clock`` the duration of a look."""
        self._clock, self._work_clock = clock, work_clock
        self._due_at = float("-inf")
        self._met: dict[int, float] = {}
        self._pass: Iterator[list[Reference]] | None = None
        self._pass_began = 0.0
        self._passed_at: float | None = None
        self._period_secs = 0.0
        self._unseen: dict[str, int] = {}

    def look(self, owners: Owners) -> None:
        """Look at some of the heap, if it is time.

        Adopting reads the attributes that the declarations name.
        """
        now = self._clock()
        if not owners or now < self._due_at:
            return
        if self._passed_at is None:
            self._passed_at = now
        began = self._work_clock()
        ends_at = began + (UNSEEN_BUDGET_SECS if self._unseen else BUDGET_SECS)
        self._take(owners, next(_walk(owners, YOUNG_OBJECTS), []), now)
        while self._step(owners, now) and self._work_clock() < ends_at:
            time.sleep(0)
        self._due_at = now + max(LOOK_SECS, (self._work_clock() - began) * REST)

    def unseen(self, key: str) -> int:
        """Instances of a declaration, by its key, that only a later look found."""
        return self._unseen.get(key, 0)

    def slow_secs(self) -> float:
        """How long it takes from the end of one pass through the heap to the next.

        0 while that is soon enough.
        """
        secs = max(
            self._period_secs, 0.0 if self._passed_at is None else self._clock() - self._passed_at
        )
        return secs if secs > SLOW_SECS else 0.0

    def forget(self) -> None:
        """Stop: nothing is kept of the heap."""
        self._pass = None
        self._met.clear()

    def _step(self, owners: Owners, now: float) -> bool:
        """One slice of the pass; false when that was its last."""
        if self._pass is None:
            self._pass, self._pass_began = _walk(owners, SLICE_OBJECTS), now
        found = next(self._pass, None)
        if found is not None:
            self._take(owners, found, now)
            return True
        self._pass, self._period_secs = None, now - (self._passed_at or now)
        self._passed_at = now
        gone = [key for key, met_at in self._met.items() if met_at < self._pass_began]
        for key in gone:  # this pass met none of them again
            del self._met[key]
        return False

    def _take(self, owners: Owners, found: list[Reference], now: float) -> None:
        """Adopt the instances that an earlier look met, and remember the rest."""
        for reference in found:
            instance = reference()
            rows = None if instance is None else rows_of(owners, instance)
            if rows is None or rows.row_of(instance):
                continue
            if self._met.setdefault(id(instance), now) < now:
                del self._met[id(instance)]
                if rows.adopt([instance]):
                    self._unseen[rows.declaration.key] = self.unseen(rows.declaration.key) + 1


def rows_of(owners: Owners, instance: Any) -> DeclaredRows | LibraryRows | None:
    """The rows of the declared class nearest to an instance's own."""
    return next((owners[cls] for cls in mro_of(type(instance)) if cls in owners), None)


def _walk(owners: Owners, objects: int) -> Iterator[list[Reference]]:
    """Instances of these classes, from so many objects of the heap a step, the youngest first.

    Some of them may have a row.
    """
    wanted = {
        cls: _native_rows(owners, cls)
        for each in owners
        for cls in closure(each)
        if cls.__flags__ & GC_FLAG
    }
    if not wanted:
        return
    try:
        scan = hooks.Scan(wanted)
    except RuntimeError:  # an interpreter whose heap native code does not know
        yield from references(list(owners))
        return
    is_more = True
    while is_more:
        _, found, is_more = scan.step(objects, SLICE_INSTANCES)
        references_found = list(map(refer, found))
        found.clear()
        yield references_found


def _native_rows(owners: Owners, cls: type) -> Any:
    """The native rows that a class's instances have; ``None``: they are kept in Python."""
    rows = next(owners[each] for each in mro_of(cls) if each in owners)
    return rows.native if isinstance(rows, DeclaredRows) else None
