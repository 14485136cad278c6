"""Marks have a budget; the first and the newest mark stay."""

from __future__ import annotations

import dataclasses

from inspector.model.marks import MarkedState, mark_now
from inspector.ui.session.mark_book import within_budget
from tests.helpers.snapshots import T0, Row, snapshot_of


def mark(at: float, rows: int = 1) -> MarkedState:
    made = mark_now(snapshot_of([Row(slot) for slot in range(1, rows + 1)]), f"at {at:g}")
    return dataclasses.replace(made, at=T0 + at)


def names(marks: tuple[MarkedState, ...]) -> list[str]:
    return [each.name for each in marks]


def test_marks_within_the_budget_stay_in_the_order_of_their_time() -> None:
    kept, left = within_budget([mark(5), mark(1), mark(3)], most=3, most_bytes=1 << 20)
    assert names(kept) == ["at 1", "at 3", "at 5"]
    assert left == ()


def test_a_mark_close_to_its_neighbours_leaves_and_never_the_first() -> None:
    marks = [mark(0), mark(100), mark(101), mark(102), mark(500)]
    kept, left = within_budget(marks, most=3, most_bytes=1 << 20)
    assert names(left) == ["at 101", "at 100"]
    assert names(kept) == ["at 0", "at 102", "at 500"]


def test_many_marks_cover_the_whole_time() -> None:
    kept: tuple[MarkedState, ...] = ()
    for minute in range(300):
        kept, _ = within_budget((*kept, mark(minute * 60.0)), most=20, most_bytes=1 << 30)
    assert (kept[0].name, kept[-1].name, len(kept)) == ("at 0", "at 17940", 20)


def test_memory_counts_and_the_last_two_marks_are_never_given_up() -> None:
    one = mark(0, rows=100)
    budget = one.size_bytes * 2
    kept, left = within_budget([one, mark(1, 100), mark(2, 100)], most=60, most_bytes=budget)
    assert (names(kept), names(left)) == (["at 0", "at 2"], ["at 1"])
    kept, left = within_budget([one, mark(1, 100)], most=60, most_bytes=10)
    assert (len(kept), left) == (2, ())
