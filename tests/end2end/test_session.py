"""A session with real processes: its view of a known sequence, of hangs and of ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.attach.discovery import find_target
from inspector.errors import TargetBusyError
from inspector.model.pending import pending_closes
from inspector.model.snapshot import UNKNOWN, Snapshot, TargetState
from inspector.session import questions
from inspector.session.live import LiveSession
from inspector.session.postmortem import postmortem_session
from inspector.vocabulary import Level, Reference, Resource
from tests.helpers.calls import LONGER_AND_LONGER_MILLIS
from tests.helpers.targets import Target, start_target
from tests.helpers.waiting import Follower


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@contextmanager
def viewing(
    target: Target, *, level: Level | None = Level.HISTORY
) -> Iterator[tuple[LiveSession, Follower]]:
    """A viewer of the target."""
    found = find_target(target.pid)
    assert found.segment is not None
    session = LiveSession(found.segment, level=level)
    try:
        yield session, Follower(session)
    finally:
        session.end()
        session.join()


def row_of(snapshot: Snapshot, handle: int) -> int | None:
    """Index of a handle in the table."""
    rows = (snapshot.handles.ids == handle).nonzero()[0]
    return int(rows[0]) if len(rows) else None


def has(handle: int, **wanted: int) -> Callable[[Snapshot], bool]:
    """Whether the handle's row has these values."""

    def is_so(snapshot: Snapshot) -> bool:
        row = row_of(snapshot, handle)
        return row is not None and all(
            int(getattr(snapshot.handles, name)[row]) == value for name, value in wanted.items()
        )

    return is_so


def is_state(state: TargetState) -> Callable[[Snapshot], bool]:
    return lambda snapshot: snapshot.target.state is state


def test_a_known_sequence_shows_its_exact_counts() -> None:
    with start_target("todo") as target, viewing(target) as (_, follower):
        item = target.ask("item milk buy")
        follower.wait(has(item, strong=1, proxies=1, native_refs=0))
        todo = target.ask("list shopping")
        target.ask("add shopping milk")
        follower.wait(has(item, strong=2, proxies=1, native_refs=1))
        second = target.ask("clone milk again")
        both = follower.wait(has(item, strong=3, proxies=2, native_refs=1))
        assert has(second, strong=3, proxies=2, native_refs=1)(both)
        target.ask("release again")
        follower.wait(has(second, references=Reference.RELEASED, strong=UNKNOWN))
        target.ask("release shopping")
        follower.wait(has(todo, references=Reference.DROPPED))
        follower.wait(has(item, strong=1, proxies=1, native_refs=0))


def test_a_row_names_its_type_thread_and_place() -> None:
    with start_target("todo") as target, viewing(target, level=Level.STACKS) as (session, follower):
        follower.wait(lambda snapshot: snapshot.target.level is Level.STACKS)
        item = target.ask("item milk buy")
        snapshot = follower.wait(has(item, strong=1))
        row = row_of(snapshot, item)
        kind = snapshot.types[int(snapshot.handles.types[row])]
        assert (kind.name, kind.kind) == ("TodoItem", "arc")
        assert snapshot.threads[int(snapshot.handles.created_threads[row])].name == "MainThread"
        assert (
            snapshot.sites[int(snapshot.handles.created_sites[row])]
            .frames[0]
            .file.endswith("todo.py")
        )
        follower.wait(lambda _: session.capabilities.act)


def test_a_close_that_waits_for_a_call_says_so_and_runs_when_the_call_ends(tmp_path: Path) -> None:
    def is_seen_to_wait(
        target: Target, session: LiveSession, follower: Follower, name: str
    ) -> bool:
        """Whether a close was seen to wait for a call of as many milliseconds as ``name`` says."""
        journal = target.ask(f"journal {name} {tmp_path / name}")
        target.ask(f"append_slowly {name} line {name}")
        (answer,) = session.close_handles([journal], although_held=True).result(60)
        seen = follower.wait(
            lambda seen: any(
                has(journal, resources=each)(seen) for each in (Resource.DRAINING, Resource.CLOSED)
            )
        )
        waiting = pending_closes(seen)
        target.ask(f"join {name}")
        follower.wait(has(journal, resources=Resource.CLOSED, in_flight=0))
        if answer.outcome != "pending" or not len(waiting):
            return False
        assert waiting.ids.tolist() == [journal]
        assert has(journal, in_flight=1)(seen)
        assert waiting.reason(0).startswith("Waits for a call in flight")
        return True

    with start_target("todo") as target, viewing(target) as (session, follower):
        follower.wait(lambda _: session.capabilities.act)
        assert any(
            is_seen_to_wait(target, session, follower, str(millis))
            for millis in LONGER_AND_LONGER_MILLIS
        )


