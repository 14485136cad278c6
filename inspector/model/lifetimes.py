"""Lifetimes of handles, from snapshots and events in their order. Pure numpy; one thread.

A handle is one lifetime, however many snapshots show it: its row is kept when it is gone, or when
the observation ends. A handle that lived between two snapshots alone is known by its events.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.events import Events
from inspector.model.snapshot import UNKNOWN, Floats, Handles, Ids, Ints, Snapshot, Vitals
from inspector.model.states import alive
from inspector.vocabulary import EventKind, Reference, Resource

MOST_LIFETIMES: Final = 5_000_000
"""More are left out and counted."""
_ENDS: Final = (EventKind.RELEASE, EventKind.DROP)
_ROW_BITS: Final = np.uint64(1)
"""The bit of foreign handles, which events do not have."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Columns of one length, one element a lifetime."""

    ids: Ids
    types: Ints
    """Index of the type; 0: not known."""
    sites: Ints
    """Index of the site that made it; 0: not recorded."""
    born_at: Floats
    """``nan``: not known."""
    died_at: Floats
    """``nan``: it lives, or when is not known."""
    is_alive: npt.NDArray[np.bool_]
    """At the end of the observation."""
    is_never_closed: npt.NDArray[np.bool_]
    """Its resource was dropped without a close."""
    native_refs: Floats
    """As counted last; -1 is a count, and ``nan`` is not known."""

    def __len__(self) -> int:
        """Lifetimes."""
        return len(self.ids)


class LifetimeCollector:
    """Takes snapshots, oldest first, and then the events."""

    def __init__(self, most: int = MOST_LIFETIMES) -> None:
        """Nothing was seen yet."""
        self._most = most
        self._parts: list[Lifetimes] = []
        self._count = 0
        self._before: Handles | None = None
        self.left_out = 0
        """Lifetimes beyond the bound."""
        self.newest: Snapshot | None = None

    def take(self, snapshot: Snapshot) -> None:
        """Keep the rows that this snapshot does not have any more."""
        before, self._before, self.newest = self._before, snapshot.handles, snapshot
        if before is not None:
            gone = ~np.isin(before.ids, snapshot.handles.ids)
            if gone.any():
                self._keep(_of_rows(before, np.flatnonzero(gone), have_gone=True))

    def finish(self, events: Events | None) -> Lifetimes:
        """All lifetimes, with the times that the events tell."""
        if self._before is not None:
            handles = self._before
            self._keep(_of_rows(handles, np.arange(len(handles)), have_gone=False))
            self._before = None
        found = _joined(self._parts)
        if events is None or not len(events):
            return found
        found = _with_ends(found, events)
        self._parts, self._count = [found], len(found)
        self._keep(_of_events(events, found.ids))
        return _joined(self._parts)

    def _keep(self, part: Lifetimes) -> None:
        room = max(self._most - self._count, 0)
        if len(part) > room:
            self.left_out += len(part) - room
            part = _taken(part, np.arange(room))
        self._count += len(part)
        self._parts.append(part)


def _of_rows(handles: Handles, rows: npt.NDArray[np.int64], *, have_gone: bool) -> Lifetimes:
    """Lifetimes of rows; those that ``have_gone`` from the table live no more."""
    live = alive(handles)[rows]
    changed = handles.changed_at[rows]
    resources = handles.resources[rows]
    return Lifetimes(
        ids=handles.ids[rows],
        types=handles.types[rows],
        sites=handles.created_sites[rows],
        born_at=handles.created_at[rows],
        died_at=np.where(live, np.nan, changed),
        is_alive=live & (not have_gone),
        is_never_closed=(resources == Resource.NEVER_CLOSED)
        & (handles.references[rows] != Reference.LIVE),
        native_refs=np.where(handles.strong[rows] == UNKNOWN, np.nan, handles.native_refs[rows]),
    )


def _with_ends(found: Lifetimes, events: Events) -> Lifetimes:
    """Lifetimes whose end no row told, with the time of their last event of an end."""
    ends = np.isin(events.kinds, _ENDS) & (events.handles != 0)
    order = np.argsort(events.at[ends], kind="stable")
    ids, at = _bare(events.handles[ends][order]), events.at[ends][order]
    if not len(ids):
        return found
    names, last = np.unique(ids[::-1], return_index=True)
    times = at[::-1][last]
    place = np.searchsorted(names, _bare(found.ids))
    place[place == len(names)] = 0
    known = (names[place] == _bare(found.ids)) & ~found.is_alive & np.isnan(found.died_at)
    died_at = np.where(known, times[place], found.died_at)
    return replace(found, died_at=died_at)


def _of_events(events: Events, known: Ids) -> Lifetimes:
    """Handles whose birth an event tells, and which no snapshot shows."""
    births = np.flatnonzero((events.kinds == EventKind.CREATE) & (events.handles != 0))
    births = births[~np.isin(_bare(events.handles[births]), _bare(known))]
    _, first = np.unique(events.handles[births], return_index=True)
    births = births[first]
    count = len(births)
    part = Lifetimes(
        ids=events.handles[births],
        types=events.types[births],
        sites=events.sites[births],
        born_at=events.at[births],
        died_at=np.full(count, np.nan),
        is_alive=np.zeros(count, np.bool_),
        is_never_closed=np.zeros(count, np.bool_),
        native_refs=np.full(count, np.nan),
    )
    return _with_ends(part, events) if count else part


def _bare(ids: Ids) -> Ids:
    return ids & ~_ROW_BITS


def _taken(part: Lifetimes, rows: npt.NDArray[np.int64]) -> Lifetimes:
    return Lifetimes(**{each.name: getattr(part, each.name)[rows] for each in fields(part)})


def _joined(parts: list[Lifetimes]) -> Lifetimes:
    if not parts:
        nothing = np.empty(0, np.int64)
        flags = np.empty(0, np.bool_)
        times = np.empty(0)
        return Lifetimes(
            np.empty(0, np.uint64), nothing, nothing, times, times, flags, flags, times
        )
    return Lifetimes(
        **{
            each.name: np.concatenate([getattr(part, each.name) for part in parts])
            for each in fields(Lifetimes)
        }
    )


@dataclass(frozen=True, slots=True)
class Seconds:
    """Columns of one length, one element a type and second."""

    at: Ints
    """Whole seconds since the Unix epoch."""
    types: Ints
    live: Ints
    created: Ints
    """Since the segment began."""
    released: Ints


def seconds_of(course: tuple[Vitals, ...]) -> Seconds:
    """The last counters of each second, a row for each type that had a handle."""
    newest = {int(vitals.at): vitals for vitals in course}
    parts: list[tuple[Ints, ...]] = []
    for at, vitals in sorted(newest.items()):
        live = vitals.live_by_type()
        types = np.flatnonzero((live[: len(vitals.created)] != 0) | (vitals.created != 0))
        moment = np.full(len(types), at, np.int64)
        parts.append((moment, types, live[types], vitals.created[types], vitals.released[types]))
    if not parts:
        return Seconds(*(np.empty(0, np.int64) for _ in range(5)))
    return Seconds(*(np.concatenate(column) for column in zip(*parts, strict=True)))
