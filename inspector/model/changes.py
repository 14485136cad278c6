"""The table of change: types, lines and handles, compared with a baseline.

The table answers "is something growing?": a row has its live handles, the change since the
baseline, rates, the oldest live handle and the pending closes. Pure numpy; any thread. A million
handles take some 200 ms, so the window computes it on a worker.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from inspector.model.change_facts import ChangeFacts
from inspector.model.change_findings import finding_of, types_found
from inspector.model.change_groups import RATE_SECS, GroupBy, Named, Tally, codes_of, tally
from inspector.model.change_trends import ChangeTrends
from inspector.model.churn_lines import Line
from inspector.model.filter import Filter, Mask
from inspector.model.findings.finding import Finding
from inspector.model.snapshot import Floats, Snapshot
from inspector.model.states import alive, pending, state_words
from inspector.vocabulary import handle_text

MOST_INNER: Final = 200
"""Rows below one outer row; the rest is one row that says how many there are."""
MOST_HANDLES: Final = 100
"""Handles below one line, the oldest first."""
NO_LINE: Final = Line(np.empty(0), np.empty(0))


class RowKind(StrEnum):
    """The meaning of a row."""

    OUTER = "outer"
    """A type, a thread, or another group."""
    INNER = "inner"
    """A line of a type, or a type of something else."""
    HANDLE = "handle"
    MORE = "more"
    """Rows that are left out."""


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """A person's query."""

    group_by: GroupBy = GroupBy.TYPE
    filter: Filter = field(default_factory=Filter)
    column: str = "change"
    """``key`` of the column to sort by."""
    descending: bool = True
    shows_dead: bool = False
    """Rows of types without a live handle and handles that are dead are shown too."""
    opened: frozenset[str] = frozenset()
    """Keys of rows whose handles are listed."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One row. Unknown numbers are ``nan``."""

    key: str
    """Names it through every refresh."""
    kind: RowKind
    title: str
    live: float = math.nan
    change: float = math.nan
    per_min: float = math.nan
    births: float = math.nan
    deaths: float = math.nan
    oldest_at: float = math.nan
    """Seconds since the Unix epoch."""
    unseen: int = 0
    """Live handles whose birth was not seen."""
    waits: int = 0
    trend: Line = NO_LINE
    finding: Finding | None = None
    type_name: str = ""
    type_index: int = 0
    """The type; 0: several."""
    site: str = ""
    """The line that made the handles, ``""``: several, or not recorded."""
    filter: str = ""
    """Filter for the rows behind the numbers."""
    handle: int = 0
    """Number of the handle in a handle's row; else 0."""
    is_dead: bool = False
    children: tuple[ChangeRow, ...] = ()

    @property
    def opens(self) -> bool:
        """Rows can be listed below it."""
        return bool(self.children) or (self.kind is RowKind.INNER and self.live > 0)


@dataclass(frozen=True, slots=True)
class ChangeTable:
    """The rows, sorted."""

    facts: ChangeFacts
    query: ChangeQuery
    rows: tuple[ChangeRow, ...]
    live: int
    """Live handles that the filter keeps."""
    dead: int
    """Dead handles that the snapshot still has and the filter keeps."""
    reason: str = ""
    """Why changes are not known; ``""`` when they are."""

    @property
    def since_secs(self) -> float:
        """Seconds since the baseline; ``nan`` without a baseline."""
        baseline = self.facts.baseline
        return self.facts.snapshot.taken_at - baseline.at if baseline else math.nan

    def row(self, key: str) -> ChangeRow | None:
        """The row with that key, also below another."""
        return next((row for row in walk(self.rows) if row.key == key), None)


def walk(rows: Sequence[ChangeRow]) -> list[ChangeRow]:
    """All rows and the rows below them, as they are shown."""
    return [each for row in rows for each in (row, *walk(row.children))]


SORT_KEYS: Final[Mapping[str, Callable[[ChangeRow], float]]] = MappingProxyType(
    {
        "live": lambda row: row.live,
        "change": lambda row: row.change,
        "per_min": lambda row: row.per_min,
        "births": lambda row: row.births,
        "deaths": lambda row: row.deaths,
        "oldest": lambda row: -row.oldest_at,
        "waits": lambda row: row.waits,
        "finding": lambda row: float(row.finding is not None),
    }
)
"""The number that a column sorts by; a column that is missing here sorts by the title."""


