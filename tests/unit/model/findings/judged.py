"""Findings of a rule on snapshots, and snapshots that several tests judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from inspector.model.events import Events
from inspector.model.findings.finding import Facts, Finding, Rule, Verdict
from inspector.model.findings.trend import Trend
from inspector.model.snapshot import Snapshot
from tests.helpers.snapshots import T0, Row, snapshot_of

SUSPECT, YOUNG, OK, UNMEASURED = Verdict.SUSPECT, Verdict.YOUNG, Verdict.OK, Verdict.UNMEASURED


def found(
    rule: Rule, snapshots: Snapshot | Sequence[Snapshot], events: Events | None = None
) -> list[Finding]:
    observed = [snapshots] if isinstance(snapshots, Snapshot) else list(snapshots)
    trend = Trend()
    for snapshot in observed:
        trend.observe(snapshot)
    return list(rule.check(Facts(observed[-1], trend, events)))


def verdicts(
    rule: Rule, snapshots: Snapshot | Sequence[Snapshot], events: Events | None = None
) -> list[Verdict]:
    return [each.verdict for each in found(rule, snapshots, events)]


def growing(counts: Sequence[int], *, site: int = 1, lives_secs: float = 1e9) -> list[Snapshot]:
    """One snapshot a second with so many live handles, each made in the second in which it was
    first counted."""
    snapshots = []
    for at, count in enumerate(counts):
        born = [
            next((then for then in range(at + 1) if counts[then] > slot), at)
            for slot in range(count)
        ]
        rows = [
            Row(slot + 1, site=site, age_secs=min(at - then, lives_secs) + 0.5)
            for slot, then in enumerate(born)
        ]
        snapshots.append(snapshot_of(rows, at=T0 + at, serial=at + 1))
    return snapshots


def ended(closed: int, never_closed: int, rows: Sequence[Row] = ()) -> Snapshot:
    snapshot = snapshot_of(rows)
    types = {
        index: dataclasses.replace(row, closed=closed, never_closed=never_closed)
        if row.closes
        else row
        for index, row in snapshot.types.items()
    }
    return dataclasses.replace(snapshot, types=types)


def with_kind(snapshot: Snapshot, kind: str) -> Snapshot:
    types = {index: dataclasses.replace(row, kind=kind) for index, row in snapshot.types.items()}
    return dataclasses.replace(snapshot, types=types)
