"""When a table need not be painted again."""

from __future__ import annotations

import dataclasses

from inspector.model.snapshot import Snapshot
from inspector.model.stillness import stands_still
from tests.helpers.snapshots import T0, Row, snapshot_of


def later(secs: float, *rows: Row, serial: int = 2) -> Snapshot:
    """The same rows, so much older."""
    aged = [
        dataclasses.replace(row, age_secs=row.age_secs + secs, changed_secs=row.changed_secs + secs)
        for row in rows
    ]
    return snapshot_of(aged, at=T0 + secs, serial=serial)


OLD = Row(1)
YOUNG = Row(2, age_secs=3.0, changed_secs=3.0)


def test_a_table_in_which_only_ages_grow_stands_still() -> None:
    assert stands_still(snapshot_of([OLD]), later(0.1, OLD), moment_secs=2.0)


def test_a_changed_count_is_seen() -> None:
    assert not stands_still(
        snapshot_of([OLD]), later(0.1, dataclasses.replace(OLD, strong=2)), moment_secs=2.0
    )


def test_another_row_is_seen() -> None:
    assert not stands_still(snapshot_of([OLD]), later(0.1, OLD, Row(5)), moment_secs=2.0)


def test_tenths_of_a_young_rows_age_are_seen() -> None:
    assert not stands_still(snapshot_of([YOUNG]), later(0.1, YOUNG), moment_secs=0.5)


def test_a_long_moment_keeps_rows_fading() -> None:
    middle = Row(3, age_secs=20.0, changed_secs=20.0)
    assert stands_still(snapshot_of([middle]), later(0.1, middle), moment_secs=2.0)
    assert not stands_still(snapshot_of([middle]), later(0.1, middle), moment_secs=30.0)


def test_unknown_times_are_no_change() -> None:
    unknown = Row(4, age_secs=float("nan"), changed_secs=float("nan"))
    assert stands_still(snapshot_of([unknown]), later(0.1, unknown), moment_secs=2.0)


def test_the_same_snapshot_again_was_asked_for_by_somebody() -> None:
    one = snapshot_of([OLD])
    assert not stands_still(one, one, moment_secs=2.0)
