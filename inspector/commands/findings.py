"""``arc-inspector findings PID|FILE``: what deserves a look, with its evidence."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import platformdirs
import typer

from inspector.commands.support.opening import ReadOnly, Running, coverage_of
from inspector.commands.support.options import parse_span
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import PlainRow, about_value
from inspector.commands.support.sources import Source, opened_source
from inspector.commands.support.steps import STEPS
from inspector.errors import UNKNOWN_STATUS, FileFormatError, InspectorError, UsageError
from inspector.model.events import EventBatch, Events, joined
from inspector.model.exports.headlines import headline
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.judge import Report, judge
from inspector.model.findings.leaks import LeakSuspects
from inspector.model.findings.trend import Trend
from inspector.model.holders import CycleReport, joined_reports
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot, TargetState, Vitals
from inspector.session.mutes import MUTES_NAME, Mutes
from inspector.session.protocol import Session
from inspector.session.replay import ReplaySession
from inspector.session.searching import SEARCH_SECS, Search
from inspector.vocabulary import Level, handle_text

LOOK_SECS: Final = 0.25
"""From one observation to the next."""
LEAST_SECS: Final = 6.0
"""As long as a process is watched unless told, also when the rules could say sooner."""
MOST_SECS: Final = 30.0
"""As long as it is watched at most, unless told, when the rules cannot say."""
MOST_MOMENTS: Final = 600
"""Moments of a recording that are looked at."""
LEAKS: Final = LeakSuspects().key
MOST_ASKED: Final = 4
"""Leak suspects that are asked for cycles: each question walks through the target's heap."""
EVENT_SECS: Final = 5.0
"""How long reading the events may take."""
SIGNS: Final = {Verdict.SUSPECT: "!", Verdict.YOUNG: "…", Verdict.UNMEASURED: "?", Verdict.OK: "✓"}


