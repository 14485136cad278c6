"""Evidence: all that an export may show of a target, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from inspector.model.findings.judge import Report
from inspector.model.holders import NativeHolders, Retainers
from inspector.model.redaction import Redactor
from inspector.model.snapshot import Snapshot, Vitals


@dataclass(frozen=True, slots=True)
class HeldBy:
    """The holders of one handle; ``None``: the target could not be asked."""

    native: NativeHolders | None
    python: Retainers | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One state, its past as far as it is known, and the verdicts on it."""

    snapshot: Snapshot
    report: Report | None = None
    """``None``: nothing was judged."""
    course: tuple[Vitals, ...] = ()
    """Counters over time, oldest first."""
    holders: Mapping[int, HeldBy] = field(default_factory=lambda: MappingProxyType({}))
    """By the handles of suspects."""
    program: str = ""
    """Name and version of the tool."""
    left_out: str = ""
    """The private parts that were left out, in words."""


def redacted(evidence: Evidence, redactor: Redactor) -> Evidence:
    """The evidence without private parts."""
    snapshot = redactor.snapshot(evidence.snapshot)
    return Evidence(
        snapshot=snapshot,
        report=redactor.of(evidence.report),
        course=evidence.course,
        holders=redactor.of(evidence.holders),
        program=evidence.program,
        left_out=redactor.sentence(),
    )