def test_a_close_that_only_its_owner_may_run_names_the_owner(tmp_path: Path) -> None:
    with start_target("todo") as target, viewing(target) as (session, follower):
        target.ask(f"journal log {tmp_path / 'log'}")
        cursor = target.ask("cursor reading log")
        follower.wait(has(cursor, resources=Resource.OPEN))
        (answer,) = session.close_handles([cursor], although_held=True).result(60)
        assert answer.outcome == "pending"
        waiting = pending_closes(follower.wait(has(cursor, resources=Resource.WAITING_OWNER)))
        assert waiting.waits_for_text(0) == "owner-reading (alive)"
        assert target.ask("visit reading") == 1
        follower.wait(has(cursor, resources=Resource.CLOSED))


def test_a_held_resource_is_refused_naming_who_holds_it_until_it_is_insisted_on(
    tmp_path: Path,
) -> None:
    with start_target("todo") as target, viewing(target) as (session, follower):
        journal = target.ask(f"journal log {tmp_path / 'log'}")
        target.ask("clone log other")
        follower.wait(has(journal, strong=2))
        (preview,) = session.preview_close([journal]).result(60)
        assert preview.outcome == "would_close"
        assert preview.holders
        (refused,) = session.close_handles([journal]).result(60)
        assert (refused.outcome, refused.holders) == ("refused", preview.holders)
        assert has(journal, resources=Resource.OPEN)(follower.wait(lambda _: True))
        (closed,) = session.close_handles([journal], although_held=True).result(60)
        assert closed.outcome == "closed"
        follower.wait(has(journal, resources=Resource.CLOSED))


def test_a_forced_collection_frees_what_cycles_hold() -> None:
    with start_target("todo") as target, viewing(target) as (session, follower):
        todo = target.ask("cycle knot")
        snapshot = follower.wait(has(todo, references=Reference.LIVE))
        before = len(snapshot.vitals.collections)
        follower.wait(lambda _: session.capabilities.act)
        report = session.force_gc().result(60)
        assert report.collected >= 1
        assert report.handles_released == 1
        after = follower.wait(has(todo, references=Reference.DROPPED)).vitals.collections
        assert len(after) > before
        assert any(each.forced for each in after)


def test_two_viewers_see_the_same_and_the_last_one_to_leave_ends_the_watching() -> None:
    with start_target("todo", "count") as target, viewing(target, level=Level.STACKS) as (_, first):
        item = target.ask("item milk buy")
        with viewing(target, level=Level.HISTORY) as (_, second):
            for follower in (first, second):
                follower.wait(lambda snapshot: snapshot.target.viewers == 2)
                follower.wait(has(item, strong=1))
            second.wait(lambda snapshot: snapshot.target.level is Level.STACKS)
        first.wait(lambda snapshot: snapshot.target.viewers == 1)


def test_a_viewer_that_leaves_puts_the_target_back_to_its_idle_level() -> None:
    with start_target("todo", "count") as target, viewing(target, level=None) as (_, watcher):
        with viewing(target, level=Level.STACKS):
            watcher.wait(lambda snapshot: snapshot.target.level is Level.STACKS)
        watcher.wait(lambda snapshot: snapshot.target.level is Level.COUNT)


def test_switching_the_level_is_answered_with_the_level_in_force() -> None:
    with (
        start_target("todo", "count") as target,
        viewing(target, level=Level.COUNT) as (session, follower),
    ):
        follower.wait(lambda _: session.capabilities.levels)
        assert session.set_level(Level.STACKS).result(60) is Level.STACKS
        follower.wait(lambda snapshot: snapshot.target.level is Level.STACKS)


def test_a_stopped_target_stays_readable_is_called_hung_and_lives_again() -> None:
    with start_target("todo") as target, viewing(target) as (_, follower):
        item = target.ask("item milk buy")
        follower.wait(has(item, strong=1))
        target.send_signal(signal.SIGSTOP)
        hung = follower.wait(lambda snapshot: snapshot.target.reason == "it is stopped by a signal")
        assert hung.target.state is TargetState.HUNG
        assert has(item, strong=1)(hung)
        target.send_signal(signal.SIGCONT)
        follower.wait(is_state(TargetState.LIVE))


def test_attaching_to_a_stopped_target_shows_its_state() -> None:
    with start_target("todo") as target:
        item = target.ask("item milk buy")
        target.stop()
        with viewing(target) as (session, follower):
            hung = follower.wait(is_state(TargetState.HUNG))
            assert row_of(hung, item) is not None
            assert not session.capabilities.act
            target.send_signal(signal.SIGCONT)
            follower.wait(lambda _: session.capabilities.act)
            follower.wait(has(item, strong=1))


