from __future__ import annotations

import dataclasses
import math

from inspector.model.snapshot import CallInFlight
from inspector.model.threads import filter_text, thread_table
from inspector.vocabulary import Reference, Resource
from tests.helpers.snapshots import T0, Row, World, big_snapshot, snapshot_of

ENDED = World(ended_threads=("worker-1",))


def test_threads_that_live_come_first() -> None:
    table = thread_table(snapshot_of(world=ENDED))
    assert [row.name for row in table.threads] == ["MainThread", "worker-2", "worker-3", "worker-1"]


def test_no_snapshot_is_an_empty_table() -> None:
    assert len(thread_table(None)) == 0
    assert len(thread_table(dataclasses.replace(snapshot_of([Row(1)]), threads={}))) == 0


def test_live_rows_are_counted_for_the_thread_that_made_them() -> None:
    rows = [Row(1), Row(2), Row(3, thread="worker-2"), Row(4, reference=Reference.DROPPED)]
    table = thread_table(snapshot_of(rows))
    assert list(table.living) == [2, 0, 1, 0]
    assert list(table.created) == [3, 0, 1, 0]


def test_owned_rows_and_waiting_closes_are_counted_for_the_owner() -> None:
    rows = [
        Row(1, type="Journal", owner="worker-2", resource=Resource.OPEN),
        Row(2, type="Journal", owner="worker-2", resource=Resource.WAITING_OWNER),
        Row(
            3,
            type="Journal",
            owner="worker-3",
            resource=Resource.CLOSED,
            reference=Reference.RELEASED,
        ),
    ]
    table = thread_table(snapshot_of(rows))
    assert list(table.owned) == [0, 0, 2, 0]
    assert list(table.waiting) == [0, 0, 1, 0]


def test_an_ended_thread_for_which_closes_wait_is_stuck() -> None:
    rows = [Row(1, type="Journal", owner="worker-1", resource=Resource.WAITING_OWNER)]
    assert list(thread_table(snapshot_of(rows, world=ENDED)).stuck) == [False, False, False, True]


def test_calls_in_flight_count_the_deep_ones_and_know_the_oldest() -> None:
    snapshot = snapshot_of([Row(1)])
    calls = (CallInFlight(2, T0 - 7), CallInFlight(2, math.nan), CallInFlight(2, T0 - 1))
    busy = dataclasses.replace(snapshot.threads[2], calls=calls, deeper_calls=4)
    table = thread_table(dataclasses.replace(snapshot, threads={**snapshot.threads, 2: busy}))
    assert list(table.calls) == [0, 7, 0, 0]
    assert table.oldest_call_at[1] == T0 - 7
    assert math.isnan(table.oldest_call_at[0])


def test_rows_of_threads_that_are_no_longer_listed_do_no_harm() -> None:
    snapshot = snapshot_of([Row(1, thread="worker-3")])
    table = thread_table(dataclasses.replace(snapshot, threads={1: snapshot.threads[1]}))
    assert list(table.living) == [0]


def test_the_filter_of_a_thread_quotes_its_name() -> None:
    thread = snapshot_of().threads[2]
    assert filter_text(thread) == 'thread:"worker-1"'
    assert filter_text(dataclasses.replace(thread, name='odd "name"')) == 'thread:"odd \\"name\\""'
    assert filter_text(dataclasses.replace(thread, name="")) == 'thread:"9002"'


def test_a_hundred_thousand_rows_are_counted_completely() -> None:
    table = thread_table(big_snapshot(100_000, tombstones=1000))
    assert table.living.sum() == 99_000
