"""The changes between two ordered lists of keys, as the runs that a Qt model has to announce.

Pure; apart from the models so that it is tested without Qt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]

MAX_RUNS: Final = 64
"""More runs than that cost more to announce than the whole list."""


@dataclass(frozen=True, slots=True)
class Changes:
    """First remove, then reorder the rest, then insert; all runs are (first, last)."""

    removals: tuple[tuple[int, int], ...]
    """Rows of the old list, the last run first."""
    survivors_moved: bool
    """What stays is in another order."""
    insertions: tuple[tuple[int, int], ...]
    """Rows of the new list, the first run first."""


def plan_changes(old: Keys, new: Keys) -> Changes | None:
    """How to get from ``old`` to ``new``.

    ``None`` when a reset is cheaper, or a key is there twice.
    """
    if len(np.unique(old)) != len(old) or len(np.unique(new)) != len(new):
        return None
    stays, known = np.isin(old, new), np.isin(new, old)
    removals, insertions = _runs(~stays), _runs(~known)
    if len(removals) + len(insertions) > MAX_RUNS:
        return None
    return Changes(
        tuple(reversed(removals)), not np.array_equal(old[stays], new[known]), tuple(insertions)
    )


def _runs(wanted: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
    return [(int(begin), int(end) - 1) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
