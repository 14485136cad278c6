"""Calls in flight."""

from __future__ import annotations

import dataclasses

from inspector.model.calls import calls_in_flight
from inspector.model.snapshot import CallInFlight, Snapshot
from tests.helpers.snapshots import NO_TIME, T0, Row, handle_id, snapshot_of

JOURNAL = Row(1, "Journal", in_flight=1, last_site=2)


def with_calls(**calls: tuple[CallInFlight, ...]) -> Snapshot:
    """Threads, by their number, with calls."""
    snapshot = snapshot_of([JOURNAL])
    threads = {
        row.index: dataclasses.replace(row, calls=calls.get(f"t{row.index}", ()))
        for row in snapshot.threads.values()
    }
    return dataclasses.replace(snapshot, threads=threads)


def test_the_oldest_call_comes_first_and_those_of_unknown_age_last() -> None:
    calls = calls_in_flight(
        with_calls(
            t1=(CallInFlight(JOURNAL.id, T0 - 1), CallInFlight(handle_id(9), NO_TIME)),
            t2=(CallInFlight(JOURNAL.id, T0 - 5),),
        )
    )
    assert [thread.index for thread in calls.threads] == [2, 1, 1]
    assert calls.depths.tolist() == [0, 0, 1]
    assert [calls.type_name(call) for call in range(3)] == ["Journal", "Journal", ""]


def test_a_call_names_from_where_its_handle_was_used() -> None:
    calls = calls_in_flight(
        with_calls(t1=(CallInFlight(JOURNAL.id, T0), CallInFlight(handle_id(9), T0 + 1)))
    )
    site = calls.site(0)
    assert site is not None
    assert site.short() == "storage.py:12 open_journal"
    assert calls.site(1) is None


def test_no_call_is_an_empty_list() -> None:
    assert len(calls_in_flight(None)) == len(calls_in_flight(snapshot_of([JOURNAL]))) == 0
