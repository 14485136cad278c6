"""Segments of dead processes: how many there are, and removing them.

Native code chooses and removes (``native/crates/segment/src/sweep.rs``).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

from inspector.attach.linux import segment_directories
from inspector.errors import InspectorError
from inspector.wire import ffi, lib
from inspector.wire.status import check, new_error
from inspector.wire.text import text_struct


class Extent(IntEnum):
    """How much is removed; as in native code."""

    OVERDUE = 0
    """Too old, or too many: as agents do when they start."""
    SETTLED = 1
    """All but those of the last few minutes, at which a person may be about to look."""
    EVERYTHING = 2


@dataclass(frozen=True, slots=True)
class Swept:
    """The segments that were removed, and the segments that stay."""

    removed: int = 0
    removed_bytes: int = 0
    kept: int = 0
    kept_bytes: int = 0
    troubles: tuple[str, ...] = ()
    """One line for each directory that could not be swept."""


def sweep(extent: Extent) -> Swept:
    """Remove segments of this user's dead processes. Any thread; takes a few milliseconds."""
    total = Swept()
    for directory in _own_directories():
        try:
            removed, removed_bytes, kept, kept_bytes = _sweep(directory, extent)
        except InspectorError as error:
            total = replace(total, troubles=(*total.troubles, f"{error}: {directory}"))
            continue
        total = replace(
            total,
            removed=total.removed + removed,
            removed_bytes=total.removed_bytes + removed_bytes,
            kept=total.kept + kept,
            kept_bytes=total.kept_bytes + kept_bytes,
        )
    return total


def _own_directories() -> Iterator[Path]:
    """Also for root only its own."""
    for directory in segment_directories():
        with contextlib.suppress(OSError):
            if directory.lstat().st_uid == os.geteuid():
                yield directory


def _sweep(directory: Path, extent: Extent) -> tuple[int, int, int, int]:
    text, held = text_struct(os.fsdecode(directory))
    swept, error = ffi.new("AiSwept *"), new_error()
    check(lib.ai_sweep(text, int(extent), swept, error), error)
    del held
    return swept.removed, swept.removed_bytes, swept.kept, swept.kept_bytes
