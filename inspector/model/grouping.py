"""Which rows of a snapshot a table shows, grouped by type and in which order.

An ``Arrangement`` is only indices into the snapshot's columns, so a refresh copies no rows. Pure
and vectorised; any thread (the window computes large arrangements on a worker).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.columns import column_of
from inspector.model.filter import Filter, Mask
from inspector.model.snapshot import Floats, Handles, Ids, Ints, Snapshot
from inspector.model.states import alive, among
from inspector.model.stored_table import (
    Held,
    KeyKind,
    OrderQuestion,
    SortKey,
    StoredTable,
    Ticket,
    table_of,
)
from inspector.vocabulary import PENDING

_SLOT_BITS: Final = np.uint64(0xFFFF_FFFF)


@dataclass(frozen=True, slots=True)
class Query:
    """A person's query."""

    filter: Filter = field(default_factory=Filter)
    column: str = "age"
    """``key`` of the column to sort by."""
    descending: bool = True
    """Rows that are equal keep slot order either way; unknown values come last either way."""
    tombstones: bool = True
    """Show dead rows for as long as the snapshot has them."""
    moment_secs: float = 2.0
    """How long a row counts as new or dying; dying ones show although tombstones are hidden."""
    selected: tuple[int, ...] = ()
    """Handles that stay in sight when they die."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one type."""

    type_index: int
    name: str
    start: int
    """First element of ``Arrangement.order``."""
    stop: int
    handles: int
    """Live ones among the rows shown."""
    objects: int
    """Distinct objects behind them."""
    oldest_at: float
    """Birth of the oldest live row whose birth was seen, seconds since the epoch; ``nan`` when
    there is none."""
    pending: int = 0
    unseen: int = 0
    """Live ones whose birth was not seen: the oldest may be among them."""

    def __len__(self) -> int:
        """Rows, tombstones among them."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Rows in the order they are shown, grouped by type name."""

    snapshot: Snapshot
    query: Query
    order: Ints
    """Row of ``snapshot.handles`` for each row shown."""
    ids: Ids
    """Handle numbers in that order."""
    groups: tuple[Group, ...]
    arrived: Mask
    """Rows in that order that came since the last sort, when the order is held."""
    arrivals: int = 0
    """Those of them that stand at the end of their group instead of where they belong."""

    def __len__(self) -> int:
        """Rows, groups not counted."""
        return len(self.order)


def arrange(snapshot: Snapshot, query: Query, ticket: Ticket | None = None) -> Arrangement:
    """Filter, group and sort; tombstones whose moment is over sink to the end of their group.

    A stored table does it without the interpreter's lock; with a ``ticket`` it may be given up, and
    raises ``InspectorError`` then.
    """
    table = table_of(snapshot.handles)
    if table is not None:
        return _stored(table, snapshot, query, None, ticket)
    rows = np.flatnonzero(visible(snapshot, query))
    ranks, order_of_types = _type_ranks(snapshot)
    keys, late = _order(snapshot, query, rows)
    rows = rows[np.lexsort((keys, late, ranks[snapshot.handles.types[rows]]))]
    return _arrangement(
        snapshot, query, rows, order_of_types, arrived=np.zeros(len(rows), dtype=np.bool_)
    )


def hold(
    previous: Arrangement, snapshot: Snapshot, query: Query, ticket: Ticket | None = None
) -> Arrangement:
    """As ``arrange``, but shown rows keep their order.

    New rows are put, sorted, at the end of their group.
    """
    table = table_of(snapshot.handles)
    if table is not None:
        held = Held(previous.ids, previous.arrived)
        return _stored(table, snapshot, query, held, ticket)
    rows = np.flatnonzero(visible(snapshot, query))
    places = _places(previous, snapshot.handles.ids[rows])
    new = places < 0
    arrived = np.where(new, True, previous.arrived[np.maximum(places, 0)]) if len(previous) else new
    newcomers = np.flatnonzero(new)
    if len(newcomers):
        sorted_newcomers = np.lexsort(_order(snapshot, query, rows[newcomers]))
        places[newcomers[sorted_newcomers]] = len(previous) + np.arange(len(newcomers))
    ranks, order_of_types = _type_ranks(snapshot)
    keys = ranks[snapshot.handles.types[rows]] * (len(previous) + len(rows) + 1) + places
    if np.any(keys[1:] < keys[:-1]):
        order = np.argsort(keys, kind="stable")
        rows, arrived = rows[order], arrived[order]
    return _arrangement(snapshot, query, rows, order_of_types, arrived=arrived)


