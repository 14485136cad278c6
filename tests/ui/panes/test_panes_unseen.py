"""A hidden tab or a minimised window computes nothing, and is up to date when seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inspector.session.protocol import AuditLog
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.panes.audit.pane import NOTHING, AuditPane
from inspector.ui.panes.detail.history_lane import HistoryLane
from inspector.ui.panes.flame.pane import FlamePane
from inspector.ui.panes.history.pane import HistoryPane
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import EventKind, Level, Resource
from tests.helpers.fake_session import FakeSession
from tests.helpers.reading import clock_of, rows_shown, timer_of
from tests.helpers.snapshots import T0, Row, handle_id, make_vitals, snapshot_of
from tests.helpers.timelines import legend
from tests.helpers.windows import Attach, publish
from tests.unit.model.test_balance import OBJECT, events

JOURNAL = Row(
    4, "Journal", address=OBJECT + 64, resource=Resource.DRAINING, in_flight=1, changed_secs=3
)
SNAPSHOT = snapshot_of([Row(3, "TodoItem", address=OBJECT, age_secs=9), JOURNAL])
QUIET = dataclasses.replace(
    SNAPSHOT, target=dataclasses.replace(SNAPSHOT.target, level=Level.COUNT)
)
"""At this level the findings read no events: only panes do."""
HANDLE = handle_id(3)


class Opened(NamedTuple):
    window: MainWindow
    session: FakeSession
    asked: list[str]
    """Who had work done off the GUI thread since the last look at it."""


@pytest.fixture
def opened(attach: Attach, monkeypatch: pytest.MonkeyPatch) -> Opened:
    window, session = attach(QUIET)
    session.events = events((EventKind.CLONE, 0, OBJECT, 1))
    asked: list[str] = []
    run = window.runner.run

    def counted(work: Callable[[], Any], *answers: Any) -> Any:
        asked.append(work.__qualname__)
        return run(work, *answers)

    monkeypatch.setattr(window.runner, "run", counted)
    return Opened(window, session, asked)


def put_behind(qtbot: QtBot, opened: Opened, key: str, front: str = "cycles") -> None:
    """Look at the pane once, then open another tab in front of it."""
    bench = opened.window.workbench
    bench.open_pane(key)
    qtbot.waitUntil(lambda: is_seen(bench.pane(key, QWidget)))
    bench.open_pane(front)
    qtbot.waitUntil(lambda: not is_seen(bench.pane(key, QWidget)))


def tick_for_the_last_time(pane: QWidget) -> None:
    """Let the pane's own timer tick once more.

    From here on only coming to the front makes the pane read.
    """
    timer = timer_of(pane)
    timer.timeout.emit()
    timer.stop()


def test_a_pane_in_a_minimised_window_is_not_seen(qtbot: QtBot, opened: Opened) -> None:
    opened.window.workbench.open_pane("flame")
    pane = opened.window.workbench.pane("flame", FlamePane)
    qtbot.waitUntil(lambda: is_seen(pane))
    opened.window.showMinimized()
    assert not is_seen(pane)
    opened.window.showNormal()
    qtbot.waitUntil(lambda: is_seen(pane))


def test_no_graph_is_built_behind_another_tab(qtbot: QtBot, opened: Opened) -> None:
    put_behind(qtbot, opened, "flame")
    pane = opened.window.workbench.pane("flame", FlamePane)
    qtbot.waitUntil(lambda: "2 handles" in pane.note.text())
    opened.asked.clear()
    publish(
        qtbot,
        opened.window,
        opened.session,
        dataclasses.replace(snapshot_of([Row(3)]), serial=QUIET.serial + 1),
    )
    tick_for_the_last_time(pane)
    assert not [who for who in opened.asked if "Flame" in who]
    opened.window.workbench.open_pane("flame")
    qtbot.waitUntil(lambda: "1 handle alive" in pane.note.text())


def test_no_history_is_read_or_matched_behind_another_tab(qtbot: QtBot, opened: Opened) -> None:
    put_behind(qtbot, opened, "history")
    pane = opened.window.workbench.pane("history", HistoryPane)
    opened.window.workbench.side.close_pane()
    opened.asked.clear()
    before = len(opened.session.events_read)
    pane.follow((HANDLE,))
    tick_for_the_last_time(pane)
    opened.window.feed.changed.emit()
    assert len(opened.session.events_read) == before
    assert not [who for who in opened.asked if "History" in who]
    opened.window.workbench.open_pane("history")
    qtbot.waitUntil(lambda: len(rows_shown(pane.table)) == 1)


def test_the_lane_of_a_closed_detail_rests(qtbot: QtBot, opened: Opened) -> None:
    bench = opened.window.workbench
    bench.choose(HANDLE)
    lane = bench.detail.findChild(HistoryLane)
    assert isinstance(lane, HistoryLane)
    qtbot.waitUntil(lambda: is_seen(lane))
    bench.side.hide()
    qtbot.waitUntil(lambda: not opened.window.feed.is_reading)
    opened.asked.clear()
    before = len(opened.session.events_read)
    tick_for_the_last_time(lane)
    opened.window.feed.changed.emit()
    assert len(opened.session.events_read) == before
    assert not [who for who in opened.asked if "History" in who]


def test_the_target_is_not_asked_for_its_log_behind_another_tab(
    qtbot: QtBot, opened: Opened
) -> None:
    put_behind(qtbot, opened, "audit")
    pane = opened.window.workbench.pane("audit", AuditPane)
    opened.session.audits[0].set_result(AuditLog((), 0, ""))
    qtbot.waitUntil(lambda: pane.table.message == NOTHING)
    tick_for_the_last_time(pane)
    assert len(opened.session.audits) == 1
    opened.window.workbench.open_pane("audit")
    qtbot.waitUntil(lambda: len(opened.session.audits) == 2)


def test_ages_are_not_painted_behind_another_tab(qtbot: QtBot, opened: Opened) -> None:
    put_behind(qtbot, opened, "pending")
    pane = opened.window.workbench.pending
    changes: list[object] = []
    pane.table.model().dataChanged.connect(lambda *_: changes.append(1))
    clock_of(pane).ticked.emit()
    assert changes == []
    opened.window.workbench.open_pane("pending")
    qtbot.waitUntil(lambda: bool(changes))


def test_no_curve_is_drawn_while_the_timeline_is_folded(qtbot: QtBot, opened: Opened) -> None:
    bench = opened.window.workbench
    bench.timeline_strip.title.click()
    qtbot.waitUntil(lambda: not is_seen(bench.timeline.plot))
    bench.show_vitals(make_vitals(T0 + 20, [3], [1]))  # from two readings on there is a plot
    bench.timeline.plot.draw_now()
    drawn: list[object] = []
    bench.timeline.plot.painted.connect(drawn.append)
    bench.show_vitals(make_vitals(T0 + 21, [5], [1]))
    assert not bench.timeline.plot.is_draw_due
    assert drawn == []
    qtbot.waitUntil(lambda: legend(bench.timeline)[0] == "All  4")
    bench.open_pane("timeline")
    qtbot.waitUntil(lambda: bool(drawn))
