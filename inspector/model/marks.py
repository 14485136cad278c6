"""Marks: named states to compare.

A mark holds only the data for a diff: some 60 bytes a handle instead of the whole snapshot.

A mark is set now, from a snapshot, or later, for a moment that has passed: handles that live now
and were born before lived then, and tombstones show handles that have died since. Tombstones do not
last for ever, so a later mark says how many handles it may lack. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import UNKNOWN, Codes, Floats, Ids, Ints, Snapshot
from inspector.model.states import alive
from inspector.model.stored_table import picked

Identity = tuple[int, int]
"""Process id and start time."""


@dataclass(frozen=True, slots=True, eq=False)
class MarkedState:
    """The handles that lived at one moment.

    Columns are of one length, by id ascending, read-only.
    """

    name: str
    at: float
    """Seconds since the Unix epoch."""
    process: Identity
    program: str
    ids: Ids
    types: Ints
    sites: Ints
    strong: Ints
    """``UNKNOWN`` for handles that a later mark found, and for those never sampled."""
    resources: Codes
    created_at: Floats
    created: Ints
    """Handles made since the segment began, by type; empty for a later mark: not known."""
    type_names: Mapping[int, str]
    site_names: Mapping[int, str]
    """Innermost lines of the sites that are named."""
    missing_at_most: int = 0
    """Handles that lived then and may be missing: they died since, and their tombstones are gone.
    ``UNKNOWN``: they were not counted."""
    threads: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """Threads that made the handles; empty: not known."""

    @property
    def size_bytes(self) -> int:
        """Memory of its columns."""
        columns = (
            self.ids,
            self.types,
            self.sites,
            self.strong,
            self.resources,
            self.created_at,
            self.created,
        )
        return sum(each.nbytes for each in columns)

    def __len__(self) -> int:
        """Handles that lived."""
        return len(self.ids)

    @property
    def is_later(self) -> bool:
        """It was set for a moment that had passed."""
        return not len(self.created)


def mark_now(snapshot: Snapshot, name: str) -> MarkedState:
    """The state that the snapshot shows."""
    rows = np.flatnonzero(alive(snapshot.handles))
    return _mark(snapshot, rows, name, snapshot.taken_at, created=snapshot.vitals.created.copy())


def mark_later(
    snapshot: Snapshot, at: float, name: str, *, released_since: int | None
) -> MarkedState:
    """The state at ``at``, before ``snapshot`` was taken, as far as it is still known.

    ``released_since``: releases counted between the two moments; ``None``: not known.
    """
    handles = snapshot.handles
    live = alive(handles)
    with np.errstate(invalid="ignore"):
        born = ~(handles.created_at > at)
        died_since = ~live & (handles.changed_at > at)
    missing = UNKNOWN if released_since is None else max(released_since - int(died_since.sum()), 0)
    marked = _mark(
        snapshot,
        np.flatnonzero(born & (live | died_since)),
        name,
        at,
        created=np.empty(0, np.int64),
        missing=missing,
    )
    strong, resources = np.full(len(marked), UNKNOWN, np.int64), np.zeros(len(marked), np.uint8)
    return replace(marked, strong=_frozen(strong), resources=_frozen(resources))


def _mark(
    snapshot: Snapshot, rows: Ints, name: str, at: float, *, created: Ints, missing: int = 0
) -> MarkedState:
    handles = snapshot.handles
    rows = rows[np.argsort(handles.ids[rows])]
    sites = picked(handles, "created_sites", rows)
    return MarkedState(
        name=name,
        at=at,
        process=(snapshot.target.pid, snapshot.target.start_time),
        program=snapshot.target.name,
        ids=_frozen(picked(handles, "ids", rows)),
        types=_frozen(picked(handles, "types", rows)),
        sites=_frozen(sites),
        strong=_frozen(picked(handles, "strong", rows)),
        resources=_frozen(picked(handles, "resources", rows)),
        created_at=_frozen(picked(handles, "created_at", rows)),
        created=_frozen(created),
        type_names=MappingProxyType(
            {index: row.name or f"type {index}" for index, row in snapshot.types.items()}
        ),
        site_names=MappingProxyType(
            {
                int(index): snapshot.sites[int(index)].short()
                for index in np.flatnonzero(np.bincount(sites))
                if int(index) in snapshot.sites
            }
        ),
        missing_at_most=missing,
        threads=_frozen(picked(handles, "created_threads", rows)),
    )


def _frozen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column.flags.writeable = False
    return column
