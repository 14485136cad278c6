"""Changes of strong counts without an event, found by comparing the counts in events.

Pure; any thread.

A call of a generated method clones its handle, which is an event, and the native function consumes
the clone, which is none. Native code may also clone and drop references by itself. The next event
of the object carries a count that is lower or higher than the last event and its own change
explain, so the difference is known exactly, although its time and its place are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.counts import is_live
from inspector.model.events import SATURATED, Events
from inspector.model.snapshot import UNKNOWN, Ints, Snapshot
from inspector.vocabulary import EventKind

UP: Final = (EventKind.CREATE, EventKind.CLONE)
COUNTED: Final = (*UP, EventKind.RELEASE)
"""Kinds of events that change a strong count and carry it."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Changes without an event."""

    before: Ints
    """For each event, the change of its object's count between the object's last event and this
    one."""
    after: Mapping[int, int]
    """By address, the change between the object's last event and the snapshot."""

    @property
    def ups(self) -> int:
        """References that were counted up without an event."""
        return int(self.before[self.before > 0].sum()) + sum(
            change for change in self.after.values() if change > 0
        )

    @property
    def downs(self) -> int:
        """References that were counted down without an event."""
        return -int(self.before[self.before < 0].sum()) - sum(
            change for change in self.after.values() if change < 0
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """How often the count of an object, or of several, went up and down."""

    ups: int
    downs: int
    unseen_ups: int
    """Ups without an event, which only the counts tell."""
    unseen_downs: int


NO_CHANGES: Final = Tally(0, 0, 0, 0)


def changes_text(tally: Tally) -> str:
    """``12 up, 9 down``, and how many of them have no event."""
    unseen = tally.unseen_ups + tally.unseen_downs
    return f"{tally.ups:,} up, {tally.downs:,} down" + (
        (f" ({unseen:,} known from the counts alone)") if unseen else ""
    )


def unseen_changes(events: Events, snapshot: Snapshot | None = None) -> Unseen:
    """Compare the counts of ``events``, oldest first.

    At the end come the snapshot's counts, if they were sampled later.
    """
    rows = np.flatnonzero(
        np.isin(events.kinds, COUNTED)
        & (events.addresses != 0)
        & (events.counts != UNKNOWN)
        & (events.counts < SATURATED)
    )
    rows = rows[np.argsort(events.addresses[rows], kind="stable")]
    counts, addresses = events.counts[rows], events.addresses[rows]
    own = np.where(events.kinds[rows] == EventKind.RELEASE, -1, 1)
    before = np.zeros(len(events), np.int64)
    # an object whose count was 0 has ended: the next event at its address is another object's first
    follows = (addresses[1:] == addresses[:-1]) & (counts[:-1] > 0)
    before[rows[1:]] = np.where(follows, counts[1:] - own[1:] - counts[:-1], 0)
    return Unseen(before, {} if snapshot is None else _after(events, rows, snapshot))


def _after(events: Events, rows: Ints, snapshot: Snapshot) -> dict[int, int]:
    """Changes since the last event of each object that lives on.

    ``rows`` are counted events, by address.
    """
    is_last = np.append(events.addresses[rows[1:]] != events.addresses[rows[:-1]], True)[
        : len(rows)
    ]
    last = rows[is_last & (events.counts[rows] > 0)]
    last = last[events.at[last] < snapshot.sampled_at]
    handles = snapshot.handles
    strong = np.where(handles.inner_strong != UNKNOWN, handles.inner_strong, handles.strong)
    known = (
        (strong != UNKNOWN)
        & is_live(handles.references)
        & np.isin(handles.addresses, events.addresses[last])
    )
    now = dict(zip(handles.addresses[known].tolist(), strong[known].tolist(), strict=True))
    told = zip(events.addresses[last].tolist(), events.counts[last].tolist(), strict=True)
    return {
        address: now[address] - count for address, count in told if now.get(address, count) != count
    }


def tally_of(events: Events, unseen: Unseen) -> Tally:
    """Count the changes of ``events`` and the ``unseen`` changes between them."""
    ups = int(np.isin(events.kinds, UP).sum()) + unseen.ups
    downs = int((events.kinds == EventKind.RELEASE).sum()) + unseen.downs
    return Tally(ups, downs, unseen.ups, unseen.downs)
