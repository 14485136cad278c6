"""Each rule on a real process: a program with the defect is suspect, and names its place.

Its sound sibling is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.model.events import joined
from inspector.model.findings.ahead import LimitsAhead
from inspector.model.findings.calls import LateCalls
from inspector.model.findings.closing import CloseCoverage, LatePending, NeverClosed
from inspector.model.findings.drift import CountDrifts
from inspector.model.findings.finding import Facts, Finding, Rule, Verdict
from inspector.model.findings.judge import judge
from inspector.model.findings.leaks import LeakSuspects
from inspector.model.findings.negative import NegativeReferences
from inspector.model.findings.orphans import Orphans
from inspector.model.findings.refused import RefusedUses
from inspector.model.findings.threads import OwnerEnded, WrongThread
from inspector.model.findings.trend import Trend
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.vocabulary import Level
from tests.helpers.command_line import run_command
from tests.helpers.targets import Target, start_target
from tests.helpers.watching import Watch, rounds_of_looks, watched

WAIT_SECS = 20.0
ROUNDS = {"leak": 9, "drift": 6, "unclosed": 6}
"""Of the program; of those that are not named one is enough."""
RULES: dict[str, Callable[[], Rule]] = {
    "leak": lambda: LeakSuspects(min_span_secs=0.1),
    "drift": CountDrifts,
    "negative": NegativeReferences,
    "unclosed": NeverClosed,
    "pending": lambda: LatePending(limit_secs=0.001),
    "owner": OwnerEnded,
    "elsewhere": WrongThread,
    "refused": RefusedUses,
    "orphan": lambda: Orphans(min_age_secs=0.0),
    "descriptors": LimitsAhead,
    "late": lambda: LateCalls(limit_secs=0.001),
}


def observe(target: Target, watch: Watch, defect: str) -> tuple[Snapshot, Trend]:
    """One look after each round of the program, with counts that are newer than the round."""
    trend = Trend(min_gap_secs=0.0, rise_gap_secs=0.0)
    seen = watch.until(lambda snapshot: snapshot.sampled_at > 0, True)
    trend.observe(seen)
    least = ROUNDS.get(defect, 1)
    for _ in rounds_of_looks(trend, least) if defect == "leak" else range(least):
        target.ask("go")
        seen = watch.sampled_from_now()
        trend.observe(seen)
    return seen, trend


@contextmanager
def judged(defect: str, kind: str, rule: Rule) -> Iterator[list[Finding]]:
    """The rule's finding on the program after its rounds."""
    with (
        start_target("defects", defect, kind) as target,
        watched(target.ready["segment"], level=Level.STACKS) as watch,
    ):
        if defect == "negative":
            known = watch.until(
                lambda snapshot: bool((snapshot.handles.strong != UNKNOWN).any()), True
            )
            target.ask(f"spoil {int(known.handles.addresses[known.handles.addresses != 0][0])}")
        snapshot, trend = observe(target, watch, defect)
        events = joined([watch.session.read_events().result(WAIT_SECS).events])
        yield list(judge(Facts(snapshot, trend, events), (rule,)).findings)
        assert target.finish() == 0


@pytest.mark.parametrize("defect", RULES)
def test_a_program_with_the_defect_is_suspect(defect: str) -> None:
    with judged(defect, "bad", RULES[defect]()) as found:
        assert {each.verdict for each in found} == {Verdict.SUSPECT}, found
        assert found[0].headline
        assert found[0].evidence


@pytest.mark.parametrize("defect", RULES)
def test_its_sound_sibling_is_not(defect: str) -> None:
    with judged(defect, "good", RULES[defect]()) as found:
        assert [each.verdict for each in found] in ([Verdict.OK], [Verdict.UNMEASURED]), found


def test_close_coverage_tells_types_that_are_closed_from_those_that_are_not() -> None:
    with judged("unclosed", "bad", CloseCoverage()) as found:
        assert {each.subject: each.verdict for each in found}["Journal"] is Verdict.SUSPECT
    with judged("unclosed", "good", CloseCoverage()) as found:
        assert {each.subject: each.verdict for each in found}["Journal"] is Verdict.OK


def test_a_leak_names_the_line_that_made_what_stayed() -> None:
    with judged("leak", "bad", LeakSuspects(min_span_secs=0.1)) as found:
        assert "defects.py" in found[0].subject
        assert "TodoItem" in found[0].subject
        assert found[0].handles


def test_the_command_prints_suspects_and_ends_with_1_and_with_4_when_only_growth_is_open(
    tmp_path: Path,
) -> None:
    with start_target("defects", "unclosed", "bad") as target:
        target.ask("go")
        places = {"XDG_CONFIG_HOME": str(tmp_path)}
        done = run_command("findings", target.pid, "--for", "200ms", "--json", env=places)
        assert done.status == 1, done.err
        told = {each["rule"]: each for each in done.json["findings"]}
        assert told["never-closed"]["verdict"] == "suspect"
        assert told["leak-suspect"]["verdict"] == "too young to say"
        assert done.json["suspects"] == 1
        muted = run_command(
            "findings",
            target.pid,
            "--for",
            "200ms",
            "--mute",
            told["never-closed"]["key"],
            "--reason",
            "a test",
            env=places,
        )
        assert muted.status == 4, muted
        assert "muted: a test" in muted.out
        assert "cannot be said yet of: Leak suspects" in muted.out


def test_a_use_after_close_names_the_stacks_of_the_close_and_of_the_use() -> None:
    with judged("refused", "bad", RefusedUses()) as found:
        evidence = " | ".join(found[0].evidence)
    stack = r"on MainThread at defects\.py:(\d+) Refused\.go ← stepping\.py:\d+ serve"
    used = re.search(rf"Newest refused use: #\d+\.\d+ {stack}", evidence)
    closed = re.search(rf"#\d+\.\d+ was closed {stack}", evidence)
    assert used, evidence
    assert closed, evidence
    assert int(used[1]) > int(closed[1])


def test_a_mute_without_a_reason_is_wrong_use() -> None:
    run_command("findings", 1, "--mute", "never-closed").assert_one_line_error(2, "--reason")


def test_a_span_that_is_none_is_wrong_use() -> None:
    run_command("findings", 1, "--for", "soon").assert_one_line_error(2, "500ms", "soon")
