"""The metrics of one process at one moment, from its snapshot and the rules' report. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from inspector.model.filter import parse
from inspector.model.findings.finding import Finding
from inspector.model.findings.judge import Report
from inspector.model.metrics.families import (
    BORN,
    CLOSED,
    DIED,
    ENDED,
    ENDINGS,
    FINDINGS,
    LIVE,
    LIVE_MOST,
    LOST,
    NEVER_CLOSED,
    PENDING,
    PENDING_AGE,
    PROCESSES,
    SUSPECT_HANDLES,
    UNDECIDED,
    Family,
    Series,
)
from inspector.model.metrics.service import Service, label
from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot, TypeRow
from inspector.model.stacks import Frame

MOST_SUSPECTS: Final = 50
"""Suspects of one process whose site has a series; the gravest come first."""
PER_TYPE: Final[tuple[tuple[Family, str], ...]] = (
    (BORN, "created"),
    (DIED, "released"),
    (CLOSED, "closed"),
    (NEVER_CLOSED, "never_closed"),
)
"""Counters of a type, with the fields of ``TypeRow`` that they come from."""


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """The values of one process."""

    identity: tuple[int, ...]
    """The file that they were read from: counters start again with another."""
    values: Mapping[Series, float]
    is_final: bool = field(default=False)
    """The process has ended; nothing more is read of it."""


def values_of(
    service: Service, snapshot: Snapshot, report: Report, *, state: str
) -> dict[Series, float]:
    """The metrics of a process that lives; ``state``: ``runs``, ``stopped`` or ``unknown``."""
    counters = counters_of(service, snapshot)
    gauges: Counter[Series] = Counter({Series(PROCESSES, (*service.labels, state)): 1})
    lives = snapshot.vitals.live_by_type()
    for index, row in snapshot.types.items():
        if index < len(lives):
            count, labels = max(int(lives[index]), 0), _type_labels(service, row)
            gauges[Series(LIVE, labels)] += count
            gauges[Series(LIVE_MOST, labels)] += count
    for rule in report.undecided:
        gauges[Series(UNDECIDED, (*service.labels, rule.key))] = 1
    values: dict[Series, float] = {**counters, **gauges}
    values |= dict(_pending(service, snapshot))
    values |= _findings(service, snapshot, report)
    return values


def counters_of(service: Service, snapshot: Snapshot) -> dict[Series, float]:
    """The values that never fall."""
    totals: Counter[Series] = Counter()
    for row in snapshot.types.values():
        labels = _type_labels(service, row)
        for family, name in PER_TYPE:
            totals[Series(family, labels)] += max(int(getattr(row, name)), 0)
    totals[Series(LOST, service.labels)] = snapshot.lost.total()
    for ending in ENDINGS:
        totals[Series(ENDED, (*service.labels, ending))] = 0
    return dict(totals)


def last_values(service: Service, snapshot: Snapshot, ending: str) -> dict[Series, float]:
    """The metrics that stay of a process that ended; ``ending`` is one of ``ENDINGS``."""
    return {**counters_of(service, snapshot), Series(ENDED, (*service.labels, ending)): 1}


def _pending(service: Service, snapshot: Snapshot) -> Iterator[tuple[Series, float]]:
    """The pending closes of each type that closes, and the age of the oldest."""
    closes = pending_closes(snapshot)
    indices = snapshot.handles.types[closes.rows] if len(closes) else np.zeros(0, np.int64)
    names = snapshot.types
    counts: Counter[tuple[str, ...]] = Counter()
    ages: dict[tuple[str, ...], float] = {}
    for row in names.values():
        if row.closes:
            counts[_type_labels(service, row)] += 0
    for index, since in zip(indices.tolist(), closes.since.tolist(), strict=True):
        if index in names:
            labels = _type_labels(service, names[index])
            counts[labels] += 1
            age = snapshot.taken_at - since
            if age == age:  # a close of unknown age has none
                ages[labels] = max(ages.get(labels, 0.0), age)
    for labels, count in counts.items():
        yield Series(PENDING, labels), count
        if not count or labels in ages:
            yield Series(PENDING_AGE, labels), ages.get(labels, 0.0)


def _findings(service: Service, snapshot: Snapshot, report: Report) -> dict[Series, float]:
    """How many suspects each rule found of each type, and the handles behind the gravest."""
    values: Counter[Series] = Counter()
    for place, finding in enumerate(report.suspects()):
        kind, site = _place(snapshot, finding)
        labels = (*service.labels, label(kind), finding.rule)
        values[Series(FINDINGS, labels)] += 1
        if place < MOST_SUSPECTS and finding.filter and site:
            rows = int(np.count_nonzero(parse(finding.filter).mask(snapshot)))
            values[Series(SUSPECT_HANDLES, (*labels, label(site)))] += rows
    return dict(values)


def _place(snapshot: Snapshot, finding: Finding) -> tuple[str, str]:
    """Type and site of a finding's handles; ``""``: it has none, or they are not known."""
    if finding.handles:
        rows = np.flatnonzero(snapshot.handles.ids == np.uint64(finding.handles[0]))
        if len(rows):
            row = snapshot.types.get(int(snapshot.handles.types[rows[0]]))
            site = snapshot.sites.get(int(snapshot.handles.created_sites[rows[0]]))
            return row.name if row else "", _site_label(site.frames[site.naming :]) if site else ""
    names = {row.name for row in snapshot.types.values()}
    return (finding.subject if finding.subject in names else ""), ""


def _site_label(frames: tuple[Frame, ...]) -> str:
    """The innermost frame with a line: an address differs from process to process."""
    return next((frame.short() for frame in frames if frame.line), "")


def _type_labels(service: Service, row: TypeRow) -> tuple[str, ...]:
    return (*service.labels, label(row.name))
