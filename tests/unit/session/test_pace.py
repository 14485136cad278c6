from __future__ import annotations

import pytest

from inspector.session import pace
from inspector.session.pace import Pace, next_snapshot_at

LOOK_SECS = 0.001


class Clock:
    """Runs a pace as the pump does, over simulated seconds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pace = Pace()
        self.vitals: list[float] = []
        self.snapshots: list[float] = []
        self.looks: list[float] = []
        self.has_counted = True
        self.has_changed = True
        self.look_secs = LOOK_SECS

    def run(self, secs: float) -> None:
        """Let the time pass; the lists hold the announcements of these seconds."""
        self.vitals, self.snapshots, self.looks = [], [], []
        end = self.now + secs
        while self.now < end:
            self._turn()
            self.now = max(self.now, min(self.pace.next_due(), end))

    def _turn(self) -> None:
        if self.now >= self.pace.next_probe:
            self.pace.note_probe(self.now)
        if self.now >= self.pace.next_vitals:
            told = self.pace.note_vitals(self.now, has_changed=self.has_counted)
            self.vitals += [self.now] * told
        if self.now >= self.pace.next_snapshot:
            began, self.now = self.now, self.now + self.look_secs
            told = self.pace.note_snapshot(began, self.look_secs, has_changed=self.has_changed)
            self.looks.append(began)
            self.snapshots += [began] * told

    def calm(self) -> None:
        self.has_counted = self.has_changed = False
        self.run(pace.QUIET_AFTER_SECS + 1)


def test_a_changing_target_is_read_as_often_as_wished() -> None:
    clock = Clock()
    clock.run(10)
    assert 99 <= len(clock.snapshots) <= 101
    assert 590 <= len(clock.vitals) <= 601


def test_a_quiet_target_is_announced_seldom_but_steadily() -> None:
    clock = Clock()
    clock.run(1)
    clock.calm()
    clock.run(10)
    assert len(clock.snapshots) == 10
    assert 18 <= len(clock.vitals) <= 21


def test_nothing_gets_rarer_before_the_target_was_quiet_for_a_second() -> None:
    clock = Clock()
    clock.run(1)
    clock.has_counted = clock.has_changed = False
    clock.run(pace.QUIET_AFTER_SECS - 0.2)
    assert 7 <= len(clock.snapshots) <= 9


def test_a_birth_in_a_quiet_target_is_announced_after_a_twentieth_of_a_second() -> None:
    clock = Clock()
    clock.run(1)
    clock.calm()
    clock.run(3.02)
    born = clock.now
    clock.has_counted = clock.has_changed = True
    clock.run(0.2)
    assert clock.vitals[0] - born <= pace.QUIET_READ_SECS
    assert clock.snapshots[0] - born <= pace.QUIET_READ_SECS + LOOK_SECS


def test_a_change_that_no_counter_shows_is_announced_with_the_next_look() -> None:
    clock = Clock()
    clock.run(1)
    clock.calm()
    clock.run(3.02)
    changed_at = clock.now
    clock.has_changed = True
    clock.run(0.2)
    assert clock.snapshots[0] - changed_at <= pace.SNAPSHOT_SECS


def test_looks_at_a_huge_quiet_table_take_a_twentieth_of_a_core() -> None:
    clock = Clock()
    clock.look_secs = 0.1
    clock.run(1)
    clock.calm()
    clock.run(20)
    assert len(clock.looks) * clock.look_secs / 20 <= pace.QUIET_SHARE + 0.01


def test_a_birth_does_not_wait_for_the_rest_after_such_a_look() -> None:
    clock = Clock()
    clock.look_secs = 0.2
    clock.run(1)
    clock.calm()
    clock.run(clock.pace.next_snapshot - clock.now + 0.3)
    born = clock.now
    clock.has_counted = clock.has_changed = True
    clock.run(0.2)
    assert clock.snapshots[0] - born <= pace.QUIET_READ_SECS


def test_an_unwatched_target_is_read_once_a_second() -> None:
    clock = Clock()
    clock.pace.wish(snapshot_secs=1.0, vitals_secs=1.0)
    clock.run(10)
    assert len(clock.snapshots) == 10
    assert len(clock.vitals) == 10
    assert clock.pace.next_probe - clock.now <= 0.5


def test_a_wish_is_granted_at_once() -> None:
    clock = Clock()
    clock.pace.wish(snapshot_secs=1.0, vitals_secs=1.0)
    clock.run(1)
    clock.calm()
    clock.run(2.5)
    clock.pace.wish(snapshot_secs=0.1, vitals_secs=1 / 60)
    began = clock.now
    clock.run(0.1)
    assert (clock.snapshots[0], clock.vitals[0]) == (began, began)


@pytest.mark.parametrize(("took_secs", "due"), [(0.01, 10.1), (0.2, 10.3), (2.0, 13.0)])
def test_the_pump_rests_half_as_long_as_a_snapshot_took_at_least(
    took_secs: float, due: float
) -> None:
    assert next_snapshot_at(10.0, took_secs, every_secs=0.1) == pytest.approx(due)
