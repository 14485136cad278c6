"""Rules on growth: handles that never fall back, and references that only rise."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from inspector.model.findings.drift import CountDrifts
from inspector.model.findings.finding import Facts, Verdict
from inspector.model.findings.leaks import LeakSuspects
from inspector.model.findings.trend import Trend
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.model.stacks import Frame, Site
from tests.helpers.events import events_of
from tests.helpers.snapshots import T0, Row, handle_id, snapshot_of
from tests.unit.model.findings.judged import (
    OK,
    SUSPECT,
    UNMEASURED,
    YOUNG,
    found,
    growing,
    verdicts,
)


def test_a_count_that_never_falls_back_is_a_leak_suspect() -> None:
    (finding,) = found(LeakSuspects(), growing([5 + 5 * n for n in range(10)]))
    assert finding.verdict is SUSPECT
    assert finding.subject == "TodoItem from app.py:41 add"
    assert finding.filter == 'type:"TodoItem" site:"app.py:41 add" state:live'
    assert finding.evidence[0] == "TodoItem: 5 → 50 live in 9.0 s, and never back"


@pytest.mark.parametrize("kind", ["uniffi_running", "uniffi_call", "uniffi_future"])
def test_calls_that_become_more_are_no_objects_that_leak(kind: str) -> None:
    snapshots = growing([5 + 5 * n for n in range(10)])
    calls = {
        index: dataclasses.replace(row, kind=kind) for index, row in snapshots[-1].types.items()
    }
    assert verdicts(
        LeakSuspects(), [dataclasses.replace(snapshot, types=calls) for snapshot in snapshots]
    ) == [OK]


def test_growth_is_not_measured_while_instances_live_that_have_no_row() -> None:
    trend = Trend(min_gap_secs=0.0)
    snapshots = growing([40] * 10)
    for snapshot in snapshots:
        trend.observe(snapshot)
    (finding,) = LeakSuspects().check(Facts(snapshots[-1], trend, unseen=("rpds.HashTrieMap",)))
    assert (finding.verdict, finding.headline) == (
        UNMEASURED,
        ("Births cannot be seen of rpds.HashTrieMap"),
    )


def adopted(counts: Sequence[int]) -> list[Snapshot]:
    """A snapshot each second with so many live handles whose births were not seen."""
    unseen = [
        [Row(slot + 1, site=0, age_secs=math.nan) for slot in range(count)] for count in counts
    ]
    return [snapshot_of(rows, at=T0 + at, serial=at + 1) for at, rows in enumerate(unseen)]


def test_handles_whose_births_nobody_saw_grow_like_others() -> None:
    (finding,) = found(LeakSuspects(), adopted([300 + 30 * n for n in range(10)]))
    assert finding.verdict is SUSPECT
    assert finding.evidence[0] == "TodoItem: 300 → 570 live in 9.0 s, and never back"
    assert verdicts(LeakSuspects(), adopted([300] * 10)) == [OK]
    assert verdicts(LeakSuspects(), adopted([300, 600, *[900] * 8])) == [OK]


def test_the_place_that_left_most_is_named_first() -> None:
    snapshots = growing([0] * 10)
    for at in range(10):
        rows = [Row(slot + 1, site=2, age_secs=at - slot // 2 + 0.5) for slot in range(2 * at)]
        rows += [Row(100 + slot, site=3, age_secs=at - slot // 6 + 0.5) for slot in range(6 * at)]
        snapshots[at] = snapshot_of(rows, at=T0 + at, serial=at + 1)
    assert [each.subject for each in found(LeakSuspects(), snapshots)] == [
        "TodoItem from sync.py:88 sync",
        "TodoItem from storage.py:12 open_journal",
    ]


@pytest.mark.parametrize(
    "counts",
    [
        [40] * 10,
        [5, 50, 5, 50, 5, 50, 5, 50, 5, 50],
        [5, 90, 90, 90, 90, 90, 90, 90, 90, 90],
        [90, 80, 70, 60, 50, 40, 30, 20, 10, 5],
        [5, 6, 6, 7, 7, 8, 8, 9, 9, 9],
    ],
    ids=["level", "burst", "filled once", "shrinks", "grows a little"],
)
def test_what_falls_back_or_stands_still_is_no_leak(counts: list[int]) -> None:
    assert verdicts(LeakSuspects(), growing(counts)) == [OK]


def test_growth_of_handles_that_do_not_stay_is_no_leak() -> None:
    assert verdicts(LeakSuspects(), growing([10 * n for n in range(1, 11)], lives_secs=0.1)) == [OK]


def test_growth_is_not_judged_too_soon() -> None:
    assert verdicts(LeakSuspects(), growing([5, 10, 15])) == [YOUNG]


@pytest.mark.parametrize("every", [1, 2, 3, 4, 6])
@pytest.mark.parametrize(
    ("counts", "verdict"),
    [([5 + 5 * n for n in range(25)], SUSPECT), ([40] * 25, OK), ([5] + [90] * 24, OK)],
    ids=["leak", "level", "filled"],
)
def test_growth_is_judged_alike_however_many_looks_fit_into_the_time(
    counts: list[int], verdict: Verdict, every: int
) -> None:
    assert verdicts(LeakSuspects(), growing(counts)[::every]) == [verdict]


def test_growth_is_not_judged_when_a_quarter_of_the_time_was_not_looked_at() -> None:
    snapshots = growing([5 + 5 * n for n in range(25)])
    assert verdicts(LeakSuspects(), [*snapshots[:6], *snapshots[18:]]) == [YOUNG]


def drifting(strong: Sequence[int]) -> list[Snapshot]:
    return [
        snapshot_of([Row(1, strong=count, native_refs=count - 1)], at=T0 + at, serial=at + 1)
        for at, count in enumerate(strong)
    ]


def test_references_that_only_rise_drift_and_are_compared_with_the_calls() -> None:
    calls = events_of(
        *((T0 + at, kind, handle_id(1)) for at in range(6) for kind in ("borrow", "return"))
    )
    (finding,) = found(CountDrifts(), drifting([2, 3, 4, 5, 6, 7, 8]), calls)
    assert finding.verdict is SUSPECT
    assert finding.evidence[1] == "6 calls used that handle: about 1.0 more for each"
    assert "from 1 to 7 native references" in finding.evidence[0]


@pytest.mark.parametrize(
    "strong",
    [[2] * 7, [2, 3, 4, 2, 3, 4, 2], [2, 9, 9, 9, 9, 9, 9]],
    ids=["level", "falls", "once"],
)
def test_references_that_are_given_back_do_not_drift(strong: list[int]) -> None:
    assert verdicts(CountDrifts(), drifting(strong)) == [OK]


@pytest.mark.parametrize("every", [1, 2, 4])
@pytest.mark.parametrize(
    ("burst_secs", "verdict"), [(0.4, OK), (24.0, SUSPECT)], ids=["a burst", "drift"]
)
def test_drift_is_judged_alike_however_many_looks_fit_into_the_time(
    every: int, burst_secs: float, verdict: Verdict
) -> None:
    rising = [min(1.0, at / burst_secs) for at in np.arange(0.0, 24.0, 0.1)]
    snapshots = [
        snapshot_of(
            [Row(1, strong=2 + int(9 * part), native_refs=1 + int(9 * part))], at=T0 + at / 10
        )
        for at, part in enumerate(rising)
    ]
    trend = Trend(min_gap_secs=0.0)
    for snapshot in snapshots[::every]:
        trend.observe(snapshot)
    assert [each.verdict for each in CountDrifts().check(Facts(snapshots[-1], trend))] == [verdict]


def test_unknown_counts_do_not_drift() -> None:
    unknown = [
        snapshot_of([Row(1, strong=UNKNOWN, native_refs=UNKNOWN)], at=T0 + at, serial=at + 1)
        for at in range(7)
    ]
    assert verdicts(CountDrifts(), unknown) == [UNMEASURED]
    assert verdicts(CountDrifts(), drifting([2, 3])) == [YOUNG]


def test_a_trend_is_bounded_and_begins_anew_with_another_target() -> None:
    trend = Trend(capacity=20)
    for at in range(100):
        trend.observe(snapshot_of([Row(1)], at=T0 + at))
    assert len(trend.observations) <= 20
    assert trend.span_secs == 99
    assert not trend.observe(snapshot_of([Row(1)], at=T0 + 99))
    other = snapshot_of([Row(1)], at=T0 + 200)
    trend.observe(dataclasses.replace(other, target=dataclasses.replace(other.target, pid=1)))
    assert trend.span_secs == 0


def test_drift_is_followed_by_the_oldest_handle_of_an_object() -> None:
    trend = Trend()
    for at, rows in enumerate(
        ([Row(5, address=64)], [Row(5, address=64), Row(1, address=64, age_secs=0.1)])
    ):
        trend.observe(snapshot_of(rows, at=T0 + at))
    assert list(trend.drift.ids) == [handle_id(5)]


@pytest.mark.parametrize(
    ("site", "callers"),
    [(1, ["Called from main.py:7 main"]), (2, []), (3, [])],
    ids=["whole stack", "one frame", "no site"],
)
def test_the_callers_of_a_leak_s_place_are_told_where_whole_stacks_were_recorded(
    site: int, callers: list[str]
) -> None:
    frames = (Frame("add", "/srv/app.py", 41), Frame("main", "/srv/main.py", 7))
    sites = {1: Site(1, frames), 2: Site(2, frames[:1])}
    snapshots = [
        dataclasses.replace(each, sites=sites)
        for each in growing([5 + 5 * n for n in range(10)], site=site)
    ]
    (finding,) = found(LeakSuspects(), snapshots)
    assert finding.verdict is SUSPECT
    assert [line for line in finding.evidence if line.startswith("Called from")] == callers
