"""Native holders that the table itself shows: pending calls, and entries of callback maps.

Pure; any thread.

Their rows have the address of the object they keep alive, so the target need not be asked.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from inspector.model.counts import is_live
from inspector.model.holders import NamedHolder
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Kind

_KEEPERS: Final = {
    Kind.UNIFFI_CALL: "pending call {}",
    Kind.UNIFFI_FOREIGN: "callback map entry {}",
}
"""Kinds whose rows stand for a reference that native code holds on what is at their address, and
how that is named."""


def waits_at_site(snapshot: Snapshot, row: int) -> bool:
    """Whether a row's site is the line on which an awaited Python call waited at the first look.

    Otherwise it is the line that made the row.
    """
    is_seen_late = bool(np.isnan(snapshot.handles.created_at[row])) or snapshot.target.from_outside
    return is_seen_late and snapshot.kind_of(row) == Kind.UNIFFI_FUTURE


def keepers_of(snapshot: Snapshot, handle: int) -> tuple[NamedHolder, ...]:
    """Rows that keep the object of a handle alive, the oldest first.

    A call's own row has no keeper.

    At 100,000 rows less than a millisecond.
    """
    handles = snapshot.handles
    rows = np.flatnonzero(handles.ids == np.uint64(handle))
    if (
        not len(rows)
        or not handles.addresses[rows[0]]
        or snapshot.kind_of(int(rows[0])) == Kind.UNIFFI_CALL
    ):
        return ()
    same = np.flatnonzero(
        (handles.addresses == handles.addresses[rows[0]]) & is_live(handles.references)
    )
    keepers = [row for row in same.tolist() if snapshot.kind_of(row) in _KEEPERS]
    keepers.sort(key=lambda row: float(np.nan_to_num(handles.created_at[row], nan=-np.inf)))
    return tuple(_keeper(snapshot, row) for row in keepers)


def _keeper(snapshot: Snapshot, row: int) -> NamedHolder:
    handles = snapshot.handles
    label = _KEEPERS[snapshot.kind_of(row)].format(snapshot.types[int(handles.types[row])].name)
    return NamedHolder(label, 1, handle=int(handles.ids[row]), since=float(handles.created_at[row]))
