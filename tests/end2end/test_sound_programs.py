"""Sound programs over many packages: no rule suspects any of them."""

from __future__ import annotations

import re

import pytest

from inspector.model.events import joined
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.judge import Report, all_rules, judge
from inspector.model.findings.leaks import LeakSuspects
from inspector.model.findings.trend import Trend
from inspector.vocabulary import Level
from inspector.wire.declaration_files import shipped_names
from tests.helpers.targets import TARGETS, start_target
from tests.helpers.watching import rounds_of_looks, watched

ROUNDS = 9
WAIT_SECS = 60.0
PROGRAMS = re.findall(
    r"^    (\w+),$",
    (TARGETS / "sound.py").read_text().partition("PROGRAMS = (")[2].partition(")")[0],
    re.MULTILINE,
)
PACKAGES = {
    "bdkpython",
    "duckdb",
    "h5py",
    "io",
    "inspector",
    "mmap",
    "nostr_sdk",
    "socket",
    "sqlite3",
    "tokenizers",
    "zmq",
}


@pytest.fixture(scope="module")
def report() -> Report:
    """Every rule's findings after some rounds of all programs, which share a process."""
    pytest.importorskip("bdkpython")
    env = {"ARC_INSPECTOR_ADAPTERS": ":".join(shipped_names())}
    with (
        start_target("sound", env=env) as target,
        watched(target.ready["segment"], level=Level.STACKS) as watch,
    ):
        assert target.ready["programs"] == PROGRAMS
        trend = Trend(min_gap_secs=0.0, rise_gap_secs=0.0)
        target.ask("go")  # the objects that the programs keep exist from now on
        seen = watch.until(lambda snapshot: snapshot.sampled_at > 0, True)
        trend.observe(seen)
        for _ in rounds_of_looks(trend, ROUNDS):
            target.ask("go")
            seen = watch.sampled_from_now()
            trend.observe(seen)
        events = joined([watch.session.read_events().result(WAIT_SECS).events])
        rules = [
            LeakSuspects(min_span_secs=0.1) if isinstance(rule, LeakSuspects) else rule
            for rule in all_rules()
        ]
        assert target.finish() == 0, target.errors()
    return judge(Facts(seen, trend, events), rules)


def suspects_of(report: Report) -> list[Finding]:
    return [each for each in report.findings if each.verdict is Verdict.SUSPECT]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_sound_program_is_not_suspect(report: Report, program: str) -> None:
    assert [
        each for each in suspects_of(report) if re.search(rf"\b{program}\b", each.subject)
    ] == []


def test_nothing_else_is_suspect_and_the_rules_could_say(report: Report) -> None:
    assert suspects_of(report) == []
    assert report.undecided == ()


def test_twenty_programs_over_ten_packages_are_judged() -> None:
    text = (TARGETS / "sound.py").read_text()
    assert len(PROGRAMS) >= 20
    assert (
        len(
            {
                package
                for package in PACKAGES
                if re.search(rf"^(import|from) {package}\b", text, re.MULTILINE)
            }
        )
        >= 10
    )
