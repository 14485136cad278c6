"""The history of a real process: the events of the rings, in order, with gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inspector.attach.discovery import find_target
from inspector.model.balance import balance_of, of_object
from inspector.model.events import Events
from inspector.model.snapshot import Snapshot
from inspector.session.live import LiveSession
from inspector.session.postmortem import postmortem_session
from inspector.vocabulary import EventKind, Level, Reference
from tests.helpers.targets import Target, start_target
from tests.helpers.watching import watched

WAIT_SECS = 20.0


def segment_of(target: Target) -> Path:
    found = find_target(target.pid)
    assert found.segment is not None
    return found.segment


def read(session: LiveSession) -> Events:
    return session.read_events().result(WAIT_SECS).events


def lost_events(snapshot: Snapshot) -> int:
    return snapshot.lost.counts["overwritten_events"]


def live_rows(snapshot: Snapshot) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.flatnonzero(snapshot.handles.references == Reference.LIVE)


def kinds_of(events: Events, handle: int) -> list[EventKind]:
    return [EventKind(int(kind)) for kind in events.kinds[events.handles == handle]]


def test_the_life_of_a_handle_is_told_in_order() -> None:
    with start_target("todo") as target, watched(segment_of(target)) as watch:
        item = target.ask("item milk buy")
        target.ask("clone milk again")
        target.ask("release milk")
        target.ask("release again")
        told = read(watch.session)
        assert kinds_of(told, item)[0] is EventKind.CREATE
        assert EventKind.RELEASE in kinds_of(told, item)
        assert (told.at[1:] >= told.at[:-1]).all()
        seen = watch.until(
            lambda snapshot: "MainThread" in [each.name for each in snapshot.threads.values()], True
        )
        assert set(told.threads) == {
            next(index for index, each in seen.threads.items() if each.name == "MainThread")
        }


def test_a_second_reading_brings_only_what_is_new() -> None:
    with start_target("todo") as target, watched(segment_of(target)) as watch:
        first_item = target.ask("item milk buy")
        first = watch.session.read_events().result(WAIT_SECS)
        second_item = target.ask("item bread buy")
        second = watch.session.read_events(first.cursor).result(WAIT_SECS)
        assert kinds_of(second.events, first_item) == []
        assert kinds_of(second.events, second_item)[0] is EventKind.CREATE
        assert second.events.lost() == 0


def test_what_was_overwritten_is_a_gap_with_its_count() -> None:
    with start_target("todo") as target, watched(segment_of(target)) as watch:
        before = watch.session.read_events().result(WAIT_SECS)
        target.ask("many 6000")
        after = watch.session.read_events(before.cursor).result(WAIT_SECS).events
        gaps = after.take(after.kinds == EventKind.GAP)
        assert len(gaps) == 1
        assert after.lost() + int((after.kinds == EventKind.CREATE).sum()) == 6000
        target.ask("forget")


def test_what_was_overwritten_unread_is_lost_and_what_was_read_in_time_is_not() -> None:
    with start_target("todo") as target, watched(segment_of(target)) as watch:
        target.ask("many 3000")
        watch.session.read_events().result(WAIT_SECS)
        target.ask("many 3000")
        # 1,904 events from the start were read before they were overwritten
        watch.until(lost_events, 0)
        target.ask("many 4000")
        watch.until(lambda snapshot: lost_events(snapshot) > 2500, True)
        target.ask("forget")


def test_the_balance_of_an_object_equals_its_count_where_no_end_of_a_call_is_recorded() -> None:
    with (
        start_target("bdk_steps") as target,
        watched(target.ready["segment"], level=Level.HISTORY) as watch,
    ):
        target.ask("amount a 5")

        def is_clone_recorded(_: Snapshot) -> bool:
            target.ask("call a 1")
            return EventKind.CLONE in read(watch.session).kinds

        watch.until(is_clone_recorded, True)
        for step, strong in (
            ("call a 50", 1),
            ("share b a", 2),
            ("call b 20", 2),
            ("share c b", 3),
            ("drop a", 2),
            ("call c 3", 2),
        ):
            target.ask(step)
            snapshot = watch.until(
                lambda seen, strong=strong: set(seen.handles.strong[live_rows(seen)].tolist()),
                {strong},
            )
            told = read(watch.session)
            snapshot = watch.until(lambda seen, last=told.at[-1]: seen.sampled_at > last, True)
            handle = int(snapshot.handles.ids[live_rows(snapshot)[0]])
            balance = balance_of(
                told.take(of_object(told, snapshot, handle)), snapshot.sites, snapshot=snapshot
            )
            assert (step, balance.net) == (step, strong)
            assert [int(kind) for kind in told.types] == [int(snapshot.handles.types[0])] * len(
                told
            )
        assert balance.tally.unseen_downs >= 73
        target.ask("drop b")
        target.ask("drop c")


def test_events_of_a_killed_process_can_still_be_read() -> None:
    with start_target("todo") as target:
        path = segment_of(target)
        item = target.ask("item milk buy")
        target.process.kill()
        target.process.wait()
        assert kinds_of(postmortem_session(path).read_events().result(0).events, item) == [
            EventKind.CREATE
        ]
