"""The facts of one table of change. Pure; any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inspector.model.findings.finding import Finding
from inspector.model.marks import MarkedState
from inspector.model.rates import RateWindow
from inspector.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """The facts of one table."""

    snapshot: Snapshot
    baseline: MarkedState | None = None
    """``None``, or of another process: changes are not known."""
    rates: RateWindow | None = None
    """Counters by type."""
    findings: tuple[Finding, ...] = ()
    """Suspects that are not muted."""
    marks: tuple[MarkedState, ...] = ()
    """In the order of their time; the borders of generations."""
    holders: Mapping[int, str] = field(default_factory=dict)
    """Holders of the handles that were asked about, by id."""