def sorted_rows(rows: Sequence[ChangeRow], query: ChangeQuery) -> tuple[ChangeRow, ...]:
    """Unknown values come last; equal rows are ordered by live handles, then by title."""
    number = SORT_KEYS.get(query.column)
    if number is None:
        found = sorted(rows, key=lambda row: row.title.casefold(), reverse=not query.descending)
        return tuple(found)
    sign = -1.0 if query.descending else 1.0

    def rank(row: ChangeRow) -> tuple[bool, float, float, str]:
        value = number(row)
        unknown = math.isnan(value)
        return (
            unknown,
            0.0 if unknown else sign * value,
            -np.nan_to_num(row.live),
            row.title.casefold(),
        )

    return tuple(sorted(rows, key=rank))


def change_table(
    facts: ChangeFacts, query: ChangeQuery, trends: ChangeTrends | None = None
) -> ChangeTable:
    """The table for these facts. ``trends`` remembers live counts from one call to the next."""
    snapshot = facts.snapshot
    same = facts.baseline is not None and facts.baseline.process == (
        snapshot.target.pid,
        snapshot.target.start_time,
    )
    facts = facts if same else replace(facts, baseline=None)
    kept = _kept(snapshot, query.filter)
    live = alive(snapshot.handles)
    counted = tally(snapshot, query.group_by, kept=kept, mark=facts.baseline, facts=facts)
    rows = sorted_rows(_Maker(facts, query, counted, kept, types_found(facts)).outer_rows(), query)
    table = ChangeTable(
        facts,
        query,
        rows,
        int(np.count_nonzero(live if kept is None else live & kept)),
        int(np.count_nonzero(~live if kept is None else ~live & kept)),
        "" if same else "No baseline of this process has been taken yet",
    )
    if trends is None:
        return table
    trends.observe(query.group_by, snapshot.taken_at, {row.key: row.live for row in _counted(rows)})
    return replace(table, rows=tuple(_with_trend(row, trends) for row in rows))


def with_trends(table: ChangeTable, trends: ChangeTrends) -> ChangeTable:
    """The table with small lines that take no observation of it."""
    return replace(table, rows=tuple(_with_trend(row, trends) for row in table.rows))


def _kept(snapshot: Snapshot, wanted: Filter) -> Mask | None:
    return wanted.mask(snapshot) if wanted.terms else None


def _counted(rows: Sequence[ChangeRow]) -> list[ChangeRow]:
    return [row for row in walk(rows) if row.kind in (RowKind.OUTER, RowKind.INNER)]