def test_a_command_given_up_on_a_stopped_target_does_not_run_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with start_target("todo") as target, viewing(target) as (session, follower):
        todo = target.ask("cycle knot")
        follower.wait(
            lambda snapshot: session.capabilities.act and row_of(snapshot, todo) is not None
        )
        target.send_signal(signal.SIGSTOP)
        follower.wait(is_state(TargetState.HUNG))
        monkeypatch.setattr(questions, "COMMAND_SECS", 0.3)
        with pytest.raises(TargetBusyError, match="will not run later"):
            session.force_gc().result(60)
        target.send_signal(signal.SIGCONT)
        follower.wait(
            lambda snapshot: snapshot.target.state is TargetState.LIVE and session.capabilities.act
        )
        assert target.ask("numbers") == {}
        assert not any(
            each.forced for each in follower.wait(is_state(TargetState.LIVE)).vitals.collections
        )
        assert has(todo, references=Reference.LIVE)(follower.wait(is_state(TargetState.LIVE)))


def test_a_target_that_holds_the_interpreter_stays_readable_and_is_called_hung() -> None:
    with start_target("holding") as target, viewing(target) as (session, follower):
        item = target.ask("item")
        follower.wait(has(item, strong=1))
        target.tell("hold 60")
        target.expect("holding")
        hung = follower.wait(
            lambda snapshot: snapshot.target.reason.startswith(
                "the interpreter has not answered for"
            )
        )
        assert hung.target.state is TargetState.HUNG
        assert has(item, strong=1)(hung)
        follower.wait(lambda _: session.capabilities.act)
        told = follower.wait(lambda snapshot: any(stack.holds_gil for stack in snapshot.stacks))
        holder = next(stack for stack in told.stacks if stack.holds_gil)
        assert (holder.tid, holder.name, holder.frames[0].function) == (
            target.pid,
            "MainThread",
            "hold",
        )
        named = follower.wait(
            lambda snapshot: any(stack.name == "waiting" for stack in snapshot.stacks)
        )
        assert (
            next(stack.frames[-1].function for stack in named.stacks if stack.name == "waiting")
            == "_bootstrap"
        )
        target.send_signal(signal.SIGUSR1)
        target.expect("hold")
        follower.wait(
            lambda snapshot: snapshot.target.state is TargetState.LIVE and not snapshot.stacks
        )


def test_a_collection_in_a_target_that_holds_the_interpreter_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with start_target("holding") as target, viewing(target) as (session, follower):
        follower.wait(lambda _: session.capabilities.act)
        target.tell("hold 60")
        target.expect("holding")
        monkeypatch.setattr(questions, "COMMAND_SECS", 0.5)
        with pytest.raises(TargetBusyError):
            session.force_gc().result(60)
        target.send_signal(signal.SIGUSR1)
        target.expect("hold")
        calm = follower.wait(is_state(TargetState.LIVE))
        assert not any(each.forced for each in calm.vitals.collections)


def test_a_killed_target_stays_open_as_post_mortem() -> None:
    with start_target("todo") as target, viewing(target) as (session, follower):
        item = target.ask("item milk buy")
        follower.wait(has(item, strong=1))
        target.send_signal(signal.SIGKILL)
        last = follower.wait(is_state(TargetState.POST_MORTEM))
        assert last.target.reason == "it was killed or crashed"
        assert has(item, strong=1, references=Reference.LIVE)(last)
        session.join()
        assert session.latest is last


def test_what_a_killed_target_left_can_be_opened_later() -> None:
    with start_target("todo") as target:
        item = target.ask("item milk buy")
        target.kill()
        found = find_target(target.pid)
        assert not found.alive
        assert found.segment is not None
        latest = postmortem_session(found.segment).latest
        assert latest.target.state is TargetState.POST_MORTEM
        assert row_of(latest, item) is not None


def test_a_target_that_ends_normally_ends_the_session_gently() -> None:
    with start_target("todo") as target, viewing(target) as (session, follower):
        item = target.ask("item milk buy")
        follower.wait(has(item, strong=1))
        assert target.finish() == 0
        last = follower.wait(is_state(TargetState.ENDED))
        assert last.target.reason == "the process exited"
        assert row_of(last, item) is not None
        session.join()
        assert not session.capabilities.act


def test_an_agent_that_is_stopped_ends_the_session_and_the_program_runs_on() -> None:
    with start_target("todo") as target, viewing(target) as (_, follower):
        item = target.ask("item milk buy")
        follower.wait(has(item, strong=1))
        target.ask("stop")
        assert follower.wait(is_state(TargetState.ENDED)).target.reason == "its agent was stopped"
        assert target.ask("numbers") == {"milk": item}


def test_churn_in_native_threads_never_shows_a_row_that_cannot_be() -> None:
    with start_target("todo") as target, viewing(target) as (session, follower):
        session.set_interval(snapshot_secs=0.01, vitals_secs=0.02)
        target.ask("churn 3 2000")
        first = follower.wait(lambda _: True).serial
        for serial in range(first, first + 40):
            handles = follower.wait(
                lambda snapshot, wanted=serial: snapshot.serial > wanted
            ).handles
            known = handles.strong[
                (handles.references == Reference.LIVE) & (handles.strong != UNKNOWN)
            ]
            assert (known >= 1).all()
            assert len(set(handles.ids.tolist())) == len(handles)
        target.ask("calm")
