"""The changes from one snapshot to the next are enough to build the next."""

from __future__ import annotations

import dataclasses

import pytest

from inspector.model.delta import applied, changes_since
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Reference
from tests.helpers.equality import same
from tests.helpers.snapshots import T0, Row, big_snapshot, snapshot_of

NAN = float("nan")
FIRST = snapshot_of([Row(1), Row(2), Row(5, strong=3)])
CASES = {
    "nothing": snapshot_of([Row(1), Row(2), Row(5, strong=3)], serial=2),
    "a count": snapshot_of([Row(1), Row(2, strong=9), Row(5, strong=3)], serial=2),
    "births": snapshot_of([Row(1), Row(2), Row(3), Row(5, strong=3), Row(9)], serial=2),
    "deaths": snapshot_of([Row(1, reference=Reference.DROPPED), Row(5, strong=3)], serial=2),
    "a slot used again": snapshot_of([Row(1), Row(2, generation=7), Row(5, strong=3)], serial=2),
    "all gone": snapshot_of(serial=2),
}


@pytest.mark.parametrize("after", CASES.values(), ids=CASES)
def test_the_next_snapshot_comes_back(after: Snapshot) -> None:
    assert same(applied(FIRST, *changes_since(FIRST, after)), after)


def test_only_rows_that_changed_are_kept() -> None:
    before, after = big_snapshot(1000), big_snapshot(1000, serial=2, tombstones=3)
    changed, gone = changes_since(before, after)
    assert (len(changed.handles), len(gone), len(changed.sites)) == (3, 0, 0)


def test_unknown_times_are_no_change() -> None:
    rows = snapshot_of([Row(1)])
    unknown = dataclasses.replace(
        rows, handles=dataclasses.replace(rows.handles, created_at=rows.handles.created_at * NAN)
    )
    changed, _ = changes_since(unknown, dataclasses.replace(unknown, serial=2))
    assert len(changed.handles) == 0


def test_from_nothing_everything_is_new() -> None:
    after = snapshot_of([Row(1), Row(2)], at=T0 + 1, serial=2)
    assert same(applied(snapshot_of(), *changes_since(snapshot_of(), after)), after)
