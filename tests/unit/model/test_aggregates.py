"""Handles counted by type and by line."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.marks import mark_now
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.model.stacks import Frame, Site
from inspector.model.states import ALIVE
from inspector.vocabulary import Reference, Resource
from tests.helpers.aggregates import Aggregates, aggregate
from tests.helpers.snapshots import NO_TIME, T0, TYPE_NAMES, Row, snapshot_of

ITEM, JOURNAL = TYPE_NAMES.index("TodoItem") + 1, TYPE_NAMES.index("Journal") + 1


def lines_of(counts: Aggregates, column: str) -> dict[tuple[int, int], int]:
    pairs = zip(counts.types.tolist(), counts.sites.tolist(), strict=True)
    return dict(zip(pairs, getattr(counts, column).tolist(), strict=True))


def test_live_handles_are_counted_by_type_and_site() -> None:
    rows = [
        Row(1, site=1),
        Row(2, site=2),
        Row(3, site=2),
        Row(4, site=2, reference=Reference.DROPPED),
        Row(5, site=0, type="Journal", resource=Resource.CLOSE_REQUESTED),
    ]
    counts = aggregate(snapshot_of(rows))
    assert lines_of(counts, "live") == {(ITEM, 1): 1, (ITEM, 2): 2, (JOURNAL, 0): 1}
    assert lines_of(counts, "pending") == {(ITEM, 1): 0, (ITEM, 2): 0, (JOURNAL, 0): 1}


def test_the_oldest_birth_that_was_seen_and_the_unseen_births_are_told_apart() -> None:
    rows = [Row(1, age_secs=5), Row(2, age_secs=9), Row(3, age_secs=NO_TIME)]
    counts = aggregate(snapshot_of(rows))
    assert counts.oldest_at.tolist() == [T0 - 9]
    assert counts.unseen.tolist() == [1]
    unseen = aggregate(snapshot_of(rows[2:]))
    assert math.isnan(unseen.oldest_at[0])


def test_without_a_mark_no_change_is_known() -> None:
    counts = aggregate(snapshot_of([Row(1)]))
    assert not counts.has_mark
    for column in ("before", "born", "died", "change"):
        assert getattr(counts, column).tolist() == [UNKNOWN]


def test_births_and_deaths_since_a_mark_are_counted_where_the_handles_were_made() -> None:
    mark = mark_now(snapshot_of([Row(1), Row(2, site=2), Row(3, type="Journal")]), "mark")
    after = snapshot_of([Row(1), Row(2, generation=2, site=3), Row(4)], at=T0 + 1)
    counts = aggregate(after, mark)
    assert lines_of(counts, "before") == {
        (ITEM, 1): 1,
        (ITEM, 2): 1,
        (ITEM, 3): 0,
        (JOURNAL, 1): 1,
    }
    assert lines_of(counts, "born") == {(ITEM, 1): 1, (ITEM, 2): 0, (ITEM, 3): 1, (JOURNAL, 1): 0}
    assert lines_of(counts, "died") == {(ITEM, 1): 0, (ITEM, 2): 1, (ITEM, 3): 0, (JOURNAL, 1): 1}
    assert lines_of(counts, "change") == {
        (ITEM, 1): 1,
        (ITEM, 2): -1,
        (ITEM, 3): 1,
        (JOURNAL, 1): -1,
    }


def test_a_mark_of_another_process_is_refused() -> None:
    snapshot = snapshot_of([Row(1)])
    other = dataclasses.replace(snapshot, target=dataclasses.replace(snapshot.target, pid=1))
    with pytest.raises(ValueError, match="another process"):
        aggregate(snapshot, mark_now(other, "mark"))


def test_lines_of_a_type_add_up() -> None:
    mark = mark_now(snapshot_of([Row(1), Row(2, site=2)]), "mark")
    counts = aggregate(snapshot_of([Row(2, site=2), Row(3, site=3, age_secs=90)]), mark).by_type()
    assert (counts.types.tolist(), counts.sites.tolist()) == ([ITEM], [0])
    assert (counts.live.tolist(), counts.born.tolist(), counts.died.tolist()) == ([2], [1], [1])
    assert counts.oldest_at.tolist() == [T0 - 90]
    assert not aggregate(snapshot_of([Row(1)])).by_type().has_mark


def test_stacks_that_begin_with_one_line_are_one_line() -> None:
    snapshot = snapshot_of([Row(1, site=2), Row(2, site=7), Row(3, site=9)])
    first = snapshot.sites[2]
    deeper = Site(7, (*first.frames, Frame("caller", "/srv/app/main.py", 3)))
    named = dataclasses.replace(snapshot, sites={**snapshot.sites, 7: deeper})
    assert lines_of(aggregate(named).by_text(named), "live") == {(ITEM, 2): 2, (ITEM, 9): 1}


def test_no_handle_gives_no_line() -> None:
    counts = aggregate(snapshot_of([]))
    assert len(counts) == len(counts.by_type()) == len(counts.by_text(snapshot_of([]))) == 0


ROWS = st.lists(
    st.builds(
        Row,
        slot=st.integers(1, 12),
        generation=st.integers(1, 3),
        type=st.sampled_from(TYPE_NAMES),
        site=st.integers(0, 3),
        reference=st.sampled_from([Reference.LIVE, Reference.DROPPED, Reference.RELEASE_REQUESTED]),
    ),
    unique_by=lambda row: row.slot,
    max_size=12,
)


@given(ROWS, ROWS)
def test_counts_are_those_of_sets_of_ids(before: list[Row], after: list[Row]) -> None:
    counts = aggregate(snapshot_of(after), mark_now(snapshot_of(before), "mark"))
    then, now = _living(snapshot_of(before)), _living(snapshot_of(after))
    expected = {
        "before": Counter(then.values()),
        "live": Counter(now.values()),
        "born": Counter(now[id] for id in now.keys() - then.keys()),
        "died": Counter(then[id] for id in then.keys() - now.keys()),
    }
    for column, wanted in expected.items():
        assert Counter(lines_of(counts, column)) == wanted
    assert np.array_equal(counts.change, counts.live - counts.before)


def _living(snapshot: Snapshot) -> dict[int, tuple[int, int]]:
    handles = snapshot.handles
    return {
        int(handles.ids[row]): (int(handles.types[row]), int(handles.created_sites[row]))
        for row in range(len(handles))
        if handles.references[row] in ALIVE
    }
