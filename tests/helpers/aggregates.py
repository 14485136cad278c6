"""Handles counted by type and by the line that made them.

Tests and benchmarks compare the counts of the native store with these. The window counts with
``inspector.model.change_groups``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.marks import MarkedState
from inspector.model.snapshot import UNKNOWN, Floats, Ids, Ints, Snapshot
from inspector.model.states import alive, among
from inspector.model.stored_table import Coded, Counting, MarkColumns, StoredTable, Ticket, table_of
from inspector.vocabulary import PENDING

_SITE_BITS: Final = np.int64(32)
_SITE_MASK: Final = np.int64(0xFFFF_FFFF)
_ID_BITS: Final = np.uint64(0xFFFF_FFFF)


@dataclass(frozen=True, slots=True, eq=False)
class Aggregates:
    """Counts, one element a line: a pair of type and site, ordered by type and then by site.

    All columns have one length and are read-only. ``UNKNOWN`` where a count is not known.
    """

    types: Ints
    """Index of the type."""
    sites: Ints
    """Index of the site of creation; 0: it was not recorded."""
    live: Ints
    """Handles that live."""
    pending: Ints
    """Live handles with a close that was asked for and has not run."""
    oldest_at: Floats
    """Birth of the oldest live handle whose birth was seen, seconds since the Unix epoch; ``nan``:
    there is none."""
    unseen: Ints
    """Live handles whose birth was not seen: the oldest may be among them."""
    before: Ints
    """Handles that lived at the mark; ``UNKNOWN`` without a mark."""
    born: Ints
    """Live handles that were made after the mark."""
    died: Ints
    """Handles that lived at the mark and live no more."""

    def __len__(self) -> int:
        """Lines."""
        return len(self.types)

    @property
    def change(self) -> Ints:
        """Live handles more or fewer than at the mark.

        Without a mark all elements are ``UNKNOWN``, and so is a change of -1: ask ``has_mark``.
        """
        return np.where(self.before == UNKNOWN, UNKNOWN, self.live - self.before)

    @property
    def has_mark(self) -> bool:
        """Whether the counts are compared with a mark."""
        return not len(self) or bool(self.before[0] != UNKNOWN)

    def by_type(self) -> Aggregates:
        """One line a type, its site 0."""
        return _merged(self, self.types, np.zeros(len(self), np.int64))

    def by_text(self, snapshot: Snapshot) -> Aggregates:
        """One line for each type and text of a line.

        Sites are stacks; two stacks that begin with the same line of the program become one line of
        the result, named by the lower index of a site.
        """
        first: dict[str, int] = {}
        named: Mapping[int, int] = {
            index: first.setdefault(snapshot.sites[index].short(), index)
            if index in snapshot.sites
            else index
            for index in sorted(set(self.sites.tolist()))
        }
        sites = np.array([named[index] for index in self.sites.tolist()], np.int64)
        return _merged(self, self.types, sites)


def aggregate(
    snapshot: Snapshot, mark: MarkedState | None = None, ticket: Ticket | None = None
) -> Aggregates:
    """Count the handles of ``snapshot`` by type and site, and compare them with ``mark``.

    ``mark`` is a mark of the same process; its indices of types and sites are the snapshot's.
    Raises ``ValueError`` for a mark of another process: ``diff`` compares these by name. A stored
    table counts without the interpreter's lock; a ``ticket`` that is given up ends it with
    ``InspectorError``.
    """
    handles = snapshot.handles
    if mark is not None and mark.process != (snapshot.target.pid, snapshot.target.start_time):
        raise ValueError("the mark is of another process")
    table = table_of(handles)
    if table is not None:
        return _stored(table, mark, ticket)
    rows = np.flatnonzero(alive(handles))
    keys = _keys(handles.types[rows], handles.created_sites[rows])
    old = np.zeros(0, np.int64) if mark is None else _keys(mark.types, mark.sites)
    lines = np.union1d(keys, old)
    at = np.searchsorted(lines, keys)
    births = handles.created_at[rows]
    unknown = np.full(len(lines), UNKNOWN, np.int64)
    counts = Aggregates(
        types=lines >> _SITE_BITS,
        sites=lines & _SITE_MASK,
        live=_count(at, len(lines)),
        pending=_count(at[among(handles.resources[rows], PENDING)], len(lines)),
        oldest_at=_oldest(at, births, len(lines)),
        unseen=_count(at[np.isnan(births)], len(lines)),
        before=unknown,
        born=unknown,
        died=unknown,
    )
    if mark is not None:
        was = np.searchsorted(lines, old)
        is_new, is_dead = _compared(handles.ids[rows], mark.ids)
        counts = replace(
            counts,
            before=_count(was, len(lines)),
            born=_count(at[is_new], len(lines)),
            died=_count(was[is_dead], len(lines)),
        )
    return _frozen(counts)


def _stored(table: StoredTable, mark: MarkedState | None, ticket: Ticket | None) -> Aggregates:
    """The same, by a stored table."""
    columns = None if mark is None else MarkColumns(mark.ids, mark.types, mark.sites)
    counting = Counting(Coded("types"), Coded("created_sites"), mark=columns, ticket=ticket)
    found = table.lines(counting)
    there = (found["live"] > 0) | (found["before"] > 0)
    unknown = np.full(int(np.count_nonzero(there)), UNKNOWN, np.int64)
    return _frozen(
        Aggregates(
            types=found["outer"][there],
            sites=found["inner"][there],
            live=found["live"][there],
            pending=found["pending"][there],
            oldest_at=found["oldest_at"][there],
            unseen=found["unseen"][there],
            before=unknown if mark is None else found["before"][there],
            born=unknown if mark is None else found["born"][there],
            died=unknown if mark is None else found["died"][there],
        )
    )


def _keys(types: Ints, sites: Ints) -> Ints:
    """One number for each pair of type and site; pairs sort by type first."""
    return types << _SITE_BITS | sites


def _count(at: Ints, size: int) -> Ints:
    return np.bincount(at, minlength=size).astype(np.int64)


def _oldest(at: Ints, births: Floats, size: int) -> Floats:
    oldest = np.full(size, np.inf)
    known = ~np.isnan(births)
    np.minimum.at(oldest, at[known], births[known])
    oldest[np.isinf(oldest)] = np.nan
    return oldest


def _compared(now: Ids, then: Ids) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Handles of ``now`` that ``then`` lacks, and handles of ``then`` that ``now`` lacks.

    Ids of one slot differ in their generation, and each slot holds one live handle.
    """
    if not len(now) or not len(then):
        return np.ones(len(now), np.bool_), np.ones(len(then), np.bool_)
    slots, old_slots = (now & _ID_BITS).astype(np.int64), (then & _ID_BITS).astype(np.int64)
    table = np.zeros(int(max(slots.max(), old_slots.max())) + 1, np.uint64)
    table[old_slots] = then
    is_new = table[slots] != now
    table[old_slots] = 0
    table[slots] = now
    return is_new, table[old_slots] != then


def _merged(counts: Aggregates, types: Ints, sites: Ints) -> Aggregates:
    """Lines of equal type and site added up."""
    lines, at = np.unique(_keys(types, sites), return_inverse=True)

    def total(column: Ints) -> Ints:
        sums = np.zeros(len(lines), np.int64)
        np.add.at(sums, at, column)
        return sums

    def compared(column: Ints) -> Ints:
        return total(column) if counts.has_mark else np.full(len(lines), UNKNOWN, np.int64)

    return _frozen(
        Aggregates(
            types=lines >> _SITE_BITS,
            sites=lines & _SITE_MASK,
            live=total(counts.live),
            pending=total(counts.pending),
            oldest_at=_oldest(at, counts.oldest_at, len(lines)),
            unseen=total(counts.unseen),
            before=compared(counts.before),
            born=compared(counts.born),
            died=compared(counts.died),
        )
    )


def _frozen(counts: Aggregates) -> Aggregates:
    for name in Aggregates.__slots__:
        getattr(counts, name).flags.writeable = False
    return counts
