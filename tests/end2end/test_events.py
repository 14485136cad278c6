"""The history of a real process: what the rings say, in order, with its gaps."""

from __future__ import annotations

from pathlib import Path

from inspector.attach.discovery import find_target
from inspector.model.events import EventKind, Events
from inspector.session.live import LiveSession
from inspector.session.postmortem import postmortem_session
from tests.helpers.targets import Target, start_target
from tests.helpers.watching import watched

WAIT_SECS = 20.0


def segment_of(target: Target) -> Path:
    found = find_target(target.pid)
    assert found.segment is not None
    return found.segment


def read(session: LiveSession) -> Events:
    return session.read_events().result(WAIT_SECS).events


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
        seen = watch.until(lambda snapshot: "MainThread" in [each.name for each in snapshot.threads.values()], True)
        assert set(told.threads) == {next(index for index, each in seen.threads.items() if each.name == "MainThread")}


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


def test_events_of_a_killed_process_can_still_be_read() -> None:
    with start_target("todo") as target:
        path = segment_of(target)
        item = target.ask("item milk buy")
        target.process.kill()
        target.process.wait()
        assert kinds_of(postmortem_session(path).read_events().result(0).events, item) == [EventKind.CREATE]
