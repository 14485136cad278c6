"""A recording is judged by its own past: suspects and small lines are those of the moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from inspector.model.snapshot import Snapshot
from inspector.session.recorder import SessionRecorder
from inspector.session.replay import ReplaySession
from inspector.ui.session.recorded_past import MOST_STATES, states_before, vitals_before
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.snapshots import T0, Row, World, snapshot_of
from tests.helpers.windows import Open

MOMENTS = 48


def grown(at: int) -> Snapshot:
    rows = [Row(slot, age_secs=max(at - slot / 4, 0.0)) for slot in range(1, 4 * at + 3)]
    world = World(created={"TodoItem": len(rows)})
    return snapshot_of(rows, at=T0 + at, serial=at + 1, world=world)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    session = FakeSession()
    recorder = SessionRecorder(session, tmp_path / "grown.arcs", every_secs=0.5)
    for at in range(MOMENTS):
        snapshot = grown(at)
        session.publish(snapshot)
        session.publish_vitals(snapshot.vitals)
        while recorder.recorded.snapshots < snapshot.serial:
            assert not recorder.recorded.failure
    recorder.stop()
    return tmp_path / "grown.arcs"


@pytest.fixture
def replay(recording: Path) -> Iterator[ReplaySession]:
    session = ReplaySession(recording)
    yield session
    session.end()


def test_the_past_is_spread_over_the_recording_and_ends_before_the_moment(
    replay: ReplaySession,
) -> None:
    at = [state.taken_at for state in states_before(replay, T0 + MOMENTS - 1)]
    assert (at[0], at[-1]) == (T0, T0 + MOMENTS - 2)
    assert len(at) == MOST_STATES
    assert at == sorted(set(at))
    assert [state.taken_at for state in states_before(replay, T0 + 2)] == [T0, T0 + 1]
    assert list(states_before(replay, T0)) == list(states_before(None, T0)) == []
    assert [vitals.at for vitals in vitals_before(replay, T0 + 1)] == [T0, T0 + 1]


def test_a_recording_that_was_closed_has_no_past(replay: ReplaySession) -> None:
    replay.end()
    assert list(states_before(replay, T0 + 9)) == []


def test_a_reopened_recording_names_its_suspects_and_draws_their_lines(
    qtbot: QtBot, open_window: Open, recording: Path
) -> None:
    session = ReplaySession(recording)
    window = open_window(FakeConnector(files={recording: session}))  # type: ignore[dict-item]
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.open_file(recording)
    assert window.banner.text.startswith("Recording of app.py, ")
    grows = window.verdict.grows
    qtbot.waitUntil(lambda: [each.title for each in grows.suspects] == ["TodoItem"])
    assert grows.suspects[0].rate.startswith("+")
    assert len(grows.suspects[0].trend.at) > 10
    session.seek(T0)
    qtbot.waitUntil(lambda: grows.suspects == ())
