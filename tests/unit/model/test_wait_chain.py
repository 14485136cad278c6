from __future__ import annotations

import dataclasses
import linecache

from inspector.model.pending import pending_closes
from inspector.model.snapshot import CallInFlight, Snapshot
from inspector.model.stack_reading import StackReading
from inspector.model.stacks import Frame, ThreadStack
from inspector.model.verdict import thread_sentence
from inspector.model.wait_chain import NOT_FOUND, NOT_READ, standing_frame, wait_chain
from inspector.vocabulary import Resource
from tests.helpers.snapshots import T0, Row, World, snapshot_of

OWNED = Row(
    1,
    "Journal",
    resource=Resource.WAITING_OWNER,
    owner="worker-2",
    requester="MainThread",
    changed_secs=41,
    last_site=1,
)
DRAINING = Row(2, "Journal", resource=Resource.DRAINING, in_flight=1)
LIBRARY = linecache.__file__
GET = Frame("getline", LIBRARY, 16)
READ = Frame("read", "/srv/app/archive.py", 90)
MAIN = Frame("main", "/srv/app/app.py", 7)


def stack_of(snapshot: Snapshot, name: str, *frames: Frame) -> ThreadStack:
    tid = next(each.tid for each in snapshot.threads.values() if each.name == name)
    return ThreadStack(tid, name, "waits on a lock", frames)


def links(snapshot: Snapshot, row: Row) -> list[tuple[str, str]]:
    chain = wait_chain(snapshot, pending_closes(snapshot), row.id, T0)
    return [(link.role, link.text) for link in chain.links]


def test_the_chain_leads_from_the_close_over_its_thread_and_stack_to_the_lock() -> None:
    snapshot = snapshot_of([OWNED])
    stack = stack_of(snapshot, "worker-2", GET, READ, MAIN)
    assert links(StackReading(T0, (stack,)).added_to(snapshot), OWNED) == [
        ("Close", "Journal #1.1, for 41 s"),
        ("Asked by", "MainThread at app.py:41 add"),
        ("Thread", f"worker-2 ({stack.tid})"),
        ("Waits", "waits on a lock"),
        ("Is at", "linecache.py:16 getline"),
        ("Called by", "archive.py:90 read"),
        ("Called by", "app.py:7 main"),
    ]


def test_a_close_that_waits_for_a_call_leads_to_the_calling_thread() -> None:
    snapshot = snapshot_of([DRAINING])
    threads = {
        index: dataclasses.replace(row, calls=(CallInFlight(DRAINING.id, T0),))
        if row.name == "worker-1"
        else row
        for index, row in snapshot.threads.items()
    }
    snapshot = dataclasses.replace(snapshot, threads=threads)
    stacks = (stack_of(snapshot, "worker-1", READ),)
    snapshot = dataclasses.replace(snapshot, stacks=stacks)
    assert ("Is at", "archive.py:90 read") in links(snapshot, DRAINING)
    sentence, frame = thread_sentence(snapshot, pending_closes(snapshot), seen_secs=4.0)
    assert sentence == (
        "Waits for a call in flight on worker-1. worker-1 was in read, archive.py:90, 4.0 s ago"
    )
    assert frame is READ


def test_unread_and_missing_stacks_are_told_apart() -> None:
    snapshot = snapshot_of([OWNED])
    assert links(snapshot, OWNED)[-1] == ("Is at", NOT_READ)
    other = dataclasses.replace(snapshot, stacks=(stack_of(snapshot, "worker-1", READ),))
    assert links(other, OWNED)[-1] == ("Is at", NOT_FOUND)


def test_a_close_whose_owner_has_ended_has_no_stack() -> None:
    snapshot = snapshot_of([OWNED], world=World(ended_threads=("worker-2",)))
    assert [role for role, _ in links(snapshot, OWNED)] == ["Close", "Asked by"]


def test_a_handle_that_does_not_wait_has_no_chain() -> None:
    assert links(snapshot_of([OWNED]), Row(3)) == []


def test_a_thread_stands_in_the_call_that_the_program_made() -> None:
    def where(*frames: Frame) -> str:
        found = standing_frame(ThreadStack(1, "reader", "waits", frames))
        return "" if found is None else f"{found[0]} {found[1].line}"

    assert where(GET, READ, MAIN) == "linecache.getline 90"
    assert where(READ, MAIN) == "read 90"
    assert where(GET) == "getline 16"
    assert where() == ""


def test_a_reading_tells_its_age_and_what_it_lacks() -> None:
    stack = ThreadStack(1, "reader", "waits")
    assert StackReading(T0, (stack,)).sentence(T0 + 3) == "Read 3.0 s ago · 1 thread"
    old = StackReading(T0, (stack, stack), 4, ("pystack is not installed",))
    assert old.sentence(T0 + 41) == (
        "Read 41 s ago: threads may have moved on since · 2 threads and 4 more that are not "
        "listed · pystack is not installed"
    )


def test_the_stacks_of_a_snapshot_are_kept() -> None:
    own = ThreadStack(1, "reader", "waits")
    snapshot = dataclasses.replace(snapshot_of(), stacks=(own,))
    assert StackReading(T0, ()).added_to(snapshot).stacks == (own,)