def _with_trend(row: ChangeRow, trends: ChangeTrends) -> ChangeRow:
    if row.kind not in (RowKind.OUTER, RowKind.INNER):
        return row
    return replace(
        row,
        trend=trends.line(row.key),
        children=tuple(_with_trend(child, trends) for child in row.children),
    )


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the rows of one table."""

    facts: ChangeFacts
    query: ChangeQuery
    counted: Tally
    kept: Mask | None
    found: Sequence[tuple[Finding, set[int]]]
    """Each finding, and the types of its handles: two types may have one name."""

    def outer_rows(self) -> list[ChangeRow]:
        counted = self.counted
        rows = []
        for first, last in counted.outer_spans():
            part = slice(first, last)
            inner = sorted_rows([self._inner(at) for at in range(first, last)], self.query)
            row = self._row(RowKind.OUTER, int(counted.outer[first]), part)
            if self._is_worth(row):
                children = [each for each in inner if self._is_worth(each)]
                rows.append(replace(row, children=_at_most(children, row.key)))
        return rows

    def _is_worth(self, row: ChangeRow) -> bool:
        """Types that made a handle stay; lines stay while they have a handle or a change."""
        if math.isnan(row.live):
            return True
        if self.kept is not None:
            return row.live > 0
        if row.live > 0 or abs(row.change) > 0:
            return True
        if row.kind is RowKind.OUTER and self.query.group_by is GroupBy.TYPE:
            return self.query.shows_dead or self._was_made(row)
        return self.query.shows_dead

    def _was_made(self, row: ChangeRow) -> bool:
        """A handle of the type was made since the baseline: its row stays."""
        code = int(row.key[1:])
        now, baseline = self.facts.snapshot.vitals.created, self.facts.baseline
        before = baseline.created if baseline is not None else now[:0]
        made = int(now[code]) if code < len(now) else 0
        return made > (int(before[code]) if code < len(before) else 0)

    def _inner(self, at: int) -> ChangeRow:
        row = self._row(RowKind.INNER, int(self.counted.inner[at]), slice(at, at + 1))
        if row.key in self.query.opened:
            return replace(row, children=self._handles(at, row.key))
        return row

    def _row(self, kind: RowKind, code: int, part: slice) -> ChangeRow:
        counted = self.counted
        named = counted.names(kind is RowKind.OUTER, part.start)
        live, change = float(counted.live[part].sum()), self._change(part)
        births, deaths = self._rates(kind, code, part)
        since = self.facts.snapshot.taken_at - self.facts.baseline.at if self.facts.baseline else 0
        key = named.key
        return ChangeRow(
            key,
            kind,
            named.title,
            live,
            change,
            change * 60 / since if since > 0 else math.nan,
            births,
            deaths,
            _smallest(counted.oldest_at[part]),
            int(counted.unseen[part].sum()),
            int(counted.pending[part].sum()),
            finding=finding_of(self._findings_on(named), named, is_line=kind is RowKind.INNER),
            type_name=named.type_name,
            type_index=named.type_index,
            site=named.site,
            filter=_row_filter(named.filter, self.query.shows_dead),
        )

    def _findings_on(self, named: Named) -> list[Finding]:
        """The findings whose handles are of the row's type, or gone."""
        return [
            finding
            for finding, types in self.found
            if not types or not named.type_index or named.type_index in types
        ]

    def _change(self, part: slice) -> float:
        """Not known without a baseline, and where the filter keeps only some of the handles."""
        counted = self.counted
        if self.facts.baseline is None or not counted.has_before:
            return math.nan
        if self.kept is not None and not np.array_equal(counted.live[part], counted.whole[part]):
            return math.nan
        return float((counted.live[part] - counted.before[part]).sum())

    def _rates(self, kind: RowKind, code: int, part: slice) -> tuple[float, float]:
        if self.kept is not None or not self.facts.snapshot.target.ran:
            return math.nan, math.nan
        if kind is RowKind.OUTER and self.query.group_by is GroupBy.TYPE:
            rates = self.facts.rates
            return rates.per_type(code) if rates is not None else (math.nan, math.nan)
        # looks from outside are rarer than the window, so their births and deaths are not of it
        if not self.counted.sees_all_deaths or self.facts.snapshot.target.from_outside:
            return math.nan, math.nan
        return (
            float(self.counted.births[part].sum()) / RATE_SECS,
            float(self.counted.deaths[part].sum()) / RATE_SECS,
        )

    def _handles(self, at: int, parent: str) -> tuple[ChangeRow, ...]:
        snapshot = self.facts.snapshot
        handles = snapshot.handles
        rows = np.flatnonzero(self._members(at))
        births = handles.created_at[rows]
        # handles of unknown birth are older than all handles of known birth
        rows = rows[np.argsort(np.where(np.isnan(births), -np.inf, births), kind="stable")]
        live, waits = alive(handles), pending(handles)
        suspects = {
            handle: finding
            for finding in reversed(self.facts.findings)
            for handle in finding.handles
        }
        found = [
            ChangeRow(
                f"{parent}/h{int(handles.ids[row])}",
                RowKind.HANDLE,
                f"{handle_text(int(handles.ids[row]))}  "
                f"{state_words(int(handles.references[row]), int(handles.resources[row]))}",
                oldest_at=float(handles.created_at[row]) if live[row] else math.nan,
                unseen=int(math.isnan(handles.created_at[row])),
                waits=int(waits[row]),
                handle=int(handles.ids[row]),
                is_dead=not live[row],
                finding=suspects.get(int(handles.ids[row])),
            )
            for row in rows[:MOST_HANDLES].tolist()
        ]
        return _with_more(found, len(rows) - len(found), parent, "handles")

    def _members(self, at: int) -> Mask:
        snapshot, counted = self.facts.snapshot, self.counted
        outer, inner = codes_of(snapshot, self.query.group_by, self.facts)
        inside: Mask = (outer == counted.outer[at]) & (inner == counted.inner[at])
        if self.kept is not None:
            inside &= self.kept
        return inside if self.query.shows_dead else inside & alive(snapshot.handles)


def _at_most(rows: Sequence[ChangeRow], parent: str) -> tuple[ChangeRow, ...]:
    return _with_more(list(rows[:MOST_INNER]), len(rows) - MOST_INNER, parent, "lines")


def _with_more(rows: list[ChangeRow], more: int, parent: str, noun: str) -> tuple[ChangeRow, ...]:
    if more <= 0:
        return tuple(rows)
    title = f"{more:,} more {noun}: group by None to list all"
    return (*rows, ChangeRow(f"{parent}/more", RowKind.MORE, title))


def _row_filter(source: str, shows_dead: bool) -> str:
    return source if shows_dead or not source else f"{source} state:live"


def _smallest(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.min()) if len(known) else math.nan
