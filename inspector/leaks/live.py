"""The objects alive in this process, by handle, and leaks made of them. One thread."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path, PurePath
from typing import Final

from inspector.agent.process import following
from inspector.agent.segment_rows import OPEN_STATES, LiveRow, OwnSegment
from inspector.leaks.leak import Leak, frame_text
from inspector.leaks.measured import Measured
from inspector.wire import lib

COLLECTIONS: Final = 2
"""Full collections before a handle counts as alive: finalisers of the first may free what the
second finds."""
HARNESSES: Final = frozenset({"_pytest", "pluggy", "<frozen runpy>"})
_PACKAGE: Final = str(Path(__file__).parents[1])

Handles = dict[int, LiveRow]


class LiveHandles:
    """Reads the segment of the agent that runs in this process. ``close`` it."""

    __slots__ = ("_segment",)

    def __init__(self, path: str) -> None:
        """Open the segment. Raises ``InspectorError``."""
        self._segment = OwnSegment(path)

    def read(self) -> Handles:
        """All that is alive now, by handle. Without any handle this costs next to nothing."""
        if not lib.ai_live_handles():
            return {}
        return {row.handle: row for row in self._segment.live_rows()}

    def read_after_collection(self, but: Iterable[int]) -> Handles:
        """The handles alive and not among ``but``, if needed after collecting garbage."""
        left_out = set(but)
        left = self._new(left_out)
        for _ in range(COLLECTIONS):
            if not left:
                break
            gc.collect()
            left = self._new(left_out)
        return left

    def leaks(self, rows: Iterable[LiveRow], *, owner: str = "") -> list[Leak]:
        """Grouped by type and place, the most frequent first."""
        counted: Counter[tuple[str, bool, tuple[str, ...]]] = Counter()
        stacks: dict[int, tuple[str, ...]] = {}
        for row in rows:
            if row.created_site not in stacks:
                stacks[row.created_site] = _of_program(self._segment.stack(row.created_site))
            counted[
                row.type, row.closes and row.resource in OPEN_STATES, stacks[row.created_site]
            ] += 1
        leaks = [
            Leak(name, count, stack, is_open, owner)
            for (name, is_open, stack), count in counted.items()
        ]
        return sorted(leaks, key=lambda leak: (-leak.count, leak.type, leak.stack))

    def measured(self) -> Measured:
        """The number of followed classes, and the reasons why other classes are not followed."""
        state = following()
        return Measured(len({*state.classes, *self._segment.type_names()}), state.refused)

    def close(self) -> None:
        """Read no more."""
        self._segment.__exit__(None, None, None)

    def _new(self, left_out: set[int]) -> Handles:
        return {handle: row for handle, row in self.read().items() if handle not in left_out}


def _of_program(frames: Sequence[tuple[str, int, str]]) -> tuple[str, ...]:
    """Frames as text, without the frames that run the program."""
    folder = os.getcwd()  # noqa: PTH109 - a text to compare with
    inner = takewhile(
        lambda frame: (
            HARNESSES.isdisjoint(PurePath(frame[0]).parts) and not frame[0].startswith(_PACKAGE)
        ),
        frames,
    )
    return tuple(frame_text(*frame, folder) for frame in inner)
