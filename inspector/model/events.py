"""Events of handles: the records in the rings of a target's threads, in the order of time.

Rings overwrite their oldest events. If a ring overwrote unread events, a record of kind ``GAP``
says how many were lost, so that a hole is never taken for silence. Pure numpy; any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.model.caps import EVENTS
from inspector.model.snapshot import Codes, Floats, Ids, Ints
from inspector.vocabulary import EventKind

KEPT_EVENTS: Final = EVENTS.most
"""Events that a viewer keeps by default: 12 MB."""


SATURATED: Final = 0xFF_FFFE
"""The largest count that an event holds: this many or more."""


@dataclass(frozen=True, slots=True)
class Events:
    """Columns of one length, oldest first, read-only."""

    at: Floats
    """Seconds since the Unix epoch."""
    kinds: Codes
    """``EventKind`` values."""
    handles: Ids
    """0: a native clone or release that has none."""
    addresses: Ids
    counts: Ints
    """Strong count afterwards, at most ``SATURATED``, or ``UNKNOWN``; of a misuse its ``Status``;
    of a gap the events lost."""
    threads: Ints
    """Index of the thread; 0: not known any more."""
    sites: Ints
    """Index of the site; 0: not recorded."""
    types: Ints
    """Index of the type of the object; 0: not known."""
    numbers: Ids
    """``ring << 48 | sequence number``, unique; of a gap that of the first event it swallowed, with
    bit 47 set."""

    def __len__(self) -> int:
        """Records, gaps among them."""
        return len(self.at)

    def take(self, rows: npt.NDArray[Any] | slice) -> Events:
        """Some of them, by mask, indices or slice."""
        return Events(*(_frozen(getattr(self, each.name)[rows]) for each in fields(self)))

    def lost(self) -> int:
        """Events that the gaps stand for."""
        return int(self.counts[self.kinds == EventKind.GAP].sum())


@dataclass(frozen=True, slots=True)
class EventCursor:
    """How far a reader got: the next sequence number of each ring."""

    following: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The result of one reading, and the place to continue."""

    events: Events
    cursor: EventCursor


def no_events() -> Events:
    """None at all."""
    ints, ids = np.empty(0, np.int64), np.empty(0, np.uint64)
    return Events(np.empty(0), np.empty(0, np.uint8), ids, ids, ints, ints, ints, ints, ids)


def joined(parts: Sequence[Events], *, limit: int = KEPT_EVENTS) -> Events:
    """All of ``parts`` in the order of time, at most the newest ``limit``.

    Events of one moment keep the order of ``parts``.
    """
    filled = [part for part in parts if len(part)]
    if not filled:
        return no_events()
    whole = Events(
        *(np.concatenate([getattr(part, each.name) for part in filled]) for each in fields(Events))
    )
    if (np.diff(whole.at) >= 0).all():
        return whole.take(slice(max(len(whole) - limit, 0), None))
    return whole.take(np.argsort(whole.at, kind="stable")[-limit:])


def _frozen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column.flags.writeable = False
    return column
