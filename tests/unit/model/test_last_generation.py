"""Handles near the end of their numbers are told apart, found, sorted and compared."""

from __future__ import annotations

import numpy as np

from inspector.model.codec import decode, encode
from inspector.model.diff import diff
from inspector.model.filter import parse
from inspector.model.grouping import Query, arrange
from inspector.model.marks import mark_now
from inspector.vocabulary import handle_text
from tests.helpers.snapshots import Row, handle_id, snapshot_of

LAST_GENERATION = 2**32 - 1
LAST_SLOT = 2**21 - 1
ROWS = [
    Row(1, generation=1),
    Row(2, generation=LAST_GENERATION - 1),
    Row(LAST_SLOT, generation=LAST_GENERATION, foreign=True),
]
LAST = handle_id(LAST_SLOT, LAST_GENERATION, foreign=True)


def test_the_last_number_is_shown_whole_and_found_by_the_filter() -> None:
    assert handle_text(LAST) == f"#{LAST_SLOT}.{LAST_GENERATION}"
    snapshot = snapshot_of(ROWS)
    found = arrange(snapshot, Query(filter=parse(handle_text(LAST))))
    assert found.ids.tolist() == [LAST]


def test_the_last_numbers_survive_a_file() -> None:
    snapshot = snapshot_of(ROWS)
    again = decode(encode(snapshot))
    assert np.array_equal(again.handles.ids, snapshot.handles.ids)
    assert int(again.handles.ids.max()) == LAST


def test_a_slot_that_was_used_again_for_the_last_time_is_another_handle() -> None:
    before = mark_now(snapshot_of([Row(5, generation=LAST_GENERATION - 1)]), "before")
    after = mark_now(snapshot_of([Row(5, generation=LAST_GENERATION)]), "after")
    found = diff(before, after)
    assert (found.born.tolist(), found.dead.tolist()) == ([True], [True])
