from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.columns import TABLE_COLUMNS
from inspector.model.filter import parse
from inspector.model.grouping import Query, arrange, hold
from inspector.model.snapshot import UNKNOWN
from inspector.vocabulary import Reference, Resource, handle_text
from tests.helpers.snapshots import T0, Row, big_snapshot, snapshot_of

SORTED_BY = [column.key for column in TABLE_COLUMNS]


def shown(arrangement) -> list[str]:
    return [handle_text(int(handle)) for handle in arrangement.ids]


def test_rows_are_grouped_by_type_name_with_handles_and_objects_counted() -> None:
    rows = [
        Row(1, "TodoItem", address=64),
        Row(2, "TodoItem", address=64),
        Row(3, "Journal"),
        Row(4, "TodoItem", reference=Reference.DROPPED),
    ]
    made = arrange(snapshot_of(rows), Query())
    assert [(g.name, len(g), g.handles, g.objects) for g in made.groups] == [
        ("Journal", 1, 1, 1),
        ("TodoItem", 3, 2, 1),
    ]


def test_rows_without_an_address_count_as_one_object_each() -> None:
    snapshot = snapshot_of([Row(1), Row(2)])
    handles = dataclasses.replace(snapshot.handles, addresses=np.zeros(2, dtype=np.uint64))
    assert arrange(dataclasses.replace(snapshot, handles=handles), Query()).groups[0].objects == 2


def test_a_group_knows_its_oldest_live_row_and_what_waits_to_close() -> None:
    rows = [
        Row(1, age_secs=9),
        Row(2, age_secs=50, resource=Resource.DRAINING),
        Row(3, age_secs=99, reference=Reference.RELEASED, resource=Resource.DRAINING),
    ]
    group = arrange(snapshot_of(rows), Query()).groups[0]
    assert group.oldest_at == T0 - 50
    assert group.pending == 1


def test_a_group_counts_the_living_whose_birth_was_unseen() -> None:
    rows = [
        Row(1, age_secs=9),
        Row(2, age_secs=float("nan")),
        Row(3, age_secs=float("nan"), reference=Reference.RELEASED),
    ]
    group = arrange(snapshot_of(rows), Query()).groups[0]
    assert (group.unseen, group.oldest_at) == (1, T0 - 9)


@pytest.mark.parametrize(
    ("column", "descending", "slots"),
    [
        ("id", False, ["#1.1", "#2.1", "#3.1"]),
        ("strong", True, ["#2.1", "#1.1", "#3.1"]),
        ("strong", False, ["#1.1", "#2.1", "#3.1"]),
        ("age", True, ["#3.1", "#2.1", "#1.1"]),
        ("age", False, ["#1.1", "#2.1", "#3.1"]),
        ("thread", False, ["#2.1", "#1.1", "#3.1"]),
        ("site", True, ["#2.1", "#1.1", "#3.1"]),
        ("state", False, ["#3.1", "#1.1", "#2.1"]),
    ],
)
def test_rows_sort_by_any_column_unknown_last_but_unseen_births_as_the_oldest(
    column: str, descending: bool, slots: list[str]
) -> None:
    rows = [
        Row(1, strong=2, age_secs=10, thread="worker-1", site=1, resource=Resource.DRAINING),
        Row(2, strong=5, age_secs=20, thread="MainThread", site=2, resource=Resource.OPEN),
        Row(3, strong=UNKNOWN, age_secs=float("nan"), thread="", site=0, resource=Resource.CLOSED),
    ]
    assert shown(arrange(snapshot_of(rows), Query(column=column, descending=descending))) == slots


def test_equal_rows_keep_slot_order_in_both_directions() -> None:
    snapshot = snapshot_of([Row(slot, strong=1) for slot in (1, 2, 3)])
    for descending in (True, False):
        assert shown(arrange(snapshot, Query(column="strong", descending=descending))) == [
            "#1.1",
            "#2.1",
            "#3.1",
        ]


def test_hidden_tombstones_stay_for_their_moment_and_then_leave() -> None:
    rows = [
        Row(1),
        Row(2, reference=Reference.DROPPED, changed_secs=1),
        Row(3, reference=Reference.DROPPED, changed_secs=9),
    ]
    snapshot = snapshot_of(rows)
    assert shown(arrange(snapshot, Query(column="id", descending=False, tombstones=False))) == [
        "#1.1",
        "#2.1",
    ]
    assert shown(arrange(snapshot, Query(column="id", descending=False))) == [
        "#1.1",
        "#2.1",
        "#3.1",
    ]


def test_a_filter_that_names_dead_rows_shows_hidden_tombstones() -> None:
    snapshot = snapshot_of([Row(1), Row(2, reference=Reference.DROPPED)])
    assert shown(arrange(snapshot, Query(filter=parse("state:dropped"), tombstones=False))) == [
        "#2.1"
    ]


