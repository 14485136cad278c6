"""The times of a session do not follow a system clock that somebody sets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inspector.model.churn import ChurnHistory
from inspector.model.rates import RateWindow
from inspector.session import steady_clock
from inspector.session.live import LiveSession
from inspector.session.steady_clock import SteadyClock
from tests.helpers.segments import SegmentImage, lock_held, write_segment
from tests.helpers.snapshots import T0, make_vitals
from tests.helpers.waiting import Follower

HOUR = 3600.0


class Clocks:
    """A wall clock that can be set, and one that runs on."""

    def __init__(self) -> None:
        self.wall_secs = T0
        self.running_secs = 50.0

    def pass_by(self, secs: float) -> None:
        self.wall_secs += secs
        self.running_secs += secs

    def made(self) -> SteadyClock:
        return SteadyClock(wall=lambda: self.wall_secs, running=lambda: self.running_secs)


@pytest.mark.parametrize("jump_secs", [-HOUR, HOUR, -10 * 365 * 24 * HOUR])
def test_a_jump_of_the_wall_clock_changes_no_time(jump_secs: float) -> None:
    clocks = Clocks()
    clock = clocks.made()
    clocks.pass_by(5)
    clocks.wall_secs += jump_secs
    clocks.pass_by(2)
    assert clock.now() == T0 + 7


@pytest.mark.parametrize("jump_secs", [-HOUR, HOUR])
def test_the_timeline_and_the_rates_go_on_after_a_jump(jump_secs: float) -> None:
    clocks, history, rates = Clocks(), ChurnHistory(), RateWindow()
    clock = clocks.made()
    for second in range(10):
        clocks.pass_by(1)
        clocks.wall_secs += jump_secs if second == 5 else 0
        vitals = make_vitals(clock.now(), [second * 10], [0])
        assert history.add(vitals)
        rates.add(vitals)
    assert len(history) == 10
    assert rates.per_type(1) == (10, 0)


def test_the_clock_that_runs_does_not_stand_still() -> None:
    first = steady_clock.running_secs()
    assert steady_clock.running_secs() >= first > 0


def test_a_live_session_goes_on_when_the_clock_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"{os.getpid()}-7.seg"
    write_segment(path, SegmentImage(types=[{"name": b"Journal"}], handles=[{"address": 64}]))
    with lock_held(path):
        session = LiveSession(path)
        follower = Follower(session)
        before = follower.wait(lambda _: True)
        wall = steady_clock.time.time
        monkeypatch.setattr(steady_clock.time, "time", lambda: wall() - HOUR)
        after = follower.wait(lambda each: each.serial >= before.serial + 3)
        assert before.taken_at < after.taken_at < before.taken_at + HOUR / 2
        session.end()
        session.join()
