"""Rows by kind and origin: the names of rules' suspects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.filter import quoted
from inspector.model.snapshot import Ints, Snapshot
from inspector.model.wording import age
from inspector.vocabulary import handle_text

SHOWN_HANDLES: Final = 5
"""Handles that a finding names."""
NO_SITE: Final = "an unknown place"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one type that were created at one site."""

    type_index: int
    type_name: str
    site_index: int
    site: str
    """The line that names the site, ``""`` when not recorded."""
    rows: Ints
    innermost: str = ""
    """The innermost line, which may be a library's."""

    def __len__(self) -> int:
        """Rows."""
        return len(self.rows)

    @property
    def subject(self) -> str:
        """``TodoItem from app.py:41 add``."""
        return f"{self.type_name} from {self.site}" if self.site else self.type_name

    @property
    def former_subject(self) -> str:
        """The subject by the innermost line, as an earlier version muted it."""
        return f"{self.type_name} from {self.innermost}" if self.innermost else self.type_name

    @property
    def filter(self) -> str:
        """Filter that shows rows of the type and the site."""
        return filter_of(self.type_name, self.site)


def grouped(snapshot: Snapshot, rows: npt.NDArray[np.int64]) -> list[Group]:
    """``rows`` of the handle table by type and site of creation, the largest group first."""
    if not len(rows):
        return []
    handles = snapshot.handles
    keys = handles.types[rows] << 32 | handles.created_sites[rows]
    distinct, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    parts = np.split(rows[order], np.cumsum(counts)[:-1])
    groups = [
        _group(snapshot, int(key) >> 32, int(key) & 0xFFFF_FFFF, part)
        for key, part in zip(distinct, parts, strict=True)
    ]
    return sorted(groups, key=len, reverse=True)


def _group(snapshot: Snapshot, type_index: int, site_index: int, rows: Ints) -> Group:
    site = snapshot.sites.get(site_index)
    innermost = site.innermost() if site else ""
    return Group(
        type_index,
        type_name(snapshot, type_index),
        site_index,
        site_name(snapshot, site_index),
        rows,
        innermost,
    )


def type_name(snapshot: Snapshot, index: int) -> str:
    """The type's name, or its number where it has none."""
    row = snapshot.types.get(index)
    return row.name if row and row.name else f"type {index}"


def site_name(snapshot: Snapshot, index: int) -> str:
    """The line that names a stack, ``""`` when not recorded."""
    site = snapshot.sites.get(index)
    return site.short() if site else ""


def stack_text(snapshot: Snapshot, index: int, *, most_frames: int = 4) -> str:
    """The innermost lines of a stack, ``b.py:2 f ← a.py:1 <module>``; ``""`` when not recorded."""
    site = snapshot.sites.get(index)
    return " ← ".join(frame.short() for frame in site.frames[:most_frames]) if site else ""


def filter_of(name: str, site: str = "", extra: str = "state:live") -> str:
    """Filter for the handles of a type, from one site."""
    return " ".join(
        filter(None, (f"type:{quoted(name)}", f"site:{quoted(site)}" if site else "", extra))
    )


def ids_of(snapshot: Snapshot, rows: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """A few of the handles, from the first on."""
    return tuple(int(handle) for handle in snapshot.handles.ids[rows[:SHOWN_HANDLES]])


def ids_filter(handles: Sequence[int]) -> str:
    """Filter for these very handles, including dead handles."""
    return "id:" + ",".join(handle_text(handle) for handle in handles) if handles else ""


def span(secs: float) -> str:
    """``41 s``, ``4 min``, ``3 h``, ``2 d``."""
    return "an unknown time" if math.isnan(secs) else age(secs)
