"""Marks and the changes between them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from inspector.model.diff import Change, Fate, diff
from inspector.model.growth import GrowthError, growth
from inspector.model.marks import mark_later, mark_now
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.vocabulary import Reference, Resource
from tests.helpers.snapshots import T0, Row, World, big_snapshot, snapshot_of


def line(changes: tuple[Change, ...], name: str, site: str = "") -> Change:
    return next(each for each in changes if (each.type_name, each.site) == (name, site))


def other_process(snapshot: Snapshot) -> Snapshot:
    return dataclasses.replace(snapshot, target=dataclasses.replace(snapshot.target, pid=1))


def test_born_dead_and_survived_are_told_apart_by_id() -> None:
    before = mark_now(snapshot_of([Row(1), Row(2), Row(3)]), "before")
    after = mark_now(snapshot_of([Row(1), Row(2, generation=2), Row(4)], at=T0 + 1), "after")
    found = diff(before, after)
    assert sorted(found.handles(Fate.BORN)) == sorted([Row(2, generation=2).id, Row(4).id])
    assert sorted(found.handles(Fate.DEAD)) == [Row(2).id, Row(3).id]
    assert list(found.handles(Fate.SURVIVED)) == [Row(1).id]
    assert line(found.types, "TodoItem") == Change(
        "TodoItem", "", before=3, after=3, born=2, dead=2, survived=1, changed=0, passed=0
    )


def test_tombstones_are_not_alive() -> None:
    before = mark_now(snapshot_of([Row(1), Row(2)]), "before")
    after = mark_now(snapshot_of([Row(1), Row(2, reference=Reference.DROPPED)], at=T0 + 1), "after")
    assert list(diff(before, after).handles(Fate.DEAD)) == [Row(2).id]


def test_another_count_or_state_is_a_change() -> None:
    rows = [Row(1), Row(2), Row(3, type="Journal", resource=Resource.OPEN), Row(4, strong=UNKNOWN)]
    later = [
        Row(1),
        Row(2, strong=5),
        Row(3, type="Journal", resource=Resource.CLOSED),
        Row(4, strong=3),
    ]
    found = diff(mark_now(snapshot_of(rows), "a"), mark_now(snapshot_of(later, at=T0 + 1), "b"))
    assert list(found.handles(Fate.CHANGED)) == [Row(2).id, Row(3).id]
    assert found.total().changed == 2


def test_what_came_and_went_between_the_marks_is_counted_by_type() -> None:
    before = mark_now(snapshot_of([Row(1)], world=World(created={"TodoItem": 1})), "a")
    after = mark_now(
        snapshot_of([Row(1), Row(2)], at=T0 + 1, world=World(created={"TodoItem": 40})), "b"
    )
    assert line(diff(before, after).types, "TodoItem").passed == 38


def test_marks_are_compared_in_the_order_of_time() -> None:
    early, late = (
        mark_now(snapshot_of([Row(1)]), "early"),
        mark_now(snapshot_of([Row(1), Row(2)], at=T0 + 1), "late"),
    )
    assert diff(late, early).before is early
    assert diff(late, early).total().net == 1


def test_places_tell_where_what_was_born_comes_from() -> None:
    before = mark_now(snapshot_of([Row(1, site=1)]), "a")
    after = mark_now(snapshot_of([Row(1, site=1), Row(2, site=2), Row(3, site=2)], at=T0 + 1), "b")
    found = diff(before, after)
    assert [(each.site, each.net) for each in found.places] == [
        ("storage.py:12 open_journal", 2),
        ("app.py:41 add", 0),
    ]
    assert list(found.handles(Fate.BORN, found.places[0])) == [Row(2).id, Row(3).id]


def test_two_processes_are_compared_by_numbers_only() -> None:
    before = mark_now(snapshot_of([Row(1)]), "a")
    after = mark_now(other_process(snapshot_of([Row(1), Row(2)], at=T0 + 1)), "b")
    found = diff(before, after)
    assert not found.is_same_process
    assert line(found.types, "TodoItem") == Change(
        "TodoItem", "", 1, 2, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN
    )
    assert len(found.handles(Fate.BORN)) == 0


def test_nothing_compared_with_nothing_is_nothing() -> None:
    found = diff(mark_now(snapshot_of(), "a"), mark_now(snapshot_of(at=T0 + 1), "b"))
    assert found.types == found.places == ()
    assert found.total().net == 0


def test_a_later_mark_finds_what_lived_and_what_has_died_since() -> None:
    now = snapshot_of(
        [
            Row(1, age_secs=60),
            Row(2, age_secs=5),
            Row(3, age_secs=60, reference=Reference.DROPPED, changed_secs=5),
            Row(4, age_secs=60, reference=Reference.DROPPED, changed_secs=20),
        ]
    )
    marked = mark_later(now, T0 - 10, "then", released_since=4)
    assert list(marked.ids) == [Row(1).id, Row(3).id]
    assert marked.missing_at_most == 3
    assert marked.is_later
    assert (marked.strong == UNKNOWN).all()


def test_a_later_mark_says_when_nobody_counted() -> None:
    assert (
        mark_later(snapshot_of([Row(1)]), T0 - 10, "then", released_since=None).missing_at_most
        == UNKNOWN
    )


def test_changes_against_a_later_mark_are_not_made_up() -> None:
    now = snapshot_of([Row(1, type="Journal", resource=Resource.OPEN, age_secs=60)])
    found = diff(mark_later(now, T0 - 10, "then", released_since=0), mark_now(now, "now"))
    assert found.total().changed == 0
    assert found.total().passed == UNKNOWN


def test_a_mark_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        mark_now(snapshot_of([Row(1)]), "a").ids[0] = 3


def test_marks_of_a_hundred_thousand_handles_are_compared_whole() -> None:
    before, after = (
        mark_now(big_snapshot(100_000), "a"),
        mark_now(big_snapshot(100_000, at=T0 + 1, tombstones=1000), "b"),
    )
    found = diff(before, after)
    assert (int(found.dead.sum()), int(found.born.sum())) == (1000, 0)
    assert found.total().survived == 99_000


def round_of(number: int, *rows: Row) -> Snapshot:
    return snapshot_of(rows, at=T0 + number)


def test_growth_keeps_what_every_round_left_behind() -> None:
    leaked = [Row(slot, site=1) for slot in range(1, 7)]
    cached = Row(20, site=2)
    marks = [
        mark_now(round_of(0), "start"),
        mark_now(round_of(1, *leaked[:2], cached), "1"),
        mark_now(round_of(2, *leaked[:4], cached, Row(30, site=3)), "2"),
        mark_now(round_of(3, *leaked, cached), "3"),
    ]
    (grown,) = growth(marks)
    assert (grown.type_name, grown.site, grown.per_round) == (
        "TodoItem",
        "app.py:41 add",
        (2, 2, 2),
    )
    assert grown.is_steady
    assert grown.total == 6


def test_growth_takes_marks_in_the_order_of_time_and_tells_the_steadiest_and_largest_first() -> (
    None
):
    def made(site: int, first: int, *per_round: int) -> list[list[Row]]:
        """Rows of a site that are alive after each round."""
        ends = [first + sum(per_round[:number]) for number in range(len(per_round) + 1)]
        return [[Row(slot, site=site) for slot in range(first, end)] for end in ends]

    alive = zip(made(1, 100, 9, 1), made(2, 200, 2, 2), made(3, 300, 3, 3), strict=True)
    marks = [
        mark_now(round_of(number, *(row for rows in each for row in rows)), str(number))
        for number, each in enumerate(alive)
    ]
    for order in (marks, marks[::-1], [marks[1], marks[2], marks[0]]):
        grown = growth(order)
        assert [(each.site, each.per_round) for each in grown] == [
            ("sync.py:88 sync", (3, 3)),
            ("storage.py:12 open_journal", (2, 2)),
            ("app.py:41 add", (9, 1)),
        ]


def test_growth_needs_two_rounds() -> None:
    with pytest.raises(GrowthError, match="3 marks are needed for 2 rounds, there are 2"):
        growth([mark_now(round_of(0), "a"), mark_now(round_of(1), "b")])


def test_growth_refuses_marks_of_two_processes() -> None:
    marks = [
        mark_now(round_of(0), "a"),
        mark_now(round_of(1), "b"),
        mark_now(other_process(round_of(2)), "c"),
    ]
    with pytest.raises(GrowthError, match="different processes"):
        growth(marks)


def test_marks_hold_no_row_twice() -> None:
    marked = mark_now(big_snapshot(1000), "a")
    assert len(np.unique(marked.ids)) == len(marked) == 1000
