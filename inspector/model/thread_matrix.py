"""Where handles were created and where they ended: how many went from which thread to which.

Counted over the rows of one snapshot: what lives, and the tombstones that are still readable. Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import Ints, Snapshot, ThreadRow
from inspector.model.states import ended

MOST: Final = 24
"""Threads a side that are shown; the rest are one."""


@dataclass(frozen=True, slots=True)
class ThreadMatrix:
    """``counts[row, column]``: handles created on ``rows[row]`` and closed or released on ``columns[column]``."""

    rows: tuple[ThreadRow, ...]
    """Those that created most first."""
    columns: tuple[ThreadRow, ...]
    """Those that ended most first."""
    counts: npt.NDArray[np.int64]
    living: Ints
    """Handles created on a row's thread that are open, or live and cannot be closed."""
    other_rows: int = 0
    """Threads that are left out because others created more."""
    other_columns: int = 0

    def __len__(self) -> int:
        """Threads that created something."""
        return len(self.rows)


def thread_matrix(snapshot: Snapshot, *, most: int = MOST) -> ThreadMatrix:
    """The matrix of ``snapshot``."""
    handles, threads = snapshot.handles, snapshot.threads
    gone = ended(handles)
    size = max(threads, default=0) + 1
    created = _inside(handles.created_threads, size)
    closed = _inside(handles.last_threads, size)
    counts = np.bincount(created[gone] * size + closed[gone], minlength=size * size).reshape(size, size)
    living = np.bincount(created[~gone], minlength=size)
    rows, other_rows = _largest(counts.sum(axis=1) + living, snapshot, most)
    columns, other_columns = _largest(counts.sum(axis=0), snapshot, most)
    picked = counts[np.ix_([row.index for row in rows], [column.index for column in columns])]
    alive_on = living[[row.index for row in rows]].astype(np.int64)
    return ThreadMatrix(rows, columns, picked.astype(np.int64), alive_on, other_rows, other_columns)


def _inside(indices: Ints, size: int) -> Ints:
    """Threads that the snapshot does not name count as none."""
    return np.where((indices >= 0) & (indices < size), indices, 0)


def _largest(sums: npt.NDArray[np.int64], snapshot: Snapshot, most: int) -> tuple[tuple[ThreadRow, ...], int]:
    named = [index for index in np.flatnonzero(sums) if int(index) in snapshot.threads]
    named.sort(key=lambda index: (-int(sums[index]), int(index)))
    return tuple(snapshot.threads[int(index)] for index in named[:most]), max(len(named) - most, 0)
