"""The threads of births and ends: how many handles went from which thread to which.

Counted over the rows of one snapshot: the live rows, and the tombstones that are still readable.
Pure; any thread.
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
    """``counts[row, column]``: handles by creating and by ending thread.

    They were created on ``rows[row]`` and closed or released on ``columns[column]``.
    """

    rows: tuple[ThreadRow, ...]
    """The threads that created most come first."""
    columns: tuple[ThreadRow, ...]
    """The threads that ended most come first."""
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
    born, ended_on = created[gone], closed[gone]
    living = np.bincount(created[~gone], minlength=size)
    rows, other_rows = _largest(np.bincount(born, minlength=size) + living, snapshot, most)
    columns, other_columns = _largest(np.bincount(ended_on, minlength=size), snapshot, most)
    at_row, at_column = _places(rows, size), _places(columns, size)
    shown = (at_row[born] >= 0) & (at_column[ended_on] >= 0)
    pairs = at_row[born][shown] * len(columns) + at_column[ended_on][shown]
    counts = np.bincount(pairs, minlength=len(rows) * len(columns)).reshape(len(rows), len(columns))
    alive_on = living[[row.index for row in rows]].astype(np.int64)
    return ThreadMatrix(rows, columns, counts.astype(np.int64), alive_on, other_rows, other_columns)


def _places(shown: tuple[ThreadRow, ...], size: int) -> Ints:
    """Position of each thread among the shown threads, by its index; -1: it is left out."""
    places = np.full(size, -1, np.int64)
    places[[thread.index for thread in shown]] = np.arange(len(shown))
    return places


def _inside(indices: Ints, size: int) -> Ints:
    """Threads that the snapshot does not name count as none."""
    return np.where((indices >= 0) & (indices < size), indices, 0)


def _largest(
    sums: npt.NDArray[np.int64], snapshot: Snapshot, most: int
) -> tuple[tuple[ThreadRow, ...], int]:
    named = [index for index in np.flatnonzero(sums) if int(index) in snapshot.threads]
    named.sort(key=lambda index: (-int(sums[index]), int(index)))
    return tuple(snapshot.threads[int(index)] for index in named[:most]), max(len(named) - most, 0)
