"""Each thread's handles: handles that it made, owns and calls, and closes that wait for it.

Columns are computed from a snapshot in one pass over the handle table. Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.filter import quoted
from inspector.model.snapshot import Floats, Ints, Snapshot, ThreadRow
from inspector.model.states import alive, pending
from inspector.model.stored_table import table_look, table_of
from inspector.vocabulary import Resource


@dataclass(frozen=True, slots=True)
class ThreadTable:
    """Threads that touched a handle, live threads first, then by index. One element a row."""

    threads: tuple[ThreadRow, ...]
    indices: Ints
    """Index of the thread in the snapshot."""
    created: Ints
    """Handles created on it since the segment began."""
    living: Ints
    """Rows that it created and that live."""
    owned: Ints
    """Living rows that only it may close."""
    released: Ints
    """Handles released on it since the segment began."""
    waiting: Ints
    """Pending closes that wait for it."""
    calls: Ints
    """Calls in flight on it, those nested too deep to be named among them."""
    oldest_call_at: Floats
    """When the oldest call in flight began; ``nan`` for none, or below level *history*."""
    stuck: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """It has ended, and closes wait for it."""

    def __len__(self) -> int:
        """Threads."""
        return len(self.threads)


def thread_table(snapshot: Snapshot | None) -> ThreadTable:
    """The threads of ``snapshot``; an empty table for ``None``."""
    threads = _in_order(snapshot) if snapshot else ()
    indices = _indices(threads)
    living, owned, waiting = (
        snapshot.fact(handle_counts) if snapshot else (np.empty(0, np.int64),) * 3
    )
    ended = np.array([not row.alive for row in threads], dtype=np.bool_)
    return ThreadTable(
        threads=threads,
        indices=indices,
        created=np.array([row.created for row in threads], dtype=np.int64),
        living=living,
        owned=owned,
        released=np.array([row.released for row in threads], dtype=np.int64),
        waiting=waiting,
        calls=np.array(
            [len(row.calls) + max(row.deeper_calls, 0) for row in threads], dtype=np.int64
        ),
        oldest_call_at=np.array([_oldest_call(row) for row in threads], dtype=np.float64),
        stuck=ended & (waiting > 0),
    )


def filter_text(thread: ThreadRow, key: str = "thread") -> str:
    """The handle filter for this thread: ``thread:"worker-3"`` or ``owner:"worker-3"``.

    A thread without a name is found by its number.
    """
    return f"{key}:{quoted(thread.search_name)}"


def handle_counts(snapshot: Snapshot) -> tuple[Ints, Ints, Ints]:
    """Handles of each thread of the table: created on it, owned by it, and waiting for it."""
    handles, indices = snapshot.handles, _indices(_in_order(snapshot))
    if table_of(handles) is not None:
        found = snapshot.fact(table_look)
        return found.created[indices], found.owned[indices], found.waiting[indices]
    live = alive(handles)
    waits = pending(handles) & (handles.resources == Resource.WAITING_OWNER)
    return (
        _per_thread(handles.created_threads[live], indices),
        _per_thread(handles.owner_threads[live], indices),
        _per_thread(handles.owner_threads[waits], indices),
    )


def _in_order(snapshot: Snapshot) -> tuple[ThreadRow, ...]:
    return tuple(sorted(snapshot.threads.values(), key=lambda row: (not row.alive, row.index)))


def _indices(threads: tuple[ThreadRow, ...]) -> Ints:
    return np.array([row.index for row in threads], dtype=np.int64)


def _per_thread(rows: Ints, indices: Ints) -> Ints:
    size = int(indices.max(initial=0)) + 1
    counts = np.bincount(rows[(rows >= 0) & (rows < size)], minlength=size)
    picked: Ints = counts[indices].astype(np.int64)
    return picked


def _oldest_call(row: ThreadRow) -> float:
    began = [call.began_at for call in row.calls if call.began_at == call.began_at]
    return min(began, default=float("nan"))
