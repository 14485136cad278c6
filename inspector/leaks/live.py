"""The objects alive in this process, by handle, and leaks made of them. One thread."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple

from inspector.agent.holding import running_frames
from inspector.agent.process import following
from inspector.agent.segment_rows import OPEN_STATES, LiveRow, OwnSegment
from inspector.leaks.holding import Frames, Holder, HolderSearch, is_of_harness
from inspector.leaks.leak import Leak, frame_text
from inspector.leaks.measured import Measured
from inspector.wire import lib

COLLECTIONS: Final = 2
"""Full collections before a handle counts as alive: finalisers of the first may free what the
second finds."""
_PACKAGE: Final = str(Path(__file__).parents[1])

SAMPLE_MILLIS: Final = 2000
"""How long reading the counts may take; then they are those of the last pass, or not known."""

Handles = dict[int, LiveRow]


class Found(NamedTuple):
    """A leak and a handle of the leak."""

    leak: Leak
    handle: int


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

    def leaks(self, rows: Iterable[LiveRow], *, owner: str = "") -> list[Found]:
        """Grouped by type and place, the most frequent first."""
        groups: dict[tuple[str, bool, tuple[str, ...]], list[LiveRow]] = {}
        stacks: dict[int, tuple[str, ...]] = {}
        for row in rows:
            if row.created_site not in stacks:
                stacks[row.created_site] = _of_program(self._segment.stack(row.created_site))
            key = row.type, row.closes and row.resource in OPEN_STATES, stacks[row.created_site]
            groups.setdefault(key, []).append(row)
        found = [
            Found(Leak(name, len(group), stack, is_open, owner), group[0].handle)
            for (name, is_open, stack), group in groups.items()
        ]
        return sorted(found, key=lambda each: (-each.leak.count, each.leak.type, each.leak.stack))

    def explained(self, found: Sequence[Found], frames: Frames = running_frames) -> list[Leak]:
        """The leaks with the counts and the holder of one handle each."""
        if not found:
            return []
        lib.ai_sample(SAMPLE_MILLIS)
        rows = self.read()
        search = HolderSearch(os.getcwd(), frames)  # noqa: PTH109 - a text to compare with
        return [
            _explained(each.leak, rows.get(each.handle), search.holder_of(each.handle))
            for each in found
        ]

    def measured(self) -> Measured:
        """The number of followed classes, and the reasons why other classes are not followed."""
        state = following()
        followed = len({*state.classes, *self._segment.type_names()})
        return Measured(followed, state.refused, state.unfollowed)

    def close(self) -> None:
        """Read no more."""
        self._segment.__exit__(None, None, None)

    def _new(self, left_out: set[int]) -> Handles:
        return {handle: row for handle, row in self.read().items() if handle not in left_out}


def _of_program(frames: Sequence[tuple[str, int, str]]) -> tuple[str, ...]:
    """Frames as text, without the frames that run the program."""
    folder = os.getcwd()  # noqa: PTH109 - a text to compare with
    inner = takewhile(
        lambda frame: not is_of_harness(frame[0]) and not frame[0].startswith(_PACKAGE),
        frames,
    )
    return tuple(frame_text(*frame, folder) for frame in inner)


def _explained(leak: Leak, row: LiveRow | None, holder: Holder) -> Leak:
    return replace(
        leak,
        counts="" if row is None else counts_text(row.proxies, row.native),
        native=holder.native,
        path=holder.path,
        note=holder.note,
        cycle=holder.cycle,
        cut=holder.cut,
    )


def counts_text(proxies: int | None, native: int | None) -> str:
    """``1 proxy, 0 native references``; a count that is not known says so."""
    if proxies is None:
        first = "proxies not known"
    else:
        first = f"{proxies:,} {'proxy' if proxies == 1 else 'proxies'}"
    if native is None:
        return f"{first}, native references not known"
    return f"{first}, {native:,} native {'reference' if native == 1 else 'references'}"
