"""Viewers that leave without a farewell."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from inspector.session.live import LiveSession
from inspector.vocabulary import Level
from tests.helpers.targets import start_target
from tests.helpers.waiting import Follower


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_a_killed_viewer_leaves_the_target_unharmed_and_back_at_its_idle_level() -> None:
    with start_target("todo", "count") as target:
        segment = target.ready["segment"]
        watcher = LiveSession(Path(segment), level=None)
        follower = Follower(watcher)
        with start_target("viewing", segment, "STACKS") as viewer:
            follower.wait(
                lambda snapshot: (
                    snapshot.target.level is Level.STACKS and snapshot.target.viewers == 2
                )
            )
            viewer.send_signal(signal.SIGKILL)
            follower.wait(
                lambda snapshot: (
                    snapshot.target.level is Level.COUNT and snapshot.target.viewers == 1
                )
            )
        watcher.end()
        watcher.join()
        target.ask("item milk buy")
        assert target.finish() == 0
        assert target.errors() == ""


def test_a_stopped_viewer_holds_up_neither_the_target_nor_another_viewer() -> None:
    with (
        start_target("todo") as target,
        start_target("viewing", target.ready["segment"], "HISTORY") as stopped,
    ):
        stopped.send_signal(signal.SIGSTOP)
        session = LiveSession(Path(target.ready["segment"]), level=Level.HISTORY)
        follower = Follower(session)
        item = target.ask("item milk buy")
        follower.wait(
            lambda snapshot: item in snapshot.handles.ids.tolist() and session.capabilities.act
        )
        assert session.force_gc().result(60).still_pending == 0
        session.end()
        session.join()