def _stored(
    table: StoredTable,
    snapshot: Snapshot,
    query: Query,
    held: Held | None,
    ticket: Ticket | None,
) -> Arrangement:
    """The same, by a stored table."""
    is_whole = not query.filter.terms and (query.tombstones or query.filter.names_tombstones())
    column = column_of(query.column)
    key = (
        column.stored_key(snapshot)
        if column.stored_key is not None
        else SortKey(KeyKind.GIVEN, numbers=_numbers(snapshot, query.column))
    )
    known = snapshot.types
    named = sorted(known, key=lambda index: (known[index].name.casefold(), index))
    ranks = np.arange(max(known, default=0) + 1) + len(named)
    ranks[named] = np.arange(len(named))
    found = table.order(
        OrderQuestion(
            shown=None if is_whole else visible(snapshot, query),
            type_ranks=ranks,
            key=key,
            descending=query.descending,
            now=snapshot.taken_at,
            moment_secs=query.moment_secs,
            held=held,
            ticket=ticket,
        )
    )
    groups, start = [], 0
    columns = {name: column.tolist() for name, column in found.groups.items()}
    for place, index in enumerate(columns["type_index"]):
        stop = start + columns["rows"][place]
        groups.append(
            Group(
                index,
                known[index].name if index in known else f"type {index}",
                start,
                stop,
                handles=columns["live"][place],
                objects=columns["objects"][place],
                oldest_at=columns["oldest_at"][place],
                pending=columns["pending"][place],
                unseen=columns["unseen"][place],
            )
        )
        start = stop
    ids = snapshot.handles.ids[found.rows]
    return Arrangement(
        snapshot, query, found.rows, ids, tuple(groups), found.arrived, found.arrivals
    )


def _order(snapshot: Snapshot, query: Query, rows: Ints) -> tuple[Floats, Ints]:
    """Sort key of each row, and a coarser key before it.

    The coarser key: 0 as usual, 1 unknown, 2 a tombstone whose moment is over.
    """
    keys = sort_keys(snapshot, query.column, rows)
    unknown = np.isnan(keys)
    keys = np.where(unknown, 0.0, -keys if query.descending else keys)
    handles = snapshot.handles
    over = ~(alive(handles) | recently(handles.changed_at, snapshot.taken_at, query.moment_secs))[
        rows
    ]
    return keys, np.where(over, 2, unknown).astype(np.int64)


def visible(snapshot: Snapshot, query: Query) -> Mask:
    """Rows that the query shows."""
    kept = (
        query.filter.mask(snapshot)
        if query.filter.terms
        else np.ones(len(snapshot.handles), dtype=np.bool_)
    )
    if not query.tombstones and not query.filter.names_tombstones():
        seen = alive(snapshot.handles) | recently(
            snapshot.handles.changed_at, snapshot.taken_at, query.moment_secs
        )
        if query.selected:
            seen |= np.isin(snapshot.handles.ids, np.array(query.selected, np.uint64))
        kept &= seen
    return kept


def recently(times: Floats, now: float, moment_secs: float) -> Mask:
    """Times of the last moment; unknown times are not."""
    with np.errstate(invalid="ignore"):
        return np.asarray(now - times < moment_secs)


def sort_keys(snapshot: Snapshot, key: str, rows: Ints) -> Floats:
    """A number a row that sorts as the column reads; ``nan`` for unknown."""
    return _numbers(snapshot, key)[rows]


def _numbers(snapshot: Snapshot, key: str) -> Floats:
    column = column_of(key)
    ranks = column.ranks or column.values
    if ranks is None:
        raise TypeError(f"the column {key} has nothing to sort by")
    return ranks(snapshot)


