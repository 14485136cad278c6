"""A session of twelve hours, in simulated time: memory, descriptors and threads are flat.

A fake session plays a busy program. All caps are reached within the first two hours; later
allocations are counted at hour four and at hour twelve.
"""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector.model.caps import EVENTS, MARKS, REPORTS, TIMELINE_MARKS
from inspector.model.events import EventBatch, EventCursor, Events
from inspector.model.snapshot import Collection, Snapshot
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.session import event_feed, findings_watch
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import EventKind, Level, Reference
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.reading import is_busy
from tests.helpers.snapshots import T0, Row, make_vitals, snapshot_of
from tests.helpers.usage import Usage, usage_of

STEP_SECS = 300.0
HOUR = 3600.0
KEPT_EVENTS = 4_000
"""Instead of the real cap, so that each step is short."""
KEPT_REPORTS = 8
EVENTS_A_STEP = KEPT_EVENTS // 16
MARKS_A_STEP = TIMELINE_MARKS.most // 20
LIVE_ROWS = 40
MAY_GROW_BYTES = 256 << 10
"""Room for small things that come and go, over eight hours; a leak of 1 kB a step is 480 kB."""


class BusySession(FakeSession):
    """Gives new events with each request, and keeps none."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self.at = T0
        self._next = 0

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        numbers = np.arange(self._next, self._next + EVENTS_A_STEP, dtype=np.uint64)
        self._next += EVENTS_A_STEP
        nothing = np.zeros(EVENTS_A_STEP, np.int64)
        events = Events(
            at=self.at + np.linspace(0, STEP_SECS, EVENTS_A_STEP, endpoint=False),
            kinds=np.full(EVENTS_A_STEP, EventKind.CREATE, np.uint8),
            handles=numbers + np.uint64(1),
            addresses=np.zeros(EVENTS_A_STEP, np.uint64),
            counts=nothing,
            threads=nothing,
            sites=nothing,
            types=nothing,
            numbers=numbers,
        )
        batch: Future[EventBatch] = Future()
        batch.set_result(EventBatch(events, EventCursor({0: self._next})))
        return batch


@dataclass(frozen=True)
class Reading:
    """The resources of the process at one moment."""

    traced_bytes: int
    usage: Usage


class Day:
    """Plays the program, step by step, and the person who marks now and then."""

    def __init__(self, qtbot: QtBot, window: MainWindow, session: BusySession) -> None:
        self._qtbot = qtbot
        self._window = window
        self._session = session
        self._step = 0

    def run_until(self, secs: float) -> None:
        """Play until so many simulated seconds since the beginning."""
        while self._step * STEP_SECS < secs:
            self._step += 1
            self._session.at = T0 + self._step * STEP_SECS
            self._play()
        self._settle()

    def read(self) -> Reading:
        gc.collect()
        return Reading(tracemalloc.get_traced_memory()[0], usage_of(os.getpid()))

    def _play(self) -> None:
        step, at = self._step, self._session.at
        for part in range(6):
            created = [step * 60 + part * 10, step * 6, 3]
            released = [max(created[0] - 40, 0), step * 6, 0]
            past_secs = 6.0 - part  # within a gap of readings, as in use
            self._session.publish_vitals(make_vitals(at - past_secs, created, released))
        self._session.publish(self._snapshot(step, at))
        QApplication.processEvents()
        self._read_events()
        for _ in range(3):
            self._window.marks.mark_now()
        if step % 10 == 0:
            self._window.workbench.open_pane(PANES_IN_TURN[step // 10 % len(PANES_IN_TURN)])
            self._settle()

    def _read_events(self) -> None:
        """Each step's events, however long the step takes: the feed's own pace is by the clock."""
        feed = self._window.feed
        feed.refresh()
        self._qtbot.waitUntil(lambda: not feed.is_reading, timeout=30_000)

    def _snapshot(self, step: int, at: float) -> Snapshot:
        rows = [
            Row(
                slot % LIVE_ROWS + 1,
                generation=slot // LIVE_ROWS + 1,
                age_secs=float(step * 3 + LIVE_ROWS - slot),
                reference=Reference.DROPPED if slot % 7 == 0 else Reference.LIVE,
            )
            for slot in range(step * 3, step * 3 + LIVE_ROWS)
        ]
        collections = tuple(
            Collection(step * MARKS_A_STEP + turn, at - 1 + turn / 100, 0.001, 1, 0, forced=False)
            for turn in range(MARKS_A_STEP)
        )
        made = snapshot_of(rows, at=at, serial=step + 1, collections=collections)
        return replace(made, target=replace(made.target, level=Level.HISTORY))

    def _settle(self) -> None:
        """Until nothing runs off the window's thread."""
        parts = (self._window.findings, *self._window.workbench.findChildren(PaneBase))
        self._qtbot.waitUntil(
            lambda: not any(map(is_busy, parts)) and not self._window.feed.is_reading,
            timeout=30_000,
        )


PANES_IN_TURN = (
    "pending",
    "threads",
    "findings",
    "events",
    "marks",
    "history",
    "flame",
    "timeline",
)


@pytest.mark.timeout(600)
def test_twelve_hours_leave_memory_descriptors_and_threads_flat(
    qtbot: QtBot, open_window: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_feed, "KEPT_EVENTS", KEPT_EVENTS)
    monkeypatch.setattr(findings_watch, "KEPT_REPORTS", KEPT_REPORTS)
    session = BusySession(snapshot_of([Row(1)], at=T0))
    window = open_window(FakeConnector(sessions={4711: session}))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    day = Day(qtbot, window, session)
    day.run_until(2 * HOUR)
    kept = {use.cap.key: use for use in window.uses()}
    for cap, most in (
        (MARKS, MARKS.most),
        (EVENTS, KEPT_EVENTS),
        (REPORTS, KEPT_REPORTS),
        (TIMELINE_MARKS, 2000),
    ):
        assert kept[cap.key].used == most, f"{cap.what}: the cap is not reached in two hours"
        assert kept[cap.key].left_out > 0
    tracemalloc.start()
    try:
        day.run_until(4 * HOUR)
        before = day.read()
        day.run_until(12 * HOUR)
        after = day.read()
    finally:
        tracemalloc.stop()
    assert after.traced_bytes - before.traced_bytes < MAY_GROW_BYTES
    assert after.usage.descriptors <= before.usage.descriptors
    assert after.usage.threads <= before.usage.threads
