"""Pinned views of the SQL pane: kept for later windows, over processes, recordings and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QTabBar
from pytestqt.qtbot import QtBot

from inspector.model.snapshot import Snapshot
from inspector.session.recorder import SessionRecorder
from inspector.session.replay import ReplaySession
from inspector.ui.panes.sql.pane import NO_TARGET, SqlPane
from inspector.ui.panes.sql.pinned import LONGEST, MOST_PINNED, PinnedQueries
from inspector.ui.shell.main_window import MainWindow
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.snapshots import T0, Row, World, snapshot_of
from tests.helpers.windows import Open

COUNTS = "select type, count(*) as live from handles group by all order by live desc"
PATIENCE_MILLIS = 30_000
COURSE = "select live from counts where type = 'TodoItem' order by taken_at"


def state(live: int) -> Snapshot:
    rows = [Row(slot) for slot in range(1, live + 1)]
    world = World(created={"TodoItem": live})
    return snapshot_of(rows, at=T0 + live, serial=live, world=world)


def pane_of(window: MainWindow) -> SqlPane:
    window.workbench.open_pane("sql")
    return window.workbench.pane("sql", SqlPane)


def titles(pane: SqlPane) -> list[str]:
    return [pane.tabs.tabText(place) for place in range(pane.tabs.count())]


def cells(pane: SqlPane) -> list[list[str]]:
    model = pane.table.model()
    return [
        [str(model.index(row, column).data()) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def turn_to(qtbot: QtBot, pane: SqlPane, place: int) -> list[list[str]]:
    """Look at a pinned view; its answer."""
    with qtbot.waitSignal(pane.count_changed, timeout=PATIENCE_MILLIS):
        pane.tabs.setCurrentIndex(place)
    return cells(pane)


def pin(pane: SqlPane, sql: str) -> None:
    pane.tabs.setCurrentIndex(0)
    pane.editor.setPlainText(sql)
    pane.pin.click()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three states with one, two and three handles."""
    session = FakeSession()
    recorder = SessionRecorder(session, tmp_path / "grown.arcs", every_secs=0.5)
    for live in (1, 2, 3):
        session.publish(snapshot := state(live))
        session.publish_vitals(snapshot.vitals)
        while recorder.recorded.snapshots < live:
            assert not recorder.recorded.failure
    recorder.stop()
    return tmp_path / "grown.arcs"


def test_a_later_window_has_the_views_over_a_process_and_over_a_file(
    qtbot: QtBot, open_window: Open, recording: Path
) -> None:
    first = open_window()
    pane = pane_of(first)
    pin(pane, COUNTS)
    pin(pane, COURSE)
    assert pane.note.accessibleName() == NO_TARGET
    first.close()

    replay = ReplaySession(recording)
    files = {recording: replay}
    later = open_window(FakeConnector(sessions={4711: FakeSession(state(5))}, files=files))  # type: ignore[arg-type]
    pane = pane_of(later)
    assert titles(pane) == ["Query", "select type, count(*) a…", "select live from counts…"]
    with qtbot.waitSignal(later.attachment.snapshot_shown):
        later.attachment.attach(4711)
    pane_of(later)
    assert turn_to(qtbot, pane, 1) == [["TodoItem", "5"]]
    with qtbot.waitSignal(later.attachment.snapshot_shown):
        later.attachment.open_file(recording)
    qtbot.waitUntil(lambda: cells(pane) == [["TodoItem", "3"]], timeout=PATIENCE_MILLIS)
    assert turn_to(qtbot, pane, 2) == [["1"], ["2"], ["3"]]
    pane.tabs.setCurrentIndex(1)
    replay.seek(T0 + 1)
    qtbot.waitUntil(lambda: cells(pane) == [["TodoItem", "1"]], timeout=PATIENCE_MILLIS)


def test_a_view_that_is_chosen_while_another_is_asked_is_answered_without_a_new_state(
    qtbot: QtBot, open_window: Open
) -> None:
    window = open_window(FakeConnector(sessions={4711: FakeSession(state(2))}))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    pane = pane_of(window)
    pin(pane, "select 2 as two")
    pin(pane, COUNTS)
    qtbot.waitUntil(lambda: cells(pane) == [["TodoItem", "2"]], timeout=PATIENCE_MILLIS)
    pane.tabs.setCurrentIndex(0)
    pane.editor.setPlainText("select sum(range) from range(20000000)")
    pane.run.click()
    pane.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: cells(pane) == [["2"]], timeout=PATIENCE_MILLIS)


def test_a_changed_view_is_kept_as_changed_and_an_unpinned_one_is_gone(
    qtbot: QtBot, open_window: Open, settings: QSettings
) -> None:
    window = open_window(FakeConnector(sessions={4711: FakeSession(state(2))}))
    pane = pane_of(window)
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    for sql in (COUNTS, "select 1", COUNTS):
        pin(pane, sql)
    assert pane.tabs.count() == 3
    assert pane.tabs.currentIndex() == 1
    pane.editor.setPlainText("select 2 as two")
    with qtbot.waitSignal(pane.count_changed):
        pane.run.click()
    pane.tabs.tabButton(2, QTabBar.ButtonPosition.RightSide).click()
    assert PinnedQueries(settings).texts() == ["select 2 as two"]
    assert titles(pane_of(open_window())) == ["Query", "select 2 as two"]


def test_windows_that_are_open_together_keep_each_other_s_views(
    open_window: Open, settings: QSettings
) -> None:
    panes = [pane_of(open_window()) for _ in range(2)]
    for number, pane in enumerate(panes):
        pin(pane, f"select {number}")
    assert PinnedQueries(settings).texts() == ["select 0", "select 1"]


@pytest.mark.parametrize(
    "stored",
    ["", "{", '{"a": 1}', "null", "7", json.dumps([1, None, "", [], "x" * (LONGEST + 1)])],
)
def test_a_damaged_list_is_no_view(open_window: Open, settings: QSettings, stored: str) -> None:
    settings.setValue("pinned_queries", stored)
    assert titles(pane_of(open_window())) == ["Query"]


def test_the_number_of_views_is_bounded(open_window: Open, settings: QSettings) -> None:
    pane = pane_of(open_window())
    for number in range(MOST_PINNED + 3):
        pin(pane, f"select {number}")
    assert pane.tabs.count() == 1 + MOST_PINNED
    assert not pane.pin.isEnabled()
    assert len(PinnedQueries(settings).texts()) == MOST_PINNED