def _type_ranks(snapshot: Snapshot) -> tuple[Ints, list[int]]:
    """Rank of each type index in the order of names, and type indices in that order.

    Types without a row in ``types`` come last.
    """
    indices = np.flatnonzero(np.bincount(snapshot.handles.types, minlength=1))
    known = snapshot.types
    ordered = sorted(
        (int(i) for i in indices),
        key=lambda i: (i not in known, known[i].name.casefold() if i in known else "", i),
    )
    ranks = np.zeros(int(indices.max(initial=0)) + 1, dtype=np.int64)
    ranks[ordered] = np.arange(len(ordered))
    return ranks, ordered


def _places(previous: Arrangement, ids: Ids) -> Ints:
    """Position of each id in the previous order; -1: it was not shown."""
    if not len(previous) or not len(ids):
        return np.full(len(ids), -1, dtype=np.int64)
    old_slots = (previous.ids & _SLOT_BITS).astype(np.int64)
    slots = (ids & _SLOT_BITS).astype(np.int64)
    table = np.full(int(max(old_slots.max(), slots.max())) + 1, -1, dtype=np.int64)
    table[old_slots] = np.arange(len(previous))
    places = table[slots]
    same: npt.NDArray[np.bool_] = (places >= 0) & (previous.ids[places] == ids)
    return np.where(same, places, -1)


def _arrangement(
    snapshot: Snapshot, query: Query, rows: Ints, types: list[int], *, arrived: Mask
) -> Arrangement:
    handles = snapshot.handles
    kinds = handles.types[rows]
    size = max(types, default=0) + 1
    totals = np.bincount(kinds, minlength=size)
    live_rows = rows[alive(handles)[rows]]
    lives = np.bincount(handles.types[live_rows], minlength=size)
    objects = _object_counts(handles, live_rows, size)
    waiting = np.bincount(
        handles.types[live_rows[among(handles.resources[live_rows], PENDING)]], minlength=size
    )
    oldest = _oldest(handles, live_rows, size)
    unseen = np.bincount(
        handles.types[live_rows[np.isnan(handles.created_at[live_rows])]], minlength=size
    )
    groups = []
    start = 0
    for index in types:
        total = int(totals[index])
        if total:
            known = snapshot.types.get(index)
            name = known.name if known else f"type {index}"
            counts = (
                int(lives[index]),
                int(objects[index]),
                float(oldest[index]),
                int(waiting[index]),
                int(unseen[index]),
            )
            groups.append(Group(index, name, start, start + total, *counts))
            start += total
    arrivals = _misplaced(snapshot, query, rows, groups, arrived)
    return Arrangement(snapshot, query, rows, handles.ids[rows], tuple(groups), arrived, arrivals)


def _misplaced(
    snapshot: Snapshot, query: Query, rows: Ints, groups: list[Group], arrived: Mask
) -> int:
    """Arrived rows that a sort would put above a live row before them.

    Dead rows are on their way down and do not count.
    """
    if not arrived.any():
        return 0
    keys, late = _order(snapshot, query, rows)
    lives = alive(snapshot.handles)[rows]
    count = 0
    for group in groups:
        part = np.flatnonzero(lives[group.start : group.stop]) + group.start
        if arrived[part].any():
            ranks = np.empty(len(part), dtype=np.int64)
            ranks[np.lexsort((keys[part], late[part]))] = np.arange(len(part))
            count += int(np.count_nonzero(arrived[part] & (ranks < np.maximum.accumulate(ranks))))
    return count


def _object_counts(handles: Handles, rows: Ints, size: int) -> Ints:
    """Distinct addresses a type; rows without an address count as one object each."""
    order = rows[np.argsort(handles.addresses[rows], kind="stable")]
    addresses = handles.addresses[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (addresses[1:] != addresses[:-1]) | (addresses[1:] == 0)
    return np.bincount(handles.types[order[first]], minlength=size)


def _oldest(handles: Handles, rows: Ints, size: int) -> Floats:
    oldest = np.full(size, np.inf)
    births = handles.created_at[rows]
    known = ~np.isnan(births)
    np.minimum.at(oldest, handles.types[rows[known]], births[known])
    oldest[np.isinf(oldest)] = np.nan
    return oldest
