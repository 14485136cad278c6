"""Looks from outside, one after the other, as a session."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inspector.attach.outside.memory import Effort
from inspector.attach.outside.seen import (
    AWAITED,
    UNKNOWN,
    Look,
    SeenFrame,
    SeenRows,
    SeenThread,
    SeenType,
)
from inspector.errors import AttachError, ControlError
from inspector.model.codec import decode, encode
from inspector.model.losses import losses_of
from inspector.model.snapshot import Snapshot, Target, TargetState, Vitals
from inspector.session import kept_row, outside_rows
from inspector.session.outside import OutsideSession, require_readable
from inspector.session.outside_rows import OutsideRows
from inspector.vocabulary import Reference
from tests.helpers.outside import stepped
from tests.helpers.snapshots import make_target
from tests.helpers.targets import Target as Running

PLAIN = SeenType("Wallet", "bdk", "uniffi")
TRAIT = SeenType("Database", "nostr", "uniffi_trait", "arc")
CALL = SeenType("Client.fetch", "nostr", "uniffi_call")
STORE_LOAD = SeenType("Store.load", "app", AWAITED.kind)
FOREIGN = SeenType("Policy", "nostr", "uniffi_foreign")
Row = tuple[SeenType, int, int, int, int]
"""Type, place, handle, address, strong."""


def look_with(*rows: Row, outer: int = UNKNOWN, in_flight: int = 0, **more: object) -> Look:
    types = tuple(dict.fromkeys(row[0] for row in rows))

    def column(at: int, kind: type) -> np.ndarray:
        return np.array([row[at] for row in rows], kind)

    count = len(rows)
    found = SeenRows(
        np.array([types.index(row[0]) for row in rows], np.int64),
        column(1, np.uint64),
        column(2, np.uint64),
        column(3, np.uint64),
        column(4, np.int64),
        np.zeros(count, np.int64),
        np.full(count, outer, np.int64),
        np.full(count, in_flight, np.int64),
        np.full(count, in_flight > 0),
    )
    given = {"threads": (), "more_threads": 0, "packages": (), "took_secs": 0.1} | more
    return Look(pid=1, runtime="CPython 3.11.7", types=types, rows=found, **given)  # type: ignore[arg-type]


def take(
    rows: OutsideRows, look: Look, at: float = 100.0, target: Target | None = None
) -> Snapshot:
    return rows.snapshot(look, target=target or make_target(), at=at)


def test_an_awaited_call_stays_one_row_while_its_method_can_be_read_only_at_times() -> None:
    """Its entry changes while it is read: the method is unknown, or known, and never guessed."""
    rows = OutsideRows()
    stack = (SeenFrame("load", "app.py", 7),)
    take(rows, look_with((AWAITED, 0x10, 1, 0, UNKNOWN), (STORE_LOAD, 0x20, 3, 0x30, UNKNOWN)))
    take(
        rows,
        look_with(
            (STORE_LOAD, 0x10, 1, 0x30, UNKNOWN),
            (AWAITED, 0x20, 3, 0, UNKNOWN),
            (AWAITED, 0x40, 5, 0, UNKNOWN),
            standing={0x10: stack},
        ),
    )
    third = take(
        rows,
        look_with(
            (STORE_LOAD, 0x10, 1, 0x30, UNKNOWN),
            (STORE_LOAD, 0x20, 3, 0x30, UNKNOWN),
            (STORE_LOAD, 0x40, 5, 0x30, UNKNOWN),
        ),
    )
    handles = third.handles
    assert [third.types[int(index)].name for index in handles.types] == ["Store.load"] * 3
    assert handles.references.tolist() == [Reference.LIVE] * 3
    assert third.sites[int(handles.created_sites[0])].short() == "app.py:7 load"
    told = {row.name: (row.created, row.released) for row in third.types.values()}
    assert told == {"awaited by Rust": (0, 0), "Store.load": (1, 0)}


def test_a_row_is_the_same_from_one_look_to_the_next_and_a_tombstone_after_its_last() -> None:
    rows = OutsideRows()
    first = take(rows, look_with((PLAIN, 0x10, 0x20, 0x30, 1), (PLAIN, 0x11, 0x21, 0x31, 1)))
    second = take(
        rows, look_with((PLAIN, 0x11, 0x21, 0x31, 5), (PLAIN, 0x12, 0x22, 0x32, 1)), at=110.0
    )
    assert second.handles.ids.tolist()[:2] == first.handles.ids.tolist()
    assert second.handles.references.tolist() == [
        Reference.RELEASED,
        Reference.LIVE,
        Reference.LIVE,
    ]
    assert second.handles.strong.tolist() == [UNKNOWN, 5, 1]
    assert second.handles.native_refs.tolist() == [UNKNOWN, 4, 0]
    assert [math.isnan(at) for at in second.handles.created_at.tolist()] == [True, True, False]
    assert second.handles.created_at[2] == 110.0
    assert second.handles.changed_at[0] == 110.0
    assert (second.vitals.created.tolist(), second.vitals.released.tolist()) == ([0, 1], [0, 1])
    assert (second.live_count(), second.vitals.live, second.vitals.lives.tolist()) == (2, 2, [0, 2])


def test_what_a_look_could_not_tell_is_not_taken_for_released() -> None:
    rows = OutsideRows()
    both = ((PLAIN, 0x10, 0x20, 0x30, 1), (PLAIN, 0x11, 0x21, 0x31, 1))
    take(rows, look_with(*both))
    assert (
        take(
            rows, look_with(is_whole=False, notes=(("its objects could not be looked at"),))
        ).live_count()
        == 2
    )
    assert take(rows, look_with(both[0], doubtful=frozenset({0x11}))).live_count() == 2
    assert take(rows, look_with(both[0])).live_count() == 1


def test_what_went_into_swap_is_not_taken_for_released(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def in_swap(pagemap: Path, places: set[int]) -> set[int]:
        asked.append((pagemap, places))
        return {0x11}

    monkeypatch.setattr(outside_rows, "in_swap", in_swap)
    rows = OutsideRows()
    take(
        rows,
        look_with(
            (PLAIN, 0x10, 0x20, 0x30, 1), (PLAIN, 0x11, 0x21, 0x31, 1), (PLAIN, 0x12, 0x22, 0x32, 1)
        ),
    )
    assert (
        take(
            rows, look_with((PLAIN, 0x10, 0x20, 0x30, 1), effort=Effort(swapped_bytes=4096))
        ).live_count()
        == 2
    )
    assert asked == [(Path("/proc/1/pagemap"), {0x11, 0x12})]


def test_a_proxy_in_the_same_place_with_another_handle_is_another_row() -> None:
    rows = OutsideRows()
    first = take(rows, look_with((PLAIN, 0x10, 0x20, 0x30, 1)))
    second = take(rows, look_with((PLAIN, 0x10, 0x40, 0x50, 1)))
    assert set(first.handles.ids.tolist()) < set(second.handles.ids.tolist())
    assert second.live_count() == 1


def test_old_tombstones_make_room_and_their_ids_never_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outside_rows, "MOST_TOMBSTONES", 2)
    rows, seen = OutsideRows(), set()
    for number in range(10):
        snapshot = take(rows, look_with((PLAIN, 0x10, number + 1, 0x30, 1)))
        live = snapshot.handles.ids[snapshot.handles.references == Reference.LIVE].tolist()
        assert not seen & set(live)
        seen |= set(live)
        assert len(snapshot.handles) <= 3


def test_a_call_holds_its_object_and_is_no_handle_of_it() -> None:
    snapshot = take(
        OutsideRows(), look_with((PLAIN, 0x10, 0x20, 0x30, 2), (CALL, 0x90, 7, 0x30, UNKNOWN))
    )
    assert snapshot.handles.proxies.tolist() == [1, 1]
    assert snapshot.handles.native_refs.tolist()[0] == 1


def test_calls_that_outlast_a_look_do_not_raise_the_resting_count_and_what_stays_does() -> None:
    rows = OutsideRows()
    looks = [(1, 2), (3, 0), (2, 1), (1, 1)]
    snapshots = [
        take(rows, look_with((PLAIN, 0x10, 0x20, 0x30, strong), in_flight=calls))
        for strong, calls in looks
    ]
    assert [int(each.handles.strong[0]) for each in snapshots] == [1, 1, 1, 1]
    assert [int(each.handles.in_flight[0]) for each in snapshots] == [2, 2, 2, 1]
    for _ in range(kept_row.SETTLING_LOOKS):
        last = take(rows, look_with((PLAIN, 0x10, 0x20, 0x30, 4)))
    assert (int(last.handles.strong[0]), int(last.handles.in_flight[0])) == (4, 0)


def test_a_trait_s_counts_are_added_and_shown_apart() -> None:
    snapshot = take(OutsideRows(), look_with((TRAIT, 0x10, 0x20, 0x30, 2), outer=3))
    handles = snapshot.handles
    assert (
        handles.inner_strong.tolist(),
        handles.outer_strong.tolist(),
        handles.strong.tolist(),
    ) == ([2], [3], [4])
    assert snapshot.types[1].outer == "arc"


def test_python_objects_that_rust_holds_have_foreign_ids() -> None:
    snapshot = take(OutsideRows(), look_with((FOREIGN, 0x10, 3, 0x30, UNKNOWN)))
    assert int(snapshot.handles.ids[0]) & 1 == 1
    assert snapshot.handles.strong.tolist() == [UNKNOWN]


def test_what_was_left_out_is_counted_and_what_could_not_be_looked_at_is_noted() -> None:
    effort = Effort(
        read_bytes=1, swapped_bytes=1, unreadable_bytes=3 << 20, left_out_bytes=0, left_out_hits=9
    )
    look = look_with(
        effort=effort,
        doubtful=frozenset({5, 6}),
        without_handle=4,
        notes=("stacks need pystack",),
        more_threads=7,
    )
    snapshot = take(OutsideRows(), look)
    assert {each.what: each.count for each in losses_of(snapshot.lost)} == {
        "finds beyond the limit of one look": 9,
        "MiB of memory that could not be read": 3,
        "finds that could not be told from remains": 2,
        "MiB of memory in swap": 1,
    }
    assert snapshot.notes == (
        "stacks need pystack",
        "7 more threads are not listed",
        "4 proxies keep no handle: made just now, or their constructor failed",
    )


def test_a_snapshot_from_outside_survives_a_file() -> None:
    thread = SeenThread(
        5, "worker", "waits on a lock", (SeenFrame("f", "/app.py", 3),), holds_gil=True
    )
    snapshot = take(
        OutsideRows(), look_with((PLAIN, 0x10, 0x20, 0x30, 1), threads=(thread,), notes=("a note",))
    )
    again = decode(encode(snapshot))
    assert (again.stacks, again.notes) == (snapshot.stacks, snapshot.notes)
    assert again.stacks[0].frames[0].short() == "app.py:3 f"


class Listener:
    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self.vitals: list[Vitals] = []
        self.came = threading.Condition()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        with self.came:
            self.snapshots.append(snapshot)
            self.came.notify_all()

    def on_vitals(self, vitals: Vitals) -> None:
        self.vitals.append(vitals)

    def wait_for(self, state: TargetState, live: int) -> Snapshot:
        with self.came:
            assert self.came.wait_for(
                lambda: any(
                    each.target.state == state and each.live_count() == live
                    for each in self.snapshots
                ),
                60,
            )
            return self.snapshots[-1]


@pytest.fixture
def running() -> Iterator[Running]:
    with stepped(sys.executable) as target:
        target.ask("make 3")
        yield target


def test_the_session_looks_again_and_says_when_the_process_has_ended(running: Running) -> None:
    session = OutsideSession(running.pid)
    try:
        assert session.latest.live_count() == 3
        assert session.latest.target.from_outside
        listener = Listener()
        session.subscribe(listener)
        running.ask("make 2")
        listener.wait_for(TargetState.LIVE, 5)
        assert listener.vitals[-1].live == 5
        running.finish()
        last = listener.wait_for(TargetState.ENDED, 5)
        assert last.target.reason == f"process {running.pid} has ended"
        assert session.latest is last
    finally:
        session.end()
        session.join()


def test_nothing_can_be_asked_of_the_process_and_the_reason_is_told(running: Running) -> None:
    session = OutsideSession(running.pid)
    try:
        assert not session.capabilities.act
        for refused in (
            session.force_gc(),
            session.close_handles([2]),
            session.audit(),
            session.retainers(2, None),
        ):  # type: ignore[arg-type]
            with pytest.raises(
                ControlError,
                match=("only looked at from outside: nothing of the inspector runs in it"),
            ):
                refused.result()
        with pytest.raises(ControlError, match="events between two looks are not seen"):
            session.read_events().result()
    finally:
        session.end()
        session.join()


def test_ending_gives_a_look_up_and_leaves_no_thread(running: Running) -> None:
    session = OutsideSession(running.pid)
    session.end()
    session.join()
    assert not [thread for thread in threading.enumerate() if thread.name == "outside"]


def test_what_cannot_be_read_is_refused_before_anything_is_done() -> None:
    with pytest.raises(AttachError, match=r"^process 4199015 does not exist$"):
        require_readable(4_199_015)
    with pytest.raises(AttachError, match=r"^process 4199015 does not exist$"):
        OutsideSession(4_199_015)
