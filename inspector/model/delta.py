"""The changes of the handle table between snapshots: a recording keeps only the changed rows.

Pure numpy; any thread; 100,000 rows take some 40 ms.
"""

from __future__ import annotations

from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import Handles, Ids, Snapshot

_SLOT_BITS = np.uint64(0xFFFF_FFFF)


def changes_since(before: Snapshot, after: Snapshot) -> tuple[Snapshot, Ids]:
    """``after`` with only its new or changed rows and new sites; and the ids that went."""
    new = _changed(before.handles, after.handles)
    gone = before.handles.ids[~np.isin(before.handles.ids, after.handles.ids)]
    sites = MappingProxyType(
        {index: site for index, site in after.sites.items() if index not in before.sites}
    )
    return replace(after, handles=_take(after.handles, new), sites=sites), gone


def applied(before: Snapshot, changed: Snapshot, gone: Ids) -> Snapshot:
    """The snapshot that ``changes_since(before, …)`` was made of."""
    kept = ~np.isin(before.handles.ids, gone) & ~np.isin(before.handles.ids, changed.handles.ids)
    old = _take(before.handles, kept)
    columns = {
        each.name: np.concatenate([getattr(old, each.name), getattr(changed.handles, each.name)])
        for each in fields(Handles)
    }
    order = np.argsort(columns["ids"] & _SLOT_BITS, kind="stable")
    handles = Handles(**{name: _frozen(column[order]) for name, column in columns.items()})
    return replace(
        changed, handles=handles, sites=MappingProxyType({**before.sites, **changed.sites})
    )


def _changed(before: Handles, after: Handles) -> npt.NDArray[np.bool_]:
    """Rows of ``after`` that ``before`` does not have, or has otherwise."""
    if not len(before) or not len(after):
        return np.ones(len(after), np.bool_)
    order = np.argsort(before.ids)
    at = np.searchsorted(before.ids, after.ids, sorter=order)
    at[at == len(before)] = 0
    at = order[at]
    other = before.ids[at] != after.ids
    for each in fields(Handles):
        old, new = getattr(before, each.name)[at], getattr(after, each.name)
        unlike = old != new
        other |= unlike & ~(np.isnan(old) & np.isnan(new)) if new.dtype.kind == "f" else unlike
    return np.asarray(other)


def _take(handles: Handles, rows: npt.NDArray[np.bool_]) -> Handles:
    return Handles(
        **{each.name: _frozen(getattr(handles, each.name)[rows]) for each in fields(Handles)}
    )


def _frozen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column.flags.writeable = False
    return column
