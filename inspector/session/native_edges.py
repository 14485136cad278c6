"""Python objects that native objects hold, told by their destructors. Any thread.

The target is not asked: its memory is read from outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.attach.outside.memory import OutsideError, OutsideMemory
from inspector.attach.outside.python import find_python
from inspector.attach.outside.released import Released, released_by
from inspector.attach.outside.surroundings import Surroundings
from inspector.attach.outside.whatif import WhatIf
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.vocabulary import Kind

MOST_OBJECTS: Final = 5_000
"""Objects of one look whose destructors are tried."""
MOST_HELD: Final = 64
"""Objects of one native object that are told to the target."""
MOST_LINES: Final = 2_000
MOST_REASONS: Final = 3


@dataclass(frozen=True, slots=True)
class NativeEdges:
    """The Python objects that native objects hold."""

    lines: tuple[tuple[int, ...], ...]
    """A row, then the addresses of the objects that its object holds, never empty."""
    tried: int
    """Objects whose destructor was tried."""
    stopped: tuple[tuple[str, int], ...]
    """Why destructors were not followed to their end, each with the number of objects."""
    left_out: int
    """Objects that were not tried."""

    def note(self) -> str:
        """The extent, as one sentence; ``""``: there was no object."""
        if not self.tried:
            return ""
        stopped = sum(count for _, count in self.stopped)
        text = f"the destructors of {self.tried - stopped:,} of {self.tried:,} native objects told"
        text += " the Python objects that they hold"
        if self.stopped:
            text += f"; most other runs stopped because {self.stopped[0][0]}"
        if self.left_out:
            text += f"; {self.left_out:,} more objects were not tried"
        return text


def held_objects(
    pid: int, snapshot: Snapshot, own_destructors: Mapping[int, int], go_on: Callable[[], None]
) -> NativeEdges:
    """The objects that the living native objects of a target hold.

    ``own_destructors`` of classes whose slot is hooked, by the class's address. ``go_on`` raises
    to give up. Raises ``AttachError``.
    """
    rows = snapshot.handles
    chosen = np.flatnonzero(alive(rows) & _are_native(snapshot) & (rows.addresses != 0))
    tried = chosen[:MOST_OBJECTS]
    if not len(tried):
        return NativeEdges((), 0, (), 0)
    found = looked_at(pid, rows.addresses[tried].tolist(), own_destructors, go_on)
    lines = [
        (int(rows.ids[row]), *(each.address for each in one.python[:MOST_HELD]))
        for row, one in zip(tried.tolist(), found, strict=True)
        if one.python
    ]
    reasons = Counter(one.stopped for one in found if one.stopped)
    left_out = len(chosen) - len(tried) + max(len(lines) - MOST_LINES, 0)
    stopped = tuple(reasons.most_common(MOST_REASONS))
    return NativeEdges(tuple(lines[:MOST_LINES]), len(tried), stopped, left_out)


def looked_at(
    pid: int,
    places: Sequence[int],
    own_destructors: Mapping[int, int],
    go_on: Callable[[], None] = lambda: None,
) -> list[Released]:
    """The effects of each object's destructor; parameters as above. Raises ``AttachError``."""
    memory = OutsideMemory(pid)
    around = Surroundings(memory, find_python(pid))
    types = memory.words(np.array(places, np.uint64) + np.uint64(8)).tolist()
    kinds = [around.kind(type_) for type_ in types]
    if any(kind is None for kind in kinds) and all(kind is None for kind in kinds):
        raise OutsideError("no object is at the places that the target names")
    destructors = [
        0 if kind is None else own_destructors.get(type_, kind.destructor)
        for type_, kind in zip(types, kinds, strict=True)
    ]
    drops = WhatIf(memory, own_destructors).drops(places, destructors, go_on)
    return [released_by(drop, around) for drop in drops]


def _are_native(snapshot: Snapshot) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows are of classes of native libraries, whose row's address is the object."""
    words = (Kind.PYO3.word, Kind.DECLARED.word)
    kinds = {index for index, row in snapshot.types.items() if row.kind in words}
    return np.isin(snapshot.handles.types, list(kinds))
