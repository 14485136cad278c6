from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inspector.ui.kit.row_changes import MAX_RUNS, Changes, plan_changes

keys = st.lists(st.integers(0, 40), unique=True, max_size=30).map(
    lambda found: np.array(found, dtype=np.uint64)
)


def applied(changes: Changes, old: np.ndarray, new: np.ndarray) -> list[int]:
    rows = list(old)
    for first, last in changes.removals:
        del rows[first : last + 1]
    if changes.survivors_moved:
        rows.sort(key=list(new).index)
    for first, last in changes.insertions:
        rows[first:first] = list(new[first : last + 1])
    return rows


@given(keys, keys)
def test_following_the_plan_leads_from_the_old_rows_to_the_new_ones(
    old: np.ndarray, new: np.ndarray
) -> None:
    changes = plan_changes(old, new)
    assert changes is not None
    assert applied(changes, old, new) == list(new)


def test_a_key_that_is_there_twice_has_no_plan() -> None:
    once, twice = np.array([1, 2], np.uint64), np.array([1, 1], np.uint64)
    assert plan_changes(once, twice) is None
    assert plan_changes(twice, once) is None


def test_too_many_scattered_changes_have_no_plan() -> None:
    old = np.arange(0, 4 * MAX_RUNS, 2, dtype=np.uint64)
    assert plan_changes(old, old + np.uint64(1)) is not None, "all gone and all new are two runs"
    assert plan_changes(old, np.arange(4 * MAX_RUNS, dtype=np.uint64)) is None
