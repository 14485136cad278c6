"""Stacks of threads as lines of a table: a line for each frame, the thread named on its first.

Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.snapshot import Ids, Snapshot
from inspector.model.stacks import Frame, ThreadStack

MOST_DEPTH = 1 << 12


@dataclass(frozen=True, slots=True)
class StackLine:
    """One line."""

    thread: ThreadStack
    depth: int
    """0: where it is; 1: who called that."""
    frame: Frame | None
    """``None``: it has no Python stack."""


@dataclass(frozen=True, slots=True)
class StackLines:
    """All lines, thread by thread.

    Holders of the interpreter's lock come first, then threads as the system lists them.
    """

    lines: tuple[StackLine, ...]
    keys: Ids
    threads: int

    def __len__(self) -> int:
        """Lines."""
        return len(self.lines)


def stack_lines(snapshot: Snapshot | None) -> StackLines:
    """The lines of ``snapshot``; none for ``None``."""
    threads = sorted(snapshot.stacks, key=lambda thread: not thread.holds_gil) if snapshot else ()
    lines = tuple(line for thread in threads for line in _lines(thread))
    keys = np.array([line.thread.tid * MOST_DEPTH + line.depth for line in lines], np.uint64)
    return StackLines(lines, keys, len(threads))


def _lines(thread: ThreadStack) -> list[StackLine]:
    if not thread.frames:
        return [StackLine(thread, 0, None)]
    return [
        StackLine(thread, depth, frame) for depth, frame in enumerate(thread.frames[:MOST_DEPTH])
    ]
