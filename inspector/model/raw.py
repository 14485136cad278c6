"""Copies of a segment's records, not yet interpreted.

Arrays are structured, their fields named as in the layout; the session derives their dtypes from
the compiled schema, so that the model depends on field names and on nothing native. Pure; any
thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from inspector.model.stored_table import StoredTable
from inspector.plain_text import printable

Records: TypeAlias = npt.NDArray[np.void]
"""Structured records, element 0 is the layout's record 0 (never used) unless said otherwise."""


@dataclass(frozen=True, slots=True)
class LayoutCodes:
    """The layout's numbers that the model must know."""

    running_borrows: int
    """Bits of the ``data`` of a call that runs: the call has no reference of its own; the row is of
    an argument."""
    running_argument: int
    busy: int
    """Bit of ``reference_state``."""
    strong_unknown: int
    count_unknown: int
    outer_unknown: int
    thread_free: int
    thread_live: int


@dataclass(frozen=True, slots=True)
class RawVitals:
    """The header (one record) and the types."""

    header: Records
    """Shape ``(1,)``."""
    types: Records

    def number(self, name: str) -> int:
        """A number of the header."""
        return int(self.header[name][0])


@dataclass(frozen=True, slots=True)
class RawState:
    """Everything for one snapshot."""

    vitals: RawVitals
    threads: Records
    rows: Records
    """Handle rows that are in use, in slot order."""
    indices: npt.NDArray[np.uint32]
    """The slot of each of ``rows``."""
    segment_bytes: int


@dataclass(frozen=True, slots=True)
class RawTable:
    """Everything for one snapshot, the rows in a store outside of Python."""

    vitals: RawVitals
    threads: Records
    table: StoredTable
    segment_bytes: int


def text_of(field: Any) -> str:
    """A NUL-padded UTF-8 field.

    Damaged bytes, and characters that are not for showing, become U+FFFD.
    """
    return printable(bytes(field).split(b"\0", 1)[0].decode("utf-8", "replace"))