def test_a_held_order_keeps_rows_and_puts_new_ones_last() -> None:
    before = arrange(snapshot_of([Row(1, strong=1), Row(2, strong=9)]), Query(column="strong"))
    after = hold(
        before,
        snapshot_of([Row(1, strong=7), Row(2, strong=3), Row(3, strong=99)], serial=2),
        before.query,
    )
    assert shown(before) == ["#2.1", "#1.1"]
    assert shown(after) == ["#2.1", "#1.1", "#3.1"]
    assert after.arrivals == 1
    assert hold(after, after.snapshot, after.query).arrivals == 1


def test_an_arrival_that_belongs_at_the_end_is_not_announced() -> None:
    query = Query(column="age")
    before = arrange(snapshot_of([Row(1, age_secs=9), Row(2, age_secs=8)]), query)
    after = hold(
        before,
        snapshot_of([Row(1, age_secs=9), Row(2, age_secs=8), Row(3, age_secs=1)], serial=2),
        query,
    )
    assert after.arrived.tolist() == [False, False, True]
    assert after.arrivals == 0


def test_rows_that_arrive_together_are_sorted_among_themselves() -> None:
    query = Query(column="age")
    before = arrange(snapshot_of([Row(9, age_secs=9)]), query)
    after = hold(
        before,
        snapshot_of(
            [Row(9, age_secs=9), Row(1, age_secs=1), Row(2, age_secs=3), Row(3, age_secs=2)],
            serial=2,
        ),
        query,
    )
    assert shown(after) == ["#9.1", "#2.1", "#3.1", "#1.1"]
    assert after.arrivals == 0


def test_an_arrival_below_tombstones_is_not_announced() -> None:
    dead = Row(1, age_secs=90, reference=Reference.DROPPED, changed_secs=30)
    before = arrange(snapshot_of([dead, Row(2, age_secs=8)]), Query())
    after = hold(
        before, snapshot_of([dead, Row(2, age_secs=8), Row(3, age_secs=1)], serial=2), Query()
    )
    assert shown(after) == ["#2.1", "#1.1", "#3.1"]
    assert after.arrivals == 0


def test_tombstones_sink_to_the_end_of_their_group_when_their_moment_is_over() -> None:
    rows = [
        Row(1, age_secs=90, reference=Reference.DROPPED, changed_secs=30),
        Row(2, age_secs=80, reference=Reference.DROPPED, changed_secs=1),
        Row(3, age_secs=10),
    ]
    assert shown(arrange(snapshot_of(rows), Query())) == ["#2.1", "#3.1", "#1.1"]


def test_the_age_of_a_dead_row_is_how_long_it_lived() -> None:
    rows = [Row(1, age_secs=90, changed_secs=80, reference=Reference.DROPPED), Row(2, age_secs=20)]
    assert shown(arrange(snapshot_of(rows), Query(filter=parse("age>15s")))) == ["#2.1"]


def test_a_slot_used_again_is_a_new_row() -> None:
    before = arrange(snapshot_of([Row(1), Row(2)]), Query(column="id", descending=False))
    after = hold(before, snapshot_of([Row(1, generation=2), Row(2)], serial=2), before.query)
    assert shown(after) == ["#2.1", "#1.2"]


def test_an_empty_snapshot_has_no_groups() -> None:
    made = arrange(snapshot_of(), Query())
    assert len(made) == 0
    assert made.groups == ()
    assert len(hold(made, snapshot_of([Row(1)]), Query())) == 1


@given(st.integers(0, 400), st.sampled_from(SORTED_BY), st.booleans(), st.booleans())
def test_each_visible_row_is_shown_exactly_once_whatever_the_order(
    count: int, column: str, descending: bool, tombstones: bool
) -> None:
    snapshot = big_snapshot(count, tombstones=count // 4)
    query = Query(column=column, descending=descending, tombstones=tombstones, moment_secs=0)
    made = arrange(snapshot, query)
    assert sorted(made.order.tolist()) == list(range(count if tombstones else count - count // 4))
    assert sum(len(group) for group in made.groups) == len(made)
    for group in made.groups:
        assert set(snapshot.handles.types[made.order[group.start : group.stop]].tolist()) == {
            group.type_index
        }


@given(st.integers(1, 200), st.integers(0, 200), st.sampled_from(SORTED_BY))
def test_holding_shows_the_same_rows_as_sorting(before: int, more: int, column: str) -> None:
    query = Query(column=column)
    held = hold(arrange(big_snapshot(before), query), big_snapshot(before + more, serial=2), query)
    assert sorted(held.ids.tolist()) == sorted(
        arrange(big_snapshot(before + more), query).ids.tolist()
    )
    assert np.count_nonzero(held.arrived) == more
    assert held.arrivals <= more
