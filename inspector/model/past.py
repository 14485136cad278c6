"""A snapshot of a moment that has passed, as far as it is still known. Pure; any thread.

Rows that live now, or have left a tombstone since, and were born by then lived at the moment.
Counters say how many handles lived in all, so that rows without a tombstone are counted. Facts that
may have changed since are unknown.
"""

from __future__ import annotations

from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import (
    UNKNOWN,
    Cost,
    Handles,
    Lost,
    Snapshot,
    Target,
    TargetState,
    ThreadRow,
    Vitals,
)
from inspector.model.states import alive
from inspector.model.stored import Check, stored_columns
from inspector.model.stored_table import picked
from inspector.vocabulary import Reference, Resource

NAN: Final = float("nan")
COUNTS: Final = tuple(
    name for name, how in stored_columns(Handles).items() if how.check is Check.COUNT
)
"""Columns whose values at an earlier moment are not known."""
LAST_USES: Final = ("last_threads", "last_sites")


def past_snapshot(newest: Snapshot, at: float, vitals: Vitals) -> Snapshot:
    """The state at ``at``, from the newest snapshot and the counters ``vitals`` of that moment."""
    handles = newest.handles
    live = alive(handles)
    with np.errstate(invalid="ignore"):
        later = handles.changed_at > at
        lived = ~(handles.created_at > at) & (live | later)
    rows = np.flatnonzero(lived)
    columns = {each.name: picked(handles, each.name, rows) for each in fields(Handles)}
    changed = later[rows]
    columns["references"] = np.where(
        changed, np.uint8(Reference.LIVE), columns["references"]
    ).astype(np.uint8)
    columns["resources"] = np.where(changed, np.uint8(Resource.NONE), columns["resources"]).astype(
        np.uint8
    )
    columns["changed_at"] = np.where(changed, NAN, columns["changed_at"])
    columns["requester_threads"] = np.where(changed, 0, columns["requester_threads"])
    columns |= {name: np.full(len(rows), UNKNOWN, np.int64) for name in COUNTS}
    columns |= {name: np.zeros(len(rows), np.int64) for name in LAST_USES}
    columns["changing"] = np.zeros(len(rows), np.bool_)
    found = np.bincount(columns["types"], minlength=len(vitals.lives))
    missing = np.maximum(vitals.live_by_type() - found[: len(vitals.lives)], 0)
    return replace(
        newest,
        taken_at=at,
        seen_at=newest.taken_at,
        missing=int(missing.sum()),
        target=_target(newest),
        handles=Handles(**{name: _frozen(column) for name, column in columns.items()}),
        threads=MappingProxyType(
            {index: _thread(row, at) for index, row in newest.threads.items() if _was(row, at)}
        ),
        vitals=vitals,
        lost=Lost(),
        cost=Cost(),
        sampled_at=NAN,
        last_close_secs=NAN,
        limits=(),
        deadlines=(),
        hidden_deadlines=0,
        stacks=(),
        notes=(),
    )


def _target(newest: Snapshot) -> Target:
    """The target as it is now: how it was then is not recorded, and what is over is a record."""
    target = newest.target
    if target.state in (TargetState.LIVE, TargetState.HUNG):
        return replace(target, state=TargetState.LIVE, reason="", state_since=NAN)
    return replace(
        target, state=TargetState.RECORDED, state_then=str(TargetState.LIVE), state_since=NAN
    )


def _was(row: ThreadRow, at: float) -> bool:
    return not row.started_at > at


def _thread(row: ThreadRow, at: float) -> ThreadRow:
    return replace(
        row,
        alive=not row.ended_at <= at,
        ended_at=row.ended_at if row.ended_at <= at else NAN,
        created=UNKNOWN,
        released=UNKNOWN,
        calls=(),
        deeper_calls=0,
    )


def _frozen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column.flags.writeable = False
    return column
