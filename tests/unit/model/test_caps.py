"""Every cap is listed once, and what is more than it is counted."""

from __future__ import annotations

import dataclasses

import pytest

from inspector.model import caps
from inspector.model.caps import CAPS, Cap, Use
from inspector.model.churn import ChurnHistory
from inspector.model.findings.trend import Trend
from inspector.model.time_marks import Mark, MarkKind
from tests.helpers.snapshots import T0, Row, make_vitals, snapshot_of


def test_each_cap_of_the_module_is_in_the_list_and_explains_itself() -> None:
    found = [each for each in vars(caps).values() if isinstance(each, Cap)]
    assert sorted(each.key for each in found) == sorted(each.key for each in CAPS)
    assert len({each.key for each in CAPS}) == len(CAPS)
    for each in CAPS:
        assert each.most > 0
        assert each.beyond
        assert each.reason
        assert not each.beyond.endswith(".")


def test_no_use_is_negative() -> None:
    with pytest.raises(ValueError, match="negative use of timeline"):
        Use(caps.TIMELINE, -1)


def use_of(keeper: ChurnHistory | Trend, cap: Cap) -> Use:
    return next(use for use in keeper.uses() if use.cap is cap)


def test_readings_that_were_joined_are_counted() -> None:
    history = ChurnHistory(capacity=16)
    for second in range(100):
        history.add(make_vitals(T0 + second, [second], [0]))
    use = use_of(history, caps.TIMELINE)
    assert (use.used, use.used + use.left_out) == (len(history), 100)


def test_types_beyond_the_cap_are_counted() -> None:
    history = ChurnHistory(capacity=16)
    counts = [1] * (caps.TIMELINE_TYPES.most + 49)
    history.add(make_vitals(T0, counts, [0] * len(counts)))
    use = use_of(history, caps.TIMELINE_TYPES)
    assert use.used == caps.TIMELINE_TYPES.most
    assert use.left_out == len(make_vitals(T0, counts, counts).created) - use.used


def test_a_line_of_a_collection_leaves_before_a_mark_of_a_person() -> None:
    history = ChurnHistory()
    history.marks.add(Mark(T0, MarkKind.ATTACH, "Attached"))
    history.marks.add(Mark(T0 + 1, MarkKind.MARK, "mark 1"))
    for second in range(caps.TIMELINE_MARKS.most + 5):
        history.marks.add(Mark(T0 + 2 + second, MarkKind.COLLECTION, "Collection"))
    assert [mark.text for mark in list(history.marks)[:2]] == ["Attached", "mark 1"]
    use = use_of(history, caps.TIMELINE_MARKS)
    assert (use.used, use.left_out) == (caps.TIMELINE_MARKS.most, 7)


def test_observations_that_left_are_counted() -> None:
    trend = Trend(capacity=8)
    for second in range(50):
        trend.observe(dataclasses.replace(snapshot_of([Row(1)]), taken_at=T0 + second))
    use = use_of(trend, caps.OBSERVATIONS)
    assert (use.used, use.used + use.left_out) == (len(trend.observations), 50)
