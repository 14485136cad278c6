"""The growth of memory beside the growth of live objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.judge import judge
from inspector.model.findings.memory import MemoryGrowth
from inspector.model.findings.trend import Trend
from inspector.model.limits import MEMORY, Limit
from tests.helpers.snapshots import T0, Row, snapshot_of


def facts_of(used: Sequence[int], live: Sequence[int], name: str = MEMORY) -> Facts:
    trend = Trend()
    for at, (mib, rows) in enumerate(zip(used, live, strict=True)):
        snapshot = dataclasses.replace(
            snapshot_of([Row(number + 1) for number in range(rows)], at=T0 + at, serial=at + 1),
            limits=(Limit(name, mib, 8000),),
        )
        trend.observe(snapshot)
    return Facts(snapshot, trend)


def told(facts: Facts) -> Finding:
    (finding,) = MemoryGrowth().check(facts)
    return finding


def test_memory_that_grows_without_objects_is_named_as_an_allocator_s() -> None:
    facts = facts_of([100 + 10 * at for at in range(9)], [5] * 9)
    finding = told(facts)
    assert (finding.verdict, finding.evidence) == (
        Verdict.UNMEASURED,
        ("Memory of its own: 100 → 180 MiB",),
    )
    assert finding.headline == (
        "Memory grew by 80 MiB in 8.0 s and no number of live objects: "
        "the growth is an allocator's, or of objects that are not followed"
    )
    assert judge(facts).memory() == finding.headline


def test_memory_that_grows_with_objects_is_told_for_each_of_them() -> None:
    finding = told(facts_of([100 + 10 * at for at in range(9)], [5 + 4 * at for at in range(9)]))
    assert (finding.verdict, finding.headline) == (
        Verdict.OK,
        "Memory grew by 80 MiB in 8.0 s, and 32 live objects more: 2,560.0 KiB for each",
    )


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (facts_of([100] * 9, [5 + at for at in range(9)]), Verdict.OK),
        (facts_of([100, 900], [5, 5]), Verdict.YOUNG),
        (facts_of([100] * 9, [5] * 9, "rows"), Verdict.UNMEASURED),
    ],
    ids=["small", "young", "unknown"],
)
def test_a_small_growth_or_none_known_is_no_news(facts: Facts, verdict: Verdict) -> None:
    finding = told(facts)
    assert (finding.verdict, finding.evidence) == (verdict, ())
    assert judge(facts).memory() == ""
