"""All rules at once, for the findings pane, the vital signs and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from inspector.model.findings.ahead import LimitsAhead
from inspector.model.findings.callbacks import FailedCallbacks
from inspector.model.findings.calls import LateCalls
from inspector.model.findings.closing import CloseCoverage, LatePending, NeverClosed
from inspector.model.findings.coverage import NotFollowed
from inspector.model.findings.cycles import NativeCycles
from inspector.model.findings.drift import CountDrifts
from inspector.model.findings.finding import Facts, Finding, Rule, Verdict
from inspector.model.findings.freed import FreedButHeld
from inspector.model.findings.leaks import LeakSuspects
from inspector.model.findings.memory import KEY as MEMORY_KEY
from inspector.model.findings.memory import MemoryGrowth
from inspector.model.findings.negative import NegativeReferences
from inspector.model.findings.orphans import Orphans
from inspector.model.findings.refused import RefusedUses
from inspector.model.findings.threads import OwnerEnded, WrongThread
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive

DECISIVE: Final = frozenset({"negative-references", "leak-suspect", "count-drift"})
"""Keys of the rules that say the most: where one of them cannot say, the program is not known to be
well."""
ORDER: Final = (Verdict.SUSPECT, Verdict.YOUNG, Verdict.UNMEASURED, Verdict.OK)

NOTHING_FOLLOWED: Final = "Nothing is followed: no class of this program is known"
NONE_OUTSIDE: Final = (
    "No handle of a UniFFI class and no object of a PyO3 class was found; other handles are not "
    "listed from outside"
)
MEASURED_ANYWAY: Final = frozenset({"limit-ahead", "not-followed", MEMORY_KEY})
"""Keys of the rules that look at more than rows: they say something also where nothing is
followed."""


def all_rules() -> tuple[Rule, ...]:
    """Every rule with its usual limits.

    First comes the rule about unfollowed classes, then the gravest first.
    """
    return (
        NotFollowed(),
        FreedButHeld(),
        FailedCallbacks(),
        NegativeReferences(),
        LeakSuspects(),
        NativeCycles(),
        CountDrifts(),
        RefusedUses(),
        NeverClosed(),
        LatePending(),
        LateCalls(),
        OwnerEnded(),
        WrongThread(),
        LimitsAhead(),
        MemoryGrowth(),
        Orphans(),
        CloseCoverage(),
    )


@dataclass(frozen=True, slots=True)
class Report:
    """The rules' findings at one moment."""

    at: float
    """Seconds since the Unix epoch; ``nan`` before the first look."""
    findings: tuple[Finding, ...]
    """Suspects first, muted ones after them; then what cannot be said yet, what is not measured,
    what is well."""
    rules: tuple[Rule, ...]
    observed_secs: float = 0.0
    undecided: tuple[Rule, ...] = ()
    """Decisive rules that cannot say: too young, or not measured, for all that they look at."""
    not_followed: str = ""
    """The libraries that no rule looks at: ``rpds and 2 more libraries``; ``""``: none is known."""

    def suspects(self) -> tuple[Finding, ...]:
        """The suspects that are not muted."""
        return tuple(
            each for each in self.findings if each.verdict is Verdict.SUSPECT and not each.muted
        )

    def conclusion(self) -> str:
        """How many suspects there are, or which rules cannot say yet.

        A sentence without a full stop.
        """
        suspects = len(self.suspects())
        if suspects:
            return f"{suspects} to look at"
        if self.undecided:
            titles = ", ".join(rule.title for rule in self.undecided)
            return f"Nothing is suspect so far, and it cannot be said yet of: {titles}"
        if self.not_followed:
            return f"Nothing followed is suspect; not followed: {self.not_followed}"
        return "Nothing is suspect"

    def memory(self) -> str:
        """The growth of memory beside that of live objects, a sentence; ``""``: it is small."""
        found = (each for each in self.findings if each.rule == MEMORY_KEY and each.evidence)
        return next((each.headline for each in found), "")

    @property
    def is_decided(self) -> bool:
        """Whether at least one decisive rule could say something."""
        return len(self.undecided) < sum(rule.key in DECISIVE for rule in self.rules)

    def verdict_of(self, rule: Rule) -> Verdict:
        """The gravest verdict of a rule; *ok* when it found nothing to say."""
        return next((each.verdict for each in self.findings if each.rule == rule.key), Verdict.OK)

    def rule_of(self, finding: Finding) -> Rule:
        """The rule that made it."""
        return next(rule for rule in self.rules if rule.key == finding.rule)


def judge(
    facts: Facts, rules: Sequence[Rule] = (), mutes: Mapping[str, str] | None = None
) -> Report:
    """Findings of ``rules`` (none: all). ``mutes``: reasons by the key of a finding."""
    applied = tuple(rules) or all_rules()
    found = {
        rule.key: [_muted(finding, mutes or {}) for finding in _checked(rule, facts)]
        for rule in applied
    }
    undecided = tuple(
        rule for rule in applied if rule.key in DECISIVE and not _can_say(facts, found[rule.key])
    )
    findings = _ordered(finding for each in found.values() for finding in each)
    return Report(
        facts.snapshot.taken_at,
        tuple(findings),
        applied,
        facts.trend.span_secs,
        undecided,
        "" if facts.lead is None else facts.lead.names,
    )


def muted_again(report: Report, mutes: Mapping[str, str]) -> Report:
    """The report with other mutes."""
    heard = (replace(each, muted="", muted_by="") for each in report.findings)
    return replace(report, findings=tuple(_ordered(_muted(each, mutes) for each in heard)))


def _checked(rule: Rule, facts: Facts) -> Sequence[Finding]:
    """A rule's findings; if nothing is followed, a finding about that."""
    if facts.snapshot.types or rule.key in MEASURED_ANYWAY:
        return rule.check(facts)
    return [Finding(rule.key, Verdict.UNMEASURED, why_empty(facts.snapshot))]


def why_empty(snapshot: Snapshot) -> str:
    """Why a snapshot has no live row; a sentence without a full stop."""
    if snapshot.target.from_outside:
        return NONE_OUTSIDE
    return "No followed handle is alive" if snapshot.types else NOTHING_FOLLOWED


def nothing_judged() -> Report:
    """Before the first look."""
    return Report(float("nan"), (), all_rules())


def _can_say(facts: Facts, findings: Sequence[Finding]) -> bool:
    """A rule judged something.

    If every object made has ended, nothing is left to be measured, and that is well.
    """
    verdicts = {each.verdict for each in findings}
    if verdicts == {Verdict.UNMEASURED}:
        return (
            bool(facts.snapshot.vitals.created.sum())
            and not facts.unseen
            and not alive(facts.snapshot.handles).any()
        )
    return verdicts != {Verdict.YOUNG}


def _muted(finding: Finding, mutes: Mapping[str, str]) -> Finding:
    key = next((key for key in finding.keys if key in mutes), "")
    return (
        replace(finding, muted=mutes[key], muted_by=key)
        if finding.verdict is Verdict.SUSPECT and key
        else finding
    )


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By verdict, muted suspects last; else as they came."""
    return sorted(findings, key=lambda each: (ORDER.index(each.verdict), bool(each.muted)))