@keeps_parts
def findings(
    source: Source,
    span: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="SPAN",
            help=("How long to watch; without it until the rules can say, 6 to 30 s."),
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    mute: Annotated[
        str,
        typer.Option(
            "--mute", metavar="KEY", help=("Mute the finding with this key; needs --reason.")
        ),
    ] = "",
    unmute: Annotated[
        str, typer.Option("--unmute", metavar="KEY", help=("Unmute the finding with this key."))
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why it is muted; kept and shown.")] = "",
    read_only: ReadOnly = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Watch a process for a while, or read a file, and print the findings.

    Exit status 1: there is a suspect. Exit status 4: none so far, but a rule on growth or counts
    cannot tell yet.
    """
    watch_secs = parse_span(span) if span else None
    if bool(mute) != bool(reason):
        raise UsageError("--mute KEY and --reason TEXT go together")
    mutes = Mutes(mutes_path())
    if mute:
        mutes.mute(mute, reason)
    if unmute:
        mutes.unmute(unmute)
    with opened_source(source, level=Level.HISTORY, read_only=read_only) as (session, first):
        found = judged(session, first, watch_secs, mutes.all())
    snapshot, report = found.snapshot, found.report
    if as_json:
        print_redacted(snapshot, kept, lambda redacted: report_value(redacted, report))
    else:
        _print(snapshot, report)
    raise typer.Exit(1 if report.suspects() else UNKNOWN_STATUS if report.undecided else 0)


def mutes_path() -> Path:
    """The file in which the viewer keeps muted findings."""
    return platformdirs.user_config_path("arc-inspector") / MUTES_NAME


def report_value(snapshot: Snapshot, report: Report) -> PlainRow:
    """The object that ``--json`` prints."""
    return about_value(snapshot) | {
        "observed_secs": report.observed_secs,
        "suspects": len(report.suspects()),
        "undecided": [rule.key for rule in report.undecided],
        "findings": [_finding_value(report, each) for each in report.findings],
    }


@dataclass(frozen=True, slots=True)
class Judged:
    """A state with the verdicts on it, and the counters that were seen on the way."""

    snapshot: Snapshot
    report: Report
    course: tuple[Vitals, ...]


def judged(
    session: Session, first: Snapshot, watch_secs: float | None, mutes: Mapping[str, str]
) -> Judged:
    """Look for so long, or at each moment of a recording, and judge. Raises ``InspectorError``."""
    STEPS.info("observing")
    snapshot, trend, course = _observe(session, first, watch_secs)
    STEPS.info("observed %d moments", len(course))
    coverage = coverage_of(session)
    facts = Facts(
        snapshot,
        trend,
        _events_of(session),
        coverage.unseen,
        coverage.lead,
        coverage.failed,
        coverage.closed_uses,
        coverage.hidden,
    )
    report = judge(facts, mutes=mutes)
    cycles = _cycles_through_suspects(session, report)
    if cycles is not None:
        report = judge(replace(facts, cycles=cycles), mutes=mutes)
    return Judged(snapshot, report, course)


def _cycles_through_suspects(session: Session, report: Report) -> CycleReport | None:
    """The cycles through a handle of each leak suspect; ``None``: none was looked for."""
    asked = [each.handles[-1] for each in report.suspects() if each.rule == LEAKS and each.handles]
    found = []
    for handle in asked[:MOST_ASKED]:
        with suppress(InspectorError, TimeoutError):
            found.append(session.cycles(handle, Search()).result(SEARCH_SECS))
    return joined_reports(found) if found else None


class _Observer:
    """Takes each snapshot of a session into a trend; pump thread."""

    def __init__(self, first: Snapshot) -> None:
        self.trend = Trend(min_gap_secs=LOOK_SECS / 2)
        self.newest = first
        self.course = [first.vitals]
        self.trend.observe(first)
        self._seen = threading.Condition()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        with self._seen:
            self.newest = snapshot
            self.course.append(snapshot.vitals)
            self.trend.observe(snapshot)
            self._seen.notify_all()

    def wait(self, watch_secs: float | None) -> None:
        """Wait exactly so long; ``None``: until the rules can say, within bounds.

        A target that writes no more ends it.
        """
        with self._seen:
            self._seen.wait_for(self._has_ended, LEAST_SECS if watch_secs is None else watch_secs)
            if watch_secs is None:
                self._seen.wait_for(
                    lambda: self._has_ended() or not self._is_worth_waiting(),
                    MOST_SECS - LEAST_SECS,
                )

    def _has_ended(self) -> bool:
        return self.newest.target.state not in (TargetState.LIVE, TargetState.HUNG)

    def _is_worth_waiting(self) -> bool:
        """Whether a rule cannot tell yet, and later looks may help.

        Counts of live handles may yet be sampled, and looks become more.
        """
        report = judge(Facts(self.newest, self.trend))
        is_young = any(report.verdict_of(rule) is Verdict.YOUNG for rule in report.undecided)
        return is_young or (bool(report.undecided) and len(self.newest.handles) > 0)

    def on_vitals(self, vitals: Vitals) -> None:
        """Not used."""


def _observe(
    session: Session, first: Snapshot, watch_secs: float | None
) -> tuple[Snapshot, Trend, tuple[Vitals, ...]]:
    """Look for so long, or at each moment of a recording.

    Any other session that does not change is looked at once.
    """
    if isinstance(session, ReplaySession):
        return (*_observe_recording(session), session.vitals)
    observer = _Observer(first)
    if isinstance(session, Running):
        session.set_interval(snapshot_secs=LOOK_SECS, vitals_secs=MOST_SECS)
        leave = session.subscribe(observer)
        observer.wait(watch_secs)
        leave()
    return observer.newest, observer.trend, tuple(observer.course)


def _observe_recording(session: ReplaySession) -> tuple[Snapshot, Trend]:
    """Every recorded moment that can be read, in order.

    So many moments of a long recording, evenly spread.
    """
    count = len(session.moments)
    trend = Trend(min_gap_secs=LOOK_SECS / 2)
    newest = session.latest
    for number in sorted(
        {round(each) for each in np.linspace(0, count - 1, min(count, MOST_MOMENTS))}
    ):
        with suppress(FileFormatError):  # the file's trouble says so
            newest = session.state_at(float(session.moments[number])).result()
            trend.observe(newest)
    return newest, trend


def _events_of(session: Session) -> Events | None:
    """The events that are still known; ``None`` if nothing was recorded."""
    try:
        batch: EventBatch = session.read_events().result(EVENT_SECS)
    except (InspectorError, TimeoutError):
        return None
    return joined([batch.events]) if len(batch.events) else None


def _finding_value(report: Report, finding: Finding) -> PlainRow:
    return {
        "key": finding.mute_key,
        "rule": finding.rule,
        "title": report.rule_of(finding).title,
        "verdict": str(finding.verdict),
        "headline": finding.headline,
        "subject": finding.subject or None,
        "evidence": list(finding.evidence),
        "filter": finding.filter or None,
        "handles": [handle_text(handle) for handle in finding.handles],
        "muted": finding.muted or None,
    }


def _print(snapshot: Snapshot, report: Report) -> None:
    say(headline(snapshot))
    for finding in report.findings:
        rule = report.rule_of(finding)
        muted = f"  (muted: {finding.muted})" if finding.muted else ""
        say(f"{SIGNS[finding.verdict]} {rule.title}: {finding.headline}{muted}")
        if finding.verdict is Verdict.SUSPECT and not finding.muted:
            _print_evidence(finding, rule.about)
        elif finding.verdict is Verdict.UNMEASURED:
            for line in finding.evidence:
                say(f"    {line}")
    say(f"{report.conclusion()}.")


def _print_evidence(finding: Finding, about: str) -> None:
    for line in (*finding.evidence, about):
        say(f"    {line}")
    if finding.handles:
        say(f"    {', '.join(handle_text(handle) for handle in finding.handles)}")
    say(f"    key: {finding.mute_key}")
