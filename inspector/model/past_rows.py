"""Rows of the table of change at an earlier moment. Pure; any thread.

Rows of handles are known in part there. Counters know how many handles of each type lived, but not
which line made the handles that have no row any more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from inspector.model.change_facts import ChangeFacts
from inspector.model.change_groups import GroupBy, type_named
from inspector.model.changes import ChangeRow, ChangeTable, RowKind, sorted_rows


def with_counters(table: ChangeTable) -> ChangeTable:
    """The table with the counts of the moment; a count that is not known is ``nan``."""
    snapshot, query = table.facts.snapshot, table.query
    if not snapshot.is_past or not snapshot.missing:
        return table
    if query.group_by is not GroupBy.TYPE or query.filter.terms:
        return replace(table, rows=tuple(map(_unknown, table.rows)))
    lives = snapshot.vitals.live_by_type()
    rows = [_of_type(row, int(lives[row.type_index]), table) for row in table.rows]
    rows += _without_handles(table.facts, {row.type_index for row in table.rows})
    return replace(table, rows=sorted_rows(rows, query))


def _of_type(row: ChangeRow, live: int, table: ChangeTable) -> ChangeRow:
    if live == row.live:
        return row
    change = row.change + live - row.live
    since = table.since_secs
    return replace(
        row,
        live=float(live),
        change=change,
        per_min=change * 60 / since if since > 0 else math.nan,
        oldest_at=math.nan,
        children=tuple(map(_unknown, row.children)),
    )


def _unknown(row: ChangeRow) -> ChangeRow:
    """More handles than the row knows may have lived."""
    if row.kind not in (RowKind.OUTER, RowKind.INNER):
        return row
    return replace(
        row,
        live=math.nan,
        change=math.nan,
        per_min=math.nan,
        oldest_at=math.nan,
        children=tuple(map(_unknown, row.children)),
    )


def _without_handles(facts: ChangeFacts, known: set[int]) -> Sequence[ChangeRow]:
    """Types whose handles of that moment have no row any more."""
    rows = []
    for index, live in enumerate(facts.snapshot.vitals.live_by_type().tolist()):
        if live > 0 and index not in known and index in facts.snapshot.types:
            named = type_named(facts, index)
            births, deaths = facts.rates.per_type(index) if facts.rates else (math.nan, math.nan)
            rows.append(
                ChangeRow(
                    named.key,
                    RowKind.OUTER,
                    named.title,
                    float(live),
                    births=births,
                    deaths=deaths,
                    type_name=named.type_name,
                    type_index=index,
                    filter=named.filter,
                )
            )
    return rows
