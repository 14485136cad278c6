"""The findings and the protocol of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from inspector.model.events import Events
from inspector.model.findings.leads import NOTHING_HIDDEN, ClosedUse, FailedCallback, Hidden, Lead
from inspector.model.findings.trend import Trend
from inspector.model.holders import CycleReport
from inspector.model.snapshot import Snapshot


class Verdict(StrEnum):
    """How sure a rule is."""

    SUSPECT = "suspect"
    YOUNG = "too young to say"
    OK = "ok"
    UNMEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts for rules."""

    snapshot: Snapshot
    trend: Trend
    """The earlier observations, the snapshot included."""
    events: Events | None = None
    """``None``: not recorded (below level *history*), or not read."""
    unseen: tuple[str, ...] = ()
    """Followed classes of which instances live that have no row."""
    lead: Lead | None = None
    """Classes that are not followed; ``None``: not known."""
    failed: tuple[FailedCallback, ...] | None = None
    """Calls of native code into Python objects that failed; ``None``: not known."""
    closed_uses: tuple[ClosedUse, ...] = ()
    """Uses of declared and UniFFI objects after their close."""
    hidden: Hidden = NOTHING_HIDDEN
    cycles: CycleReport | None = None
    """Cycles across the boundary; ``None``: not looked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict of one rule."""

    rule: str
    """Key of the rule."""
    verdict: Verdict
    headline: str
    """A sentence without a full stop."""
    subject: str = ""
    """The subject, the same in each run of the program: a type and a site. With ``rule`` it is
    what a person mutes."""
    former_subject: str = ""
    """The subject as an earlier version wrote it into the file of mutes: with the innermost frame,
    whosever that is."""
    evidence: tuple[str, ...] = ()
    """Facts with numbers, the strongest first; each a sentence without a full stop."""
    filter: str = ""
    """Filter that shows the rows; ``""``: there are none to show."""
    handles: tuple[int, ...] = ()
    """A few of the handles, for a closer look."""
    muted: str = ""
    """Why a person does not want to hear of it."""
    muted_by: str = ""
    """The key in the file of mutes that it is muted by; ``""``: it is not muted."""

    @property
    def key(self) -> str:
        """Names rule and subject for good."""
        return f"{self.rule}: {self.subject}" if self.subject else self.rule

    @property
    def mute_key(self) -> str:
        """The key to mute it by, or to hear of it again."""
        return self.muted_by or self.key

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys under which it may be muted: its own, and that of an earlier version."""
        former = self.former_subject
        return (
            (self.key, f"{self.rule}: {former}")
            if former and former != self.subject
            else (self.key,)
        )


class Rule(Protocol):
    """Something worth watching."""

    @property
    def key(self) -> str:
        """Short and stable: ``leak-suspect``."""

    @property
    def title(self) -> str:
        """For people: ``Leak suspects``."""

    @property
    def about(self) -> str:
        """The rule's subject, its importance and the remedy; one or two sentences."""

    def check(self, facts: Facts) -> Sequence[Finding]:
        """The suspects, or one finding that says why there is no suspect.

        The object is well, too young, or not measured.
        """
