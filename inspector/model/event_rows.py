"""Events as a table: the newest of the requested events.

Their handles have the snapshot's names.

Pure numpy; any thread; 200,000 events are filtered in some 10 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.events import Events, no_events
from inspector.model.snapshot import Ids, Ints, Snapshot
from inspector.vocabulary import EventKind

_KINDS: Final = frozenset(EventKind)
MAX_ROWS: Final = 20_000
"""More are not listed: nobody reads them, and the rest is said."""


@dataclass(frozen=True, slots=True)
class EventWish:
    """The wanted events; ``None`` or empty fields do not matter. Gaps are always shown."""

    kind: int | None = None
    thread: int | None = None
    type_index: int | None = None
    handles: frozenset[int] = frozenset()
    until: float = math.inf
    """Only events up to this moment, seconds since the Unix epoch; gaps too."""


@dataclass(frozen=True, slots=True, eq=False)
class EventRows:
    """Rows of the table, oldest first."""

    events: Events
    types: Ints
    """Index of the type of each event's object; 0 where neither the event nor the snapshot tells
    it."""
    snapshot: Snapshot | None
    found: int = 0
    """Events that are wanted, listed or not, without gaps."""
    known: int = 0
    """Events there are, without gaps."""
    lost: int = 0
    """Events that were overwritten before they could be read."""

    def __len__(self) -> int:
        """Rows, gaps among them."""
        return len(self.events)

    def type_name(self, row: int) -> str:
        """Name of the handle's type, ``""`` when not known any more."""
        found = self.snapshot.types.get(int(self.types[row])) if self.snapshot else None
        return found.name if found else ""

    def thread_name(self, row: int) -> str:
        """Name of the thread, ``""`` when not known any more."""
        found = self.snapshot.threads.get(int(self.events.threads[row])) if self.snapshot else None
        return found.label if found else ""

    def site_text(self, row: int) -> str:
        """The innermost line, ``""`` when not recorded."""
        found = self.snapshot.sites.get(int(self.events.sites[row])) if self.snapshot else None
        return found.short() if found else ""

    def word(self, row: int) -> str:
        """The event in a word: ``created``, ``released``."""
        code = int(self.events.kinds[row])
        return EventKind(code).word if code in _KINDS else "unknown"


def no_event_rows() -> EventRows:
    """None at all."""
    return EventRows(no_events(), np.empty(0, np.int64), None)


def event_rows(events: Events, snapshot: Snapshot, wish: EventWish) -> EventRows:
    """The newest of the events that are wanted."""
    types = np.where(events.types != 0, events.types, _types_of(events.handles, snapshot))
    is_gap = (events.kinds == EventKind.GAP) & (events.at <= wish.until)
    wanted = _wanted(events, types, wish) & ~is_gap
    rows = np.flatnonzero(wanted | is_gap)[-MAX_ROWS:]
    return EventRows(
        events=events.take(rows),
        types=types[rows],
        snapshot=snapshot,
        found=int(np.count_nonzero(wanted)),
        known=len(events) - int(np.count_nonzero(events.kinds == EventKind.GAP)),
        lost=int(events.counts[is_gap].sum()),
    )


def _wanted(events: Events, types: Ints, wish: EventWish) -> npt.NDArray[np.bool_]:
    wanted = events.at <= wish.until
    if wish.kind is not None:
        wanted &= events.kinds == wish.kind
    if wish.thread is not None:
        wanted &= events.threads == wish.thread
    if wish.type_index is not None:
        wanted &= types == wish.type_index
    if wish.handles:
        wanted &= np.isin(events.handles, np.array(sorted(wish.handles), np.uint64))
    return wanted


def _types_of(handles: Ids, snapshot: Snapshot) -> Ints:
    ids = snapshot.handles.ids
    if not len(ids) or not len(handles):
        return np.zeros(len(handles), np.int64)
    order = np.argsort(ids)
    at = np.searchsorted(ids, handles, sorter=order)
    at[at == len(ids)] = 0
    found = ids[order[at]] == handles
    return np.where(found, snapshot.handles.types[order[at]], 0)
