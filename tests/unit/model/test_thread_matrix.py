"""The threads that created and ended handles."""

from __future__ import annotations

from inspector.model.filter import parse
from inspector.model.thread_matrix import ThreadMatrix, thread_matrix
from inspector.vocabulary import Reference, Resource, handle_text
from tests.helpers.snapshots import Row, big_snapshot, snapshot_of


def dead(slot: int, made: str, ended: str) -> Row:
    return Row(slot, reference=Reference.RELEASED, thread=made, last_thread=ended)


LIVING = Row(1, thread="worker-1")
CLOSED = Row(2, "Journal", resource=Resource.CLOSED, thread="worker-1", last_thread="worker-2")
SNAPSHOT = snapshot_of(
    [
        LIVING,
        CLOSED,
        dead(3, "worker-1", "worker-1"),
        dead(4, "worker-1", "worker-2"),
        dead(5, "MainThread", "worker-2"),
    ]
)


def as_table(matrix: ThreadMatrix) -> dict[str, tuple[int, dict[str, int]]]:
    names = [column.name for column in matrix.columns]
    return {
        row.name: (int(matrix.living[i]), dict(zip(names, matrix.counts[i].tolist(), strict=True)))
        for i, row in enumerate(matrix.rows)
    }


def test_handles_are_counted_by_where_they_began_and_ended() -> None:
    assert as_table(thread_matrix(SNAPSHOT)) == {
        "worker-1": (1, {"worker-2": 2, "worker-1": 1}),
        "MainThread": (0, {"worker-2": 1, "worker-1": 0}),
    }


def test_every_row_is_counted_once() -> None:
    snapshot = big_snapshot(5_000, tombstones=800)
    matrix = thread_matrix(snapshot)
    assert matrix.counts.sum() + matrix.living.sum() == 5_000


def test_of_very_many_threads_those_with_most_are_shown() -> None:
    matrix = thread_matrix(SNAPSHOT, most=1)
    assert as_table(matrix) == {"worker-1": (1, {"worker-2": 2})}
    assert (matrix.other_rows, matrix.other_columns) == (1, 1)


def test_threads_that_are_not_named_are_left_out() -> None:
    matrix = thread_matrix(snapshot_of([dead(1, "", "")]))
    assert (matrix.rows, matrix.columns) == ((), ())


def test_an_empty_table_is_an_empty_matrix() -> None:
    assert len(thread_matrix(snapshot_of([]))) == 0


def test_a_cell_is_what_the_filter_finds() -> None:
    found = parse('created:"worker-1" ended:"worker-2"').mask(SNAPSHOT)
    assert [handle_text(int(handle)) for handle in SNAPSHOT.handles.ids[found]] == ["#2.1", "#4.1"]
    assert parse("ended:worker-1").mask(SNAPSHOT).tolist() == [False, False, True, False, False]
    assert parse("created:worker-2").mask(SNAPSHOT).sum() == 0
