"""Whether a table of handles would look the same as before except for its ages.

If so, it is not painted again.

Pure; any thread.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

import numpy as np

from inspector.model.snapshot import Handles, Snapshot
from inspector.model.stored_table import table_look, table_of

FRESH_SECS: Final = 10.0
"""Younger rows show tenths of seconds, and new and dying ones fade."""


def stands_still(before: Snapshot, now: Snapshot, *, moment_secs: float) -> bool:
    """Whether both have the same contents, and no row of ``now`` is fresh.

    A fresh row shows more than an age in whole seconds.
    """
    if before.serial == now.serial:
        return False
    return (
        not _is_fresh(now, max(moment_secs, FRESH_SECS))
        and _equal(before.handles, now.handles)
        and _threads(before) == _threads(now)
    )


def newest_change(snapshot: Snapshot) -> float:
    """When a handle was born or changed last, seconds since the Unix epoch; ``-inf``: unknown."""
    if table_of(snapshot.handles) is not None:
        return snapshot.fact(table_look).newest_change
    times = snapshot.handles.created_at, snapshot.handles.changed_at
    return float(max(np.fmax.reduce(each, initial=-np.inf) for each in times))


def _is_fresh(now: Snapshot, secs: float) -> bool:
    return now.fact(newest_change) > now.taken_at - secs


def _equal(first: Handles, second: Handles) -> bool:
    tables = table_of(first), table_of(second)
    if tables[0] is not None and tables[1] is not None:
        return tables[0].version == tables[1].version
    return all(
        _same(getattr(first, field.name), getattr(second, field.name)) for field in fields(Handles)
    )


def _threads(snapshot: Snapshot) -> list[object]:
    """The visible state of threads.

    A time that is not known equals itself, which ``nan`` does not.
    """
    rows = snapshot.threads.values()
    calls = [
        (call.handle, call.began_at if call.began_at == call.began_at else None)
        for row in rows
        for call in row.calls
    ]
    return [
        [
            (
                row.index,
                row.name,
                row.alive,
                row.created,
                row.released,
                len(row.calls),
                row.deeper_calls,
            )
            for row in rows
        ],
        calls,
    ]


def _same(first: object, second: object) -> bool:
    if first is second:
        return True
    if not isinstance(first, np.ndarray) or not isinstance(second, np.ndarray):
        return first == second
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
