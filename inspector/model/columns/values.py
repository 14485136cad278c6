"""Numbers of the columns: to compare with and to sort by. Pure and vectorised; any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np

from inspector.model.counts import Flags
from inspector.model.snapshot import UNKNOWN, Floats, Handles, Ints, Snapshot
from inspector.model.states import alive, state_words
from inspector.model.stored_table import KeyKind, SortKey
from inspector.vocabulary import Reference, Resource

_SLOT_BITS: Final = np.uint64(0xFFFF_FFFF)


def counts(name: str) -> Callable[[Snapshot], Floats]:
    """Numbers of a column of ``Handles``."""

    def values(snapshot: Snapshot) -> Floats:
        column: Ints = getattr(snapshot.handles, name)
        return _known(column, column != UNKNOWN)

    return values


def native_refs(snapshot: Snapshot) -> Floats:
    """Native references, which may well be -1.

    They are unknown exactly when the strong count is.
    """
    return _known(snapshot.handles.native_refs, snapshot.handles.strong != UNKNOWN)


def ages(snapshot: Snapshot) -> Floats:
    """Seconds since the birth; of a dead row the seconds that it lived."""
    handles = snapshot.handles
    return np.where(alive(handles), snapshot.taken_at, handles.changed_at) - handles.created_at


def age_ranks(snapshot: Snapshot) -> Floats:
    """As ``ages``, but infinite for a live row whose birth was not seen.

    Most such rows were there before the agent.
    """
    return np.where(unseen_births(snapshot.handles), np.inf, ages(snapshot))


def unseen_births(handles: Handles) -> Flags:
    """Live rows whose birth was not seen: most were there before the agent."""
    return np.isnan(handles.created_at) & alive(handles)


def births(snapshot: Snapshot) -> Floats:
    """Seconds since the Unix epoch."""
    return snapshot.handles.created_at


def slots(snapshot: Snapshot) -> Floats:
    """Numbers of the slots."""
    return ((snapshot.handles.ids & _SLOT_BITS) >> np.uint64(1)).astype(np.float64)


def state_ranks(snapshot: Snapshot) -> Floats:
    """Alphabetical ranks of the states' words."""
    pairs = snapshot.handles.references.astype(np.int64) << 8 | snapshot.handles.resources
    present = np.flatnonzero(np.bincount(pairs, minlength=1)).tolist()
    return _picked(_pair_ranks(present), pairs)


def thread_ranks(snapshot: Snapshot) -> Floats:
    """Alphabetical ranks of the threads that created the rows."""
    return _picked(_thread_ranks(snapshot), snapshot.handles.created_threads)


def site_ranks(snapshot: Snapshot) -> Floats:
    """Alphabetical ranks of the lines where the rows were created."""
    return _picked(_site_ranks(snapshot), snapshot.handles.created_sites)


# keys that a stored table knows ------------------------------------------------------------------


def stored_count(name: str) -> Callable[[Snapshot], SortKey]:
    """A column of counts."""
    return lambda snapshot: SortKey(KeyKind.COUNT, name)


def stored_age(snapshot: Snapshot) -> SortKey:
    """The ages, as ``age_ranks``."""
    return SortKey(KeyKind.AGE)


def stored_slot(snapshot: Snapshot) -> SortKey:
    """The slots."""
    return SortKey(KeyKind.SLOT)


def stored_states(snapshot: Snapshot) -> SortKey:
    """As ``state_ranks``."""
    pairs = [reference << 8 | resource for reference in Reference for resource in Resource]
    return SortKey(KeyKind.RANKS, "references", _pair_ranks(pairs))


def stored_threads(snapshot: Snapshot) -> SortKey:
    """As ``thread_ranks``."""
    return SortKey(KeyKind.RANKS, "created_threads", _thread_ranks(snapshot))


def stored_sites(snapshot: Snapshot) -> SortKey:
    """As ``site_ranks``."""
    return SortKey(KeyKind.RANKS, "created_sites", _site_ranks(snapshot))


def _known(column: Ints, known: Flags) -> Floats:
    values: Floats = column.astype(np.float64)
    values[~known] = np.nan
    return values


def _thread_ranks(snapshot: Snapshot) -> Floats:
    return _name_ranks({index: row.name for index, row in snapshot.threads.items()})


def _site_ranks(snapshot: Snapshot) -> Floats:
    return _name_ranks({index: site.short() for index, site in snapshot.sites.items()})


def _name_ranks(names: Mapping[int, str]) -> Floats:
    """Alphabetical rank of each index's name; ``nan`` for indices without a name."""
    table = np.full(max((*names, 0)) + 1, np.nan)
    for rank, index in enumerate(
        sorted((i for i in names if names[i]), key=lambda i: (names[i].casefold(), i))
    ):
        table[index] = rank
    return table


def _picked(table: Floats, indices: Ints) -> Floats:
    """``table[indices]``; ``nan`` for indices beyond it."""
    inside = (indices >= 0) & (indices < len(table))
    return np.where(inside, table[np.where(inside, indices, 0)], np.nan)


def _pair_ranks(pairs: Iterable[int]) -> Floats:
    """The rank of each pair of states, by ``reference << 8 | resource``."""
    return _name_ranks({pair: state_words(pair >> 8, pair & 0xFF) for pair in pairs})
