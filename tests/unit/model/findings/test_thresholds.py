"""Thresholds of the rules, to the unit, and reports that it is too early to tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from inspector.model.findings.ahead import LimitsAhead
from inspector.model.findings.drift import CountDrifts
from inspector.model.findings.finding import Facts, Rule, Verdict
from inspector.model.findings.judge import DECISIVE, Report, all_rules, judge
from inspector.model.findings.trend import Trend
from inspector.model.limits import Limit
from inspector.model.snapshot import UNKNOWN, Snapshot
from tests.helpers.snapshots import T0, Row, World, snapshot_of

SUSPECT, OK, YOUNG = Verdict.SUSPECT, Verdict.OK, Verdict.YOUNG


def facts_of(snapshots: Sequence[Snapshot]) -> Facts:
    trend = Trend()
    for snapshot in snapshots:
        trend.observe(snapshot)
    return Facts(snapshots[-1], trend)


def verdict(rule: Rule, snapshots: Sequence[Snapshot]) -> Verdict:
    (finding,) = rule.check(facts_of(snapshots))
    return finding.verdict


def limited(used: Sequence[int], capacity: int, every_secs: float = 1.0) -> list[Snapshot]:
    limit = "file descriptors"
    return [
        dataclasses.replace(
            snapshot_of(at=T0 + number * every_secs), limits=(Limit(limit, count, capacity),)
        )
        for number, count in enumerate(used)
    ]


@pytest.mark.parametrize(("used", "expected"), [(850, SUSPECT), (849, OK)])
def test_a_limit_is_near_from_85_percent_on(used: int, expected: Verdict) -> None:
    assert verdict(LimitsAhead(), limited([used], 1000)) is expected


@pytest.mark.parametrize(("capacity", "expected"), [(4004, SUSPECT), (4005, OK)])
def test_a_limit_is_ahead_when_it_is_used_up_within_the_hour(
    capacity: int, expected: Verdict
) -> None:
    used = [1000, 1001, 1002, 1003, 1004]  # one each second: 3000 or 3001 are left
    rule = LimitsAhead(soon_secs=3000.0)
    assert verdict(rule, limited(used, capacity)) is expected
    assert LimitsAhead().soon_secs == 3600.0


@pytest.mark.parametrize(("capacity", "expected"), [(5020, SUSPECT), (5021, OK)])
def test_below_a_fifth_in_use_a_rate_is_not_told(capacity: int, expected: Verdict) -> None:
    assert verdict(LimitsAhead(), limited([804, 854, 904, 954, 1004], capacity)) is expected


@pytest.mark.parametrize(("every_secs", "expected"), [(1.0, SUSPECT), (0.99, OK)])
def test_a_rate_needs_four_seconds(every_secs: float, expected: Verdict) -> None:
    assert verdict(LimitsAhead(), limited([300, 310, 320, 330, 340], 1000, every_secs)) is expected


def referred(native: Sequence[int]) -> list[Snapshot]:
    return [
        snapshot_of([Row(1, strong=refs + 1, native_refs=refs)], at=T0 + at)
        for at, refs in enumerate(native)
    ]


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ([0, 1, 2, 3], SUSPECT),
        ([0, 1, 2, 2], OK),
        ([0, 9, 9, 18], OK),
        ([0, 1, 1, 1, 2, 2, 2, 3], SUSPECT),
        ([0, 1, 2], YOUNG),
    ],
    ids=["three rises by three", "two rises", "two large rises", "slow", "three looks"],
)
def test_three_rises_by_three_or_more_in_four_looks_drift(
    native: Sequence[int], expected: Verdict
) -> None:
    assert verdict(CountDrifts(), referred(native)) is expected


def test_rises_that_come_to_too_little_do_not_drift() -> None:
    assert verdict(CountDrifts(min_growth=4), referred([0, 1, 2, 3])) is OK
    assert (CountDrifts().min_rises, CountDrifts().min_growth) == (3, 3)


def report_of(snapshots: Sequence[Snapshot]) -> Report:
    return judge(facts_of(snapshots))


def undecided(snapshots: Sequence[Snapshot]) -> set[str]:
    return {rule.key for rule in report_of(snapshots).undecided}


def steady(*rows: Row, secs: int = 6, world: World | None = None) -> list[Snapshot]:
    return [snapshot_of(rows, at=T0 + at, world=world) for at in range(secs)]


def test_a_report_is_decided_when_each_decisive_rule_could_say() -> None:
    assert undecided(steady(Row(1))) == set()


def test_growth_that_is_too_young_leaves_a_report_undecided() -> None:
    assert undecided(steady(Row(1), secs=2)) == {"leak-suspect", "count-drift"}


def test_counts_that_are_not_measured_leave_a_report_undecided() -> None:
    assert undecided(steady(Row(1, strong=UNKNOWN, native_refs=UNKNOWN))) == {
        "negative-references",
        "count-drift",
    }


def test_a_program_in_which_nothing_was_followed_is_not_called_well() -> None:
    assert undecided(steady()) == {"negative-references", "count-drift"}


def test_a_program_whose_objects_are_all_gone_is_decided() -> None:
    assert (
        undecided(steady(world=World(created={"TodoItem": 3}, released={"TodoItem": 3}))) == set()
    )


def test_the_decisive_rules_exist() -> None:
    assert {rule.key for rule in all_rules()} >= DECISIVE
