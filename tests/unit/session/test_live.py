from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inspector.attach.discovery import socket_path
from inspector.attach.procfs import process_stat
from inspector.errors import ControlError, SegmentError, TargetBusyError
from inspector.model.snapshot import Snapshot, TargetState
from inspector.session import live, questions
from inspector.session.live import LiveSession
from inspector.vocabulary import Level
from inspector.wire.schema import LAYOUT_VERSION, Ending
from tests.helpers.control_server import HELLO, ControlServer, Reply
from tests.helpers.segments import SegmentImage, lock_held, write_segment
from tests.helpers.waiting import Follower

OWN = process_stat(os.getpid())
assert OWN is not None
ALIVE = SegmentImage(
    header={"start_time": OWN.start_time}, types=[{"name": b"Journal"}], handles=[{"address": 64}]
)


def polite(asked: dict[str, Any]) -> Reply:
    """A target that obeys its requests."""
    if asked["op"] == "gc":
        return {
            "ok": True,
            "collected": 3,
            "released": 2,
            "closes_queued": 1,
            "still_pending": 0,
            "took_nanos": 1000,
        }
    if asked["op"] in ("preview", "close"):
        outcome = "would_close" if asked["op"] == "preview" else "closed"
        return {
            "ok": True,
            "answers": [
                {"handle": each, "outcome": outcome, "reason": ""} for each in asked["handles"]
            ],
        }
    return {**HELLO, "level": asked.get("level") or 1}


@contextmanager
def session_on(
    path: Path, answer: Any = polite
) -> Iterator[tuple[LiveSession, Follower, ControlServer]]:
    """A session with a target that this process plays."""
    write_segment(path, ALIVE)
    with lock_held(path), ControlServer(socket_path(path), answer) as server:
        session = LiveSession(path)
        follower = Follower(session)
        try:
            yield session, follower, server
        finally:
            session.end()
            session.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / f"{os.getpid()}-7.seg"


def is_connected(session: LiveSession) -> Any:
    return lambda _snapshot: session.capabilities.act


def test_snapshots_and_counters_arrive_by_themselves(path: Path):
    with session_on(path) as (session, follower, _):
        snapshot = follower.wait(lambda each: each.serial >= 2)
        assert len(snapshot.handles) == 1
        assert session.latest is not None
        follower.wait_vitals()


def test_snapshots_of_a_quiet_target_share_their_rows(path: Path):
    with session_on(path) as (session, follower, _):
        follower.wait(is_connected(session))
        first = follower.wait(lambda each: each.serial >= 3)
        second = follower.wait(lambda each: each.serial > first.serial)
        assert second.handles is first.handles
        assert second.taken_at > first.taken_at


def test_the_target_is_greeted_with_layout_role_interval_and_level(path: Path):
    with session_on(path) as (session, follower, server):
        follower.wait(is_connected(session))
        hello = server.seen[0]
        assert (hello["op"], hello["layout"], hello["role"], hello["level"]) == (
            "hello",
            LAYOUT_VERSION,
            "viewer",
            Level.HISTORY,
        )
        assert hello["interval_ms"] == 100


def test_acting_needs_a_target_that_has_answered(path: Path):
    with session_on(path, lambda _: None) as (session, follower, _):
        follower.wait(lambda _: True)
        assert not session.capabilities.act
        assert session.capabilities.reason == "the target has not answered yet"


def test_a_refusal_is_the_reason_why_nothing_can_be_asked(path: Path):
    refusal = {
        "ok": False,
        "error": ("this process writes layout version 9, the viewer reads version 1"),
        "status": "VersionMismatch",
    }
    with session_on(path, lambda _: refusal) as (session, follower, _):
        follower.wait(lambda _: "version 9" in session.capabilities.reason)
        assert not session.capabilities.act


def test_a_collection_is_asked_for_on_a_connection_of_its_own(path: Path):
    with session_on(path) as (session, follower, server):
        follower.wait(is_connected(session))
        assert session.force_gc().result(30).handles_released == 2
        assert server.seen[-2]["role"] == "command"
        assert server.seen[-1]["op"] == "gc"


def test_previewing_and_closing_pass_the_handles_on(path: Path):
    with session_on(path) as (session, _, server):
        assert [each.outcome for each in session.preview_close([7, 9]).result(30)] == [
            "would_close"
        ] * 2
        assert [
            each.outcome for each in session.close_handles([7], although_held=True).result(30)
        ] == ["closed"]
        closes = [each for each in server.seen if each["op"] == "close"]
        assert [each["although_held"] for each in closes] == [True]


def test_the_level_in_force_is_the_answer(path: Path):
    with session_on(path) as (session, follower, _):
        follower.wait(is_connected(session))
        assert session.set_level(Level.STACKS).result(30) is Level.STACKS


