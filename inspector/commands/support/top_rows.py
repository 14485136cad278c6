"""The tables of ``arc-inspector top``, from snapshots. Pure; any thread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.findings.finding import Facts
from inspector.model.findings.judge import judge
from inspector.model.findings.trend import Trend
from inspector.model.pending import pending_closes
from inspector.model.snapshot import Ints, Snapshot
from inspector.model.states import pending
from inspector.model.wording import UNKNOWN_TEXT, age, number, rate
from inspector.vocabulary import handle_text

MOST_ROWS: Final = 200
"""Rows of each table; nobody reads more, and the head says the number."""
TYPE_TITLES: Final = ("Type", "Live", "Change", "Born/s", "Died/s", "Pending")
PENDING_TITLES: Final = ("Handle", "Type", "Age", "Reason", "Waits for")
FINDING_TITLES: Final = ("Verdict", "Rule", "Finding")


Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TopRows:
    """One moment."""

    headline: str
    types: tuple[Cells, ...]
    """The largest change since the beginning first."""
    pending: tuple[Cells, ...]
    """The oldest first."""
    findings: tuple[Cells, ...]
    """Suspects first."""
    suspects: int
    left_out: int
    """Rows that the tables have no room for."""


class TopHistory:
    """Remembers the first snapshot, the one before, and the trend. One thread at a time."""

    def __init__(self) -> None:
        """Nothing was seen."""
        self._trend = Trend()
        self._first: Ints | None = None
        self._before: Snapshot | None = None
        self._rates: tuple[Ints, Ints, float] | None = None

    def rows(self, snapshot: Snapshot) -> TopRows:
        """Take a snapshot into account, and make the tables."""
        self._trend.observe(snapshot)
        if self._first is None:
            self._first = snapshot.vitals.live_by_type()
        before = self._before
        if before is None or snapshot.vitals.at > before.vitals.at:
            self._rates = _made(before, snapshot)
            self._before = snapshot
        kinds = _types(snapshot, self._first, self._rates)
        closes = _closes(snapshot)
        report = judge(Facts(snapshot, self._trend))
        found = report.findings
        found_rows = [
            (str(each.verdict), report.rule_of(each).title, each.headline) for each in found
        ]
        tables = (kinds, closes, found_rows)
        return TopRows(
            headline=_headline(snapshot),
            types=tuple(kinds[:MOST_ROWS]),
            pending=tuple(closes[:MOST_ROWS]),
            findings=tuple(found_rows[:MOST_ROWS]),
            suspects=len(report.suspects()),
            left_out=sum(max(len(each) - MOST_ROWS, 0) for each in tables),
        )


def _made(before: Snapshot | None, now: Snapshot) -> tuple[Ints, Ints, float] | None:
    """Births and deaths of each type between two snapshots, and the seconds between them."""
    if before is None:
        return None
    span_secs = now.vitals.at - before.vitals.at
    born = _minus(now.vitals.created, before.vitals.created)
    died = _minus(now.vitals.released, before.vitals.released)
    return born, died, span_secs


def _minus(now: Ints, before: Ints) -> Ints:
    """The difference; types that are new were 0 before."""
    return now - np.pad(before, (0, max(len(now) - len(before), 0)))[: len(now)]


def _types(snapshot: Snapshot, first: Ints, rates: tuple[Ints, Ints, float] | None) -> list[Cells]:
    live = snapshot.vitals.live_by_type()
    change = _minus(live, first)
    waiting = np.bincount(snapshot.handles.types[pending(snapshot.handles)], minlength=len(live))
    born, died, span_secs = rates or (None, None, 0.0)
    known = [index for index in snapshot.types if index < len(live)]
    known.sort(key=lambda index: (-abs(int(change[index])), -int(live[index]), index))
    return [
        (
            snapshot.types[index].name,
            number(int(live[index])),
            f"{int(change[index]):+,}" if change[index] else "0",
            _rate(born, span_secs, index),
            _rate(died, span_secs, index),
            number(int(waiting[index])),
        )
        for index in known
    ]


def _rate(made: Ints | None, span_secs: float, index: int) -> str:
    if made is None or index >= len(made) or span_secs <= 0:
        return UNKNOWN_TEXT
    return rate(float(made[index]) / span_secs)


def _closes(snapshot: Snapshot) -> list[Cells]:
    closes = pending_closes(snapshot)
    return [
        (
            handle_text(int(closes.ids[index])),
            closes.type_name(index) or UNKNOWN_TEXT,
            age(snapshot.taken_at - float(closes.since[index])),
            closes.reason(index),
            closes.waits_for_text(index) or UNKNOWN_TEXT,
        )
        for index in range(len(closes))
    ]


def _headline(snapshot: Snapshot) -> str:
    target, lost = snapshot.target, snapshot.lost.total()
    state = f"{target.state}: {target.reason}" if target.reason else str(target.state)
    cost = snapshot.cost.share
    parts = [
        f"{target.name} ({target.pid})",
        state,
        f"{number(snapshot.live_count())} live",
        f"lost {number(lost)}",
    ]
    if not math.isnan(cost):
        parts.append(f"tool costs {cost:.1%} of a core")
    return " · ".join(parts)
