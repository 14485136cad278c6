from __future__ import annotations

import dataclasses
import math

import pytest

from inspector.model.pending import empty_pending_closes, pending_closes
from inspector.model.snapshot import UNKNOWN, CallInFlight, CloseDeadline, Snapshot
from inspector.vocabulary import Reference, Resource
from tests.helpers.snapshots import T0, Row, World, big_snapshot, handle_id, snapshot_of


def closing(slot: int, resource: Resource, **more: object) -> Row:
    return dataclasses.replace(
        Row(slot, type="Journal", resource=resource, requester="worker-1"), **more
    )  # type: ignore[arg-type]


def calling(snapshot: Snapshot, callers: dict[int, int]) -> Snapshot:
    """``snapshot`` where threads (by index) call handles (by slot)."""
    threads = {
        index: dataclasses.replace(row, calls=(CallInFlight(handle_id(callers[index]), T0 - 3),))
        if index in callers
        else row
        for index, row in snapshot.threads.items()
    }
    return dataclasses.replace(snapshot, threads=threads)


def test_only_closes_that_were_asked_for_and_have_not_run_are_pending() -> None:
    rows = [closing(slot, resource) for slot, resource in enumerate(Resource, 1)]
    assert {pending_closes(snapshot_of(rows)).resource(i) for i in range(4)} == {
        Resource.CLOSE_REQUESTED,
        Resource.DRAINING,
        Resource.WAITING_OWNER,
        Resource.CLOSING,
    }
    assert len(pending_closes(snapshot_of(rows))) == 4


def test_what_was_dropped_waits_for_nothing() -> None:
    assert (
        len(
            pending_closes(
                snapshot_of([closing(1, Resource.DRAINING, reference=Reference.DROPPED)])
            )
        )
        == 0
    )


def test_the_oldest_comes_first_and_an_unknown_age_last() -> None:
    rows = [
        closing(slot, Resource.DRAINING, changed_secs=secs)
        for slot, secs in ((1, 3), (2, math.nan), (3, 41), (4, 3))
    ]
    closes = pending_closes(snapshot_of(rows))
    assert [int(row) + 1 for row in closes.rows] == [3, 1, 4, 2]
    assert closes.oldest_since() == T0 - 41


def test_a_deadline_is_that_of_the_object_for_each_of_its_handles_and_of_no_other() -> None:
    rows = [closing(slot, Resource.DRAINING, address=64 if slot < 3 else 0) for slot in (1, 2, 3)]
    snapshot = dataclasses.replace(
        snapshot_of(rows), deadlines=(CloseDeadline(rows[1].id, T0 + 5),)
    )
    closes = pending_closes(snapshot)
    at = {int(closes.ids[row]): closes.deadline(row) for row in range(3)}
    assert (at[rows[0].id], at[rows[1].id]) == (T0 + 5, T0 + 5)
    assert math.isnan(at[rows[2].id])


def test_nothing_pending_has_no_oldest() -> None:
    for closes in (empty_pending_closes(), pending_closes(snapshot_of([Row(1)]))):
        assert len(closes) == 0
        assert math.isnan(closes.oldest_since())
    with pytest.raises(IndexError):
        empty_pending_closes().reason(0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (closing(1, Resource.CLOSE_REQUESTED), "Queued: the finaliser has not come to it yet"),
        (closing(1, Resource.CLOSING), "The close method is running"),
        (closing(1, Resource.DRAINING, in_flight=1), "Waits for a call in flight"),
        (closing(1, Resource.DRAINING, in_flight=1200), "Waits for 1,200 calls in flight"),
        (closing(1, Resource.DRAINING, in_flight=0), "All calls have ended, it is about to close"),
        (closing(1, Resource.DRAINING, in_flight=UNKNOWN), "Waits for calls in flight to end"),
        (
            closing(1, Resource.WAITING_OWNER, owner="worker-2"),
            ("Only thread worker-2 may close it, and has not run it yet"),
        ),
        (
            closing(1, Resource.WAITING_OWNER, owner="worker-3"),
            ("Its owner worker-3 has ended: a drain runs it"),
        ),
        (closing(1, Resource.WAITING_OWNER), "Only its owner thread may close it"),
    ],
)
def test_each_state_has_its_reason_in_words(row: Row, reason: str) -> None:
    closes = pending_closes(snapshot_of([row], world=World(ended_threads=("worker-3",))))
    assert closes.reason(0) == reason


def test_a_draining_close_names_the_threads_that_call() -> None:
    snapshot = calling(snapshot_of([closing(1, Resource.DRAINING, in_flight=2)]), {3: 1, 4: 1})
    closes = pending_closes(snapshot)
    assert closes.reason(0) == "Waits for 2 calls in flight on worker-2, worker-3"
    assert closes.waits_for_text(0) == "worker-2, worker-3"


def test_many_callers_are_named_in_part() -> None:
    snapshot = calling(
        snapshot_of([closing(1, Resource.DRAINING, in_flight=4)]), {1: 1, 2: 1, 3: 1, 4: 1}
    )
    assert pending_closes(snapshot).waits_for_text(0) == "MainThread, worker-1, worker-2 and 1 more"


def test_a_close_says_who_asked_and_for_whom_it_waits() -> None:
    snapshot = snapshot_of(
        [closing(1, Resource.WAITING_OWNER, owner="worker-3", last_site=2)],
        world=World(ended_threads=("worker-3",)),
    )
    closes = pending_closes(snapshot)
    assert closes.requester(0) == "worker-1"
    assert closes.waits_for_text(0) == "worker-3 (ended)"
    assert closes.type_name(0) == "Journal"
    site = closes.request_site(0)
    assert site is not None
    assert site.short() == "storage.py:12 open_journal"


def test_a_close_that_waits_for_an_ended_thread_is_stuck() -> None:
    rows = [
        closing(1, Resource.WAITING_OWNER, owner="worker-3"),
        closing(2, Resource.WAITING_OWNER, owner="worker-2"),
    ]
    assert list(
        pending_closes(snapshot_of(rows, world=World(ended_threads=("worker-3",)))).stuck
    ) == [True, False]


def test_what_is_not_known_is_left_empty() -> None:
    snapshot = snapshot_of([closing(1, Resource.CLOSE_REQUESTED, requester="")])
    closes = pending_closes(dataclasses.replace(snapshot, types={}))
    assert (
        closes.requester(0),
        closes.waits_for_text(0),
        closes.type_name(0),
        closes.request_site(0),
    ) == ("", "", "", None)


def test_a_thread_without_a_name_is_called_by_its_number() -> None:
    snapshot = snapshot_of([closing(1, Resource.CLOSE_REQUESTED)])
    nameless = {index: dataclasses.replace(row, name="") for index, row in snapshot.threads.items()}
    assert (
        pending_closes(dataclasses.replace(snapshot, threads=nameless)).requester(0)
        == "thread 9002"
    )


def test_a_close_storm_is_listed_whole() -> None:
    closes = pending_closes(big_snapshot(100_000, pending=50_000))
    assert len(closes) == 50_000
    assert (closes.since[1:] >= closes.since[:-1]).all()
