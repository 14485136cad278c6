"""The lead of a row of an answer: to a handle, a filter of handles, a line. Pure; any thread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from inspector.model.filter import quoted
from inspector.model.snapshot import Snapshot

_HANDLE: Final = re.compile(r"#(\d{1,10})\.(\d{1,10})")


@dataclass(frozen=True, slots=True)
class Lead:
    """The things in a row that the window can show."""

    handle: int = 0
    """0: none."""
    filter: str = ""
    """Filter of the handles that a row without a handle is about; ``""``: none."""
    file: str = ""
    line: int = 0


def lead_of(names: Sequence[str], row: Sequence[Any], snapshot: Snapshot | None) -> Lead:
    """The lead of a row: its handle, else its type and site as a filter; its file and line."""
    values = {
        name.casefold(): value for name, value in zip(names, row, strict=True) if value is not None
    }
    file, line = values.get("file"), values.get("line")
    place = (file, line) if isinstance(file, str) and isinstance(line, int) else ("", 0)
    for value in row:
        found = _HANDLE.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            return Lead(
                handle=_known(int(found[1]), int(found[2]), snapshot), file=place[0], line=place[1]
            )
    parts = [
        f"{name}:{quoted(values[name])}"
        for name in ("type", "site")
        if isinstance(values.get(name), str)
    ]
    return Lead(filter=" ".join(parts), file=place[0], line=place[1])


def _known(slot: int, generation: int, snapshot: Snapshot | None) -> int:
    """The handle's number, with the bit of foreign handles, which is not shown."""
    number = generation << 32 | slot << 1
    if number >= 1 << 64:
        return 0
    if snapshot is not None:
        ids = snapshot.handles.ids
        found = ids[ids >> np.uint64(1) == np.uint64(number >> 1)]
        if len(found):
            return int(found[0])
    return number