def test_a_level_and_an_interval_that_were_set_are_wished_for_again_after_a_reconnection(
    path: Path,
):
    with session_on(
        path, lambda asked: b"garbage\n" if asked["op"] == "interval" else polite(asked)
    ) as (session, follower, server):
        follower.wait(is_connected(session))
        session.set_level(Level.STACKS).result(30)
        session.set_interval(snapshot_secs=0.5, vitals_secs=0.5)  # the answer breaks the connection
        follower.wait(lambda _: server.operations().count("hello") == 2)
        again = [each for each in server.seen if each["op"] == "hello"][1]
        assert (again["level"], again["interval_ms"]) == (Level.STACKS, 500)


def test_the_targets_sampler_follows_the_interval(path: Path):
    with session_on(path) as (session, follower, server):
        follower.wait(is_connected(session))
        session.set_interval(snapshot_secs=0.5, vitals_secs=0.5)
        follower.wait(lambda _: "interval" in server.operations())
        assert next(each for each in server.seen if each["op"] == "interval")["interval_ms"] == 500


def test_a_command_that_is_not_answered_is_given_up_by_hanging_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(questions, "COMMAND_SECS", 0.3)
    with session_on(path, lambda asked: None if asked["op"] == "gc" else HELLO) as (
        session,
        _,
        server,
    ):
        with pytest.raises(TargetBusyError, match="will not run later"):
            session.force_gc().result(30)
        assert server.hung_up.wait(10)


def test_a_target_that_hangs_up_is_greeted_again(path: Path):
    greetings: list[int] = []

    def rude(asked: dict[str, Any]) -> Reply:
        greetings.append(1)
        return b"garbage\n" if len(greetings) == 1 else polite(asked)

    with session_on(path, rude) as (session, follower, server):
        follower.wait(is_connected(session))
        assert server.operations() == ["hello", "hello"]


def test_a_target_that_is_gone_keeps_its_last_state(path: Path):
    write_segment(path, ALIVE)
    with lock_held(path):
        session = LiveSession(path)
        follower = Follower(session)
        follower.wait(lambda _: True)
    last = follower.wait(lambda each: each.target.state is not TargetState.LIVE)
    assert last.target.state is TargetState.POST_MORTEM
    assert len(last.handles) == 1
    session.join()
    assert session.latest is last
    assert not session.capabilities.act
    assert session.capabilities.reason.startswith("the process is gone")


def test_a_target_that_ended_says_so(path: Path):
    write_segment(path, ALIVE)
    with lock_held(path):
        session = LiveSession(path)
        follower = Follower(session)
        follower.wait(lambda _: True)
        image = replace(ALIVE, header={**ALIVE.header, "ending": Ending.EXITED})
        with path.open("r+b") as file:
            file.write(image.to_bytes())
    last = follower.wait(lambda each: each.target.state is not TargetState.LIVE)
    assert (last.target.state, last.target.reason) == (TargetState.ENDED, "the process exited")
    session.join()


def test_a_segment_that_is_cut_short_ends_the_session_with_what_was_seen(path: Path):
    with session_on(path) as (_, follower, _):
        follower.wait(lambda _: True)
        os.truncate(path, 5000)
        last = follower.wait(lambda each: each.target.state is TargetState.POST_MORTEM)
        assert "truncated" in last.target.reason
        assert len(last.handles) == 1


def test_a_listener_that_left_hears_nothing_more(path: Path):
    with session_on(path) as (session, follower, _):
        other = Follower(session)
        other.wait(lambda _: True)
        other.leave()
        heard = other.heard
        newest = follower.wait(lambda _: True).serial
        follower.wait(lambda each: each.serial > newest + 1)
        assert other.heard == heard


def test_ending_a_session_runs_what_belongs_to_its_end_once(path: Path):
    ended: list[int] = []
    write_segment(path, ALIVE)
    with lock_held(path):
        session = LiveSession(path, on_end=lambda: ended.append(1))
        session.end()
        session.end()
        session.join()
    assert ended == [1]


def test_after_its_end_nothing_is_asked_any_more(path: Path):
    with session_on(path) as (session, _, _):
        session.end()
        session.join()
        with pytest.raises(ControlError):
            session.set_level(Level.OFF).result(5)
        with pytest.raises(ControlError, match="has ended"):
            session.force_gc().result(5)


def test_a_damaged_segment_opens_no_session(path: Path):
    path.write_bytes(b"ARCISEG1")
    with pytest.raises(SegmentError):
        LiveSession(path)


def test_the_newest_snapshot_is_the_one_that_was_told_last(path: Path):
    with session_on(path) as (session, follower, _):
        seen: Snapshot = follower.wait(lambda each: each.serial >= 3)
        latest = session.latest
        assert latest is not None
        assert latest.serial >= seen.serial


def test_ctrl_c_while_a_session_begins_leaves_no_command_that_waits(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    def interrupted(_link: object) -> None:
        raise KeyboardInterrupt

    write_segment(path, ALIVE)
    ended: list[LiveSession] = []
    end = LiveSession.end

    def noted(session: LiveSession) -> None:
        end(session)
        ended.append(session)

    monkeypatch.setattr(live.ControlLink, "start", interrupted)
    monkeypatch.setattr(LiveSession, "end", noted)
    with pytest.raises(KeyboardInterrupt):
        LiveSession(path)
    assert isinstance(ended[0].force_gc().exception(0), ControlError)
