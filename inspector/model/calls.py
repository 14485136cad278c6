"""Calls in flight: which thread uses which handle, since when. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.counts import is_live
from inspector.model.snapshot import Floats, Ids, Ints, Snapshot, ThreadRow
from inspector.model.stacks import Site
from inspector.vocabulary import kind_named


@dataclass(frozen=True, slots=True)
class Calls:
    """One element a call, the oldest first; calls of unknown age last."""

    handles: Ids
    threads: tuple[ThreadRow, ...]
    depths: Ints
    """0: the outermost of its thread."""
    began_at: Floats
    """``nan`` below level *history*."""
    rows: Ints
    """Row of the handle in the snapshot's table; -1 when it is not there."""
    snapshot: Snapshot | None = None

    def __len__(self) -> int:
        """Calls."""
        return len(self.handles)

    def type_name(self, call: int) -> str:
        """Type of the handle; ``""`` when not known."""
        row = int(self.rows[call])
        if row < 0 or self.snapshot is None:
            return ""
        found = self.snapshot.types.get(int(self.snapshot.handles.types[row]))
        return found.name if found else ""

    def site(self, call: int) -> Site | None:
        """The place that made the newest call on the handle, if it was recorded."""
        row = int(self.rows[call])
        if row < 0 or self.snapshot is None:
            return None
        handles, is_call = self.snapshot.handles, self.snapshot.kind_of(row).is_call
        return self.snapshot.sites.get(
            int((handles.created_sites if is_call else handles.last_sites)[row])
        )


def calls_in_flight(snapshot: Snapshot | None) -> Calls:
    """The calls of ``snapshot``; none for ``None``."""
    found = [
        (call, row, depth)
        for row in (snapshot.threads.values() if snapshot else ())
        for depth, call in enumerate(row.calls)
    ]
    found.sort(key=lambda each: (each[0].began_at != each[0].began_at, each[0].began_at))
    handles = np.array([call.handle for call, _, _ in found], dtype=np.uint64)
    return Calls(
        handles=handles,
        threads=tuple(row for _, row, _ in found),
        depths=np.array([depth for _, _, depth in found], dtype=np.int64),
        began_at=np.array([call.began_at for call, _, _ in found], dtype=np.float64),
        rows=_rows_of(handles, snapshot) if snapshot else np.empty(0, np.int64),
        snapshot=snapshot,
    )


def library_calls(snapshot: Snapshot) -> Ints:
    """Rows of calls that have not ended: calls into a library, and calls that a library awaits."""
    kinds = {index: kind_named(row.kind) for index, row in snapshot.types.items()}
    waiting = [index for index, kind in kinds.items() if kind.is_call and not kind.runs_on_thread]
    rows = np.flatnonzero(
        np.isin(snapshot.handles.types, waiting) & is_live(snapshot.handles.references)
    )
    listed = calls_in_flight(snapshot).rows
    running = [row for row in listed.tolist() if row >= 0 and snapshot.kind_of(row).runs_on_thread]
    return np.union1d(rows, np.array(running, np.int64)).astype(np.int64)


def _rows_of(handles: Ids, snapshot: Snapshot) -> Ints:
    places = {
        int(snapshot.handles.ids[row]): int(row)
        for row in np.flatnonzero(np.isin(snapshot.handles.ids, handles))
    }
    return np.array([places.get(int(handle), -1) for handle in handles], dtype=np.int64)
