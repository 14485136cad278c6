"""The state of a window beside its snapshot: what a screenshot and a recording give back.

Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from inspector.model.change_groups import GroupBy
from inspector.model.change_trends import Observed
from inspector.model.events import Events, no_events
from inspector.model.findings.finding import Finding
from inspector.model.findings.judge import Report, all_rules
from inspector.model.findings.leads import Lead
from inspector.model.holders import CycleReport, Retainers
from inspector.model.marks import MarkedState
from inspector.model.readings import Readings
from inspector.model.stack_reading import StackReading
from inspector.model.time_marks import Mark

ATTACHED = -1
"""As the place of a baseline: the state when the session began."""


@dataclass(frozen=True, slots=True)
class Look:
    """The part of the session that a person looks at."""

    filter: str = ""
    group_by: GroupBy = GroupBy.TYPE
    column: str = "change"
    descending: bool = True
    shows_dead: bool = False
    opened: tuple[str, ...] = ()
    """Keys of the unfolded rows of the table of change."""
    row: str = ""
    """Key of the selected row of the table of change; ``""``: none."""
    handles: tuple[int, ...] = ()
    """Selected handles."""
    pane: str = ""
    """Key of the open pane of the drawer; ``""``: it is closed."""
    is_count: bool = False
    """The timeline shows counts, and no changes."""
    baseline: int = ATTACHED
    """Place of the baseline among the marks."""
    compared: tuple[int, ...] = ()
    """Places of the marks that are chosen in the pane *Compare*."""


@dataclass(frozen=True, slots=True)
class FoundHolders:
    """The answer to the question who holds a handle."""

    row: str
    """Key of the row of the table of change that the question was asked about."""
    handle: int
    retainers: Retainers


@dataclass(frozen=True, slots=True)
class SavedReport:
    """The rules' findings, as a file has them: rules by their keys."""

    at: float
    findings: tuple[Finding, ...]
    rules: tuple[str, ...]
    observed_secs: float
    undecided: tuple[str, ...]

    def report(self) -> Report:
        """The findings of the rules that this version knows."""
        rules = {rule.key: rule for rule in all_rules()}
        return Report(
            self.at,
            tuple(each for each in self.findings if each.rule in rules),
            tuple(rules[key] for key in self.rules if key in rules),
            self.observed_secs,
            tuple(rules[key] for key in self.undecided if key in rules),
        )


def saved_report(report: Report) -> SavedReport:
    """The report for a file."""
    return SavedReport(
        report.at,
        report.findings,
        tuple(rule.key for rule in report.rules),
        report.observed_secs,
        tuple(rule.key for rule in report.undecided),
    )


@dataclass(frozen=True, slots=True, eq=False)
class WindowState:
    """All of it; parts that a file lacks are empty."""

    look: Look = field(default_factory=Look)
    readings: Readings | None = None
    """Counters over time."""
    lines: tuple[Mark, ...] = ()
    """Vertical lines of the timeline."""
    attached: MarkedState | None = None
    """The state when the session began."""
    marks: tuple[MarkedState, ...] = ()
    report: SavedReport | None = None
    lead: Lead | None = None
    holders: tuple[FoundHolders, ...] = ()
    cycles: CycleReport | None = None
    stacks: StackReading | None = None
    trends: tuple[Observed, ...] = ()
    """For the small lines of the table."""
    plain: tuple[Observed, ...] = ()
    """For the small lines of the verdict strip, which groups by type without a filter."""
    events: Events = field(default_factory=no_events)
    trouble: str = ""
    """The parts that were left out or are damaged, a sentence without a full stop; ``""``: none."""
