"""The columns of the table of change, one line each. GUI thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from inspector.model import wording
from inspector.model.change_groups import RATE_SECS, GroupBy
from inspector.model.changes import ChangeRow, ChangeTable, RowKind

TREND: Final = "trend"


@dataclass(frozen=True, slots=True)
class ChangeColumn:
    """One column."""

    key: str
    title: str
    about: str
    """The meaning of the number, a sentence without a full stop."""
    width: int
    """Pixels; the first column takes the rest."""
    text: Callable[[ChangeRow, ChangeTable], str]
    tip: Callable[[ChangeRow, ChangeTable], str] = lambda _row, _table: ""
    """The exact value, or why it is unknown."""
    is_number: bool = True
    gives_way: int = 0
    """Columns with the highest number are left out first, together, where there is little room; 0:
    never."""


def change_text(value: float) -> str:
    """``+242``, ``−3``, ``0``; ``–`` when not known."""
    if math.isnan(value):
        return wording.UNKNOWN_TEXT
    return f"{value:+,.0f}".replace("-", "−") if round(value) else "0"


def _counted(row: ChangeRow) -> bool:
    return row.kind in (RowKind.OUTER, RowKind.INNER)


def _live(row: ChangeRow, _table: ChangeTable) -> str:
    return wording.number(row.live) if _counted(row) else ""


def _change(row: ChangeRow, table: ChangeTable) -> str:
    if row.kind is RowKind.HANDLE:
        baseline = table.facts.baseline
        return "new" if baseline is not None and row.oldest_at > baseline.at else ""
    return change_text(row.change) if _counted(row) else ""


def _change_tip(row: ChangeRow, table: ChangeTable) -> str:
    if not _counted(row):
        return ""
    if not math.isnan(row.change):
        since = table.facts.baseline
        return f"Live handles more or fewer than at {since.name if since else 'the baseline'}"
    if table.reason:
        return table.reason
    if table.query.filter.terms:
        return "The filter keeps a part of these handles, so their change is not known"
    return "The holders at the baseline are not known"


def _per_min(row: ChangeRow, _table: ChangeTable) -> str:
    return change_text(row.per_min) if _counted(row) else ""


def _per_min_tip(row: ChangeRow, table: ChangeTable) -> str:
    return "" if math.isnan(row.per_min) else f"Over the last {wording.age(table.since_secs)}"


def _rate(per_sec: float, row: ChangeRow) -> str:
    if not _counted(row):
        return ""
    return wording.rate(per_sec).removesuffix("/s")


def _rate_tip(row: ChangeRow, table: ChangeTable) -> str:
    if not _counted(row):
        return ""
    if table.query.filter.terms:
        return "Births and deaths are counted without a filter only"
    if math.isnan(row.births):
        return "Dead handles have left the table already, so this line has no rate of its own"
    return f"Each second, over the last {RATE_SECS:g} s"


def _oldest(row: ChangeRow, table: ChangeTable) -> str:
    if row.kind is RowKind.MORE or not (row.live > 0 or row.kind is RowKind.HANDLE):
        return wording.UNKNOWN_TEXT if _counted(row) else ""
    if row.is_dead:
        return "dead"
    age = wording.age(table.facts.snapshot.taken_at - row.oldest_at)
    return f"> {age}" if row.unseen and not math.isnan(row.oldest_at) else age


def _oldest_tip(row: ChangeRow, table: ChangeTable) -> str:
    unseen = f"{row.unseen:,} made before attach: their birth was not seen"
    if math.isnan(row.oldest_at):
        return unseen if row.unseen else ""
    born = f"{table.facts.snapshot.taken_at - row.oldest_at:,.1f} s, born "
    born += wording.clock(row.oldest_at)
    return f"{born}\n{unseen}" if row.unseen else born


def _waits(row: ChangeRow, _table: ChangeTable) -> str:
    if row.kind is RowKind.MORE:
        return ""
    return f"{row.waits:,}" if row.waits else wording.UNKNOWN_TEXT


def _waits_tip(row: ChangeRow, _table: ChangeTable) -> str:
    return f"{wording.plural(row.waits, 'pending close')}" if row.waits else "No close waits"


def _finding(row: ChangeRow, _table: ChangeTable) -> str:
    return "⚑ suspect" if row.finding is not None else ""


CHANGE_COLUMNS: Final = (
    ChangeColumn(
        "title",
        "Type ▸ made at",
        "The type, and below it the lines that made its handles",
        300,
        lambda row, _table: row.title,
        lambda row, _table: row.title,
        is_number=False,
    ),
    ChangeColumn("live", "Live", "Handles that are valid now", 72, _live),
    ChangeColumn(
        "change", "Change", "More or fewer than at the baseline", 80, _change, _change_tip
    ),
    ChangeColumn(
        "per_min", "per min", "The change for each minute", 76, _per_min, _per_min_tip, gives_way=2
    ),
    ChangeColumn(
        TREND,
        "Trend",
        "Live handles since attach, each line on its own scale",
        108,
        lambda _row, _table: "",
        is_number=False,
        gives_way=1,
    ),
    ChangeColumn(
        "births",
        "Born/s",
        "Handles created each second",
        70,
        lambda row, _table: _rate(row.births, row),
        _rate_tip,
        gives_way=4,
    ),
    ChangeColumn(
        "deaths",
        "Died/s",
        "Handles released each second",
        70,
        lambda row, _table: _rate(row.deaths, row),
        _rate_tip,
        gives_way=4,
    ),
    ChangeColumn("oldest", "Oldest", "Age of the oldest live handle", 72, _oldest, _oldest_tip),
    ChangeColumn(
        "waits",
        "Waits",
        "Closes that were asked for and have not run",
        60,
        _waits,
        _waits_tip,
        gives_way=3,
    ),
    ChangeColumn(
        "finding",
        "Finding",
        "A rule that found the row suspect",
        92,
        _finding,
        lambda row, _table: row.finding.headline if row.finding else "",
        is_number=False,
    ),
)
"""In the order of the table."""

HEADS: Final = {
    GroupBy.TYPE: "Type ▸ made at",
    GroupBy.SITE: "Made at ▸ type",
    GroupBy.HOLDER: "Held by ▸ type",
    GroupBy.THREAD: "Thread ▸ type",
    GroupBy.MARK: "Born ▸ type",
}
"""Title of the first column by the grouping."""


def column_place(key: str) -> int:
    """The place of the column called ``key``."""
    return [column.key for column in CHANGE_COLUMNS].index(key)
