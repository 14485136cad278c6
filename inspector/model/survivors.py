"""The oldest handles of a row of the table of change. Pure; any thread."""

from __future__ import annotations

import numpy as np

from inspector.model.changes import ChangeRow
from inspector.model.snapshot import Ints, Snapshot
from inspector.model.states import alive


def oldest_survivors(
    snapshot: Snapshot, row: ChangeRow, since: float, limit: int
) -> tuple[tuple[int, ...], int]:
    """The oldest live handles of a row that were born after ``since``, and how many there are.

    If none was born since, the oldest of all.
    """
    handles = snapshot.handles
    inside = alive(handles) & ((handles.types == row.type_index) | (not row.type_index))
    if not row.type_index and not row.site:
        inside[:] = False
    if row.site:
        sites = [index for index, each in snapshot.sites.items() if each.short() == row.site]
        inside &= np.isin(handles.created_sites, sites)
    with np.errstate(invalid="ignore"):
        newer = inside & (handles.created_at > since)
    rows: Ints = np.flatnonzero(newer if newer.any() else inside)
    rows = rows[np.argsort(handles.created_at[rows], kind="stable")]
    return tuple(int(each) for each in handles.ids[rows[:limit]]), len(rows)
