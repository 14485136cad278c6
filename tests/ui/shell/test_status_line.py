"""The status line claims no rate that was not reached, and no age that has passed."""

from __future__ import annotations

import dataclasses

import pytest
from pytestqt.qtbot import QtBot

from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.shell.status_line import StatusLine
from tests.helpers.snapshots import T0, Row, snapshot_of

FIRST = dataclasses.replace(snapshot_of([Row(1)]), sampled_at=T0 - 0.25)


@pytest.fixture
def line(qtbot: QtBot) -> StatusLine:
    made = StatusLine()
    qtbot.addWidget(made)
    made.show()
    return made


def show(line: StatusLine, secs: float, *, rate_hz: float = 10.0) -> None:
    """A snapshot that was taken so long after the first."""
    snapshot = dataclasses.replace(FIRST, taken_at=T0 + secs)
    line.show_snapshot(snapshot, rate_hz=rate_hz, skipped=0, paused=False)


def test_the_wished_rate_is_shown_while_it_is_reached(line: StatusLine) -> None:
    for turn in range(60):
        show(line, turn * 0.105)
    assert line.rate.text() == "10 Hz"


def test_a_rate_that_is_not_reached_is_shown_beside_the_wish(line: StatusLine) -> None:
    for turn in range(10):
        show(line, turn * 0.8)
    assert line.rate.text() == "1.2 of 10 Hz"


def test_a_target_that_became_quiet_shows_its_real_rate_after_some_seconds(
    line: StatusLine,
) -> None:
    for turn in range(50):
        show(line, turn * 0.1)
    assert line.rate.text() == "10 Hz"
    for secs in range(4):
        show(line, 5.9 + secs)
    assert line.rate.text() == "1.0 of 10 Hz"


def test_time_that_goes_back_starts_the_rate_again(line: StatusLine) -> None:
    for turn in range(10):
        show(line, turn * 0.8)
    show(line, -500)
    assert line.rate.text() == "10 Hz"


def test_the_age_of_the_counts_grows_between_snapshots(qtbot: QtBot) -> None:
    seconds = [50.0]
    clock = RunningClock(monotonic=lambda: seconds[0])
    line = StatusLine(clock=clock)
    qtbot.addWidget(line)
    line.show()
    show(line, 0)
    assert line.sampled.text() == "sampled 250 ms ago"
    seconds[0] += 2
    clock.ticked.emit()
    assert line.sampled.text() == "sampled 2.2 s ago"
