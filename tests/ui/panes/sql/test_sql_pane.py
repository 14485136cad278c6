"""The pane of SQL: queries, completion, pinned views, and where rows lead."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabBar
from pytestqt.qtbot import QtBot

from inspector.model.snapshot import Snapshot
from inspector.model.sql.examples import EXAMPLES
from inspector.ui.panes.sql.pane import NO_TARGET, READY, SqlPane
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import handle_text
from tests.helpers.events import events_of
from tests.helpers.fake_session import FakeSession
from tests.helpers.snapshots import T0, Row, snapshot_of

SNAPSHOT = snapshot_of([Row(1), Row(2, type="Journal"), Row(3)])
COUNTS = "select type, count(*) as live from handles group by all order by live desc"
Attach = Callable[[Snapshot], tuple[MainWindow, FakeSession]]


@pytest.fixture
def opened(attach: Attach) -> tuple[MainWindow, FakeSession, SqlPane]:
    window, session = attach(SNAPSHOT)
    window.workbench.open_pane("sql")
    return window, session, window.workbench.pane("sql", SqlPane)


def rows(pane: SqlPane) -> list[list[str]]:
    """The cells that the table shows."""
    model = pane.table.model()
    return [
        [str(model.index(row, column).data()) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def ask(qtbot: QtBot, pane: SqlPane, sql: str) -> None:
    pane.editor.setPlainText(sql)
    with qtbot.waitSignal(pane.count_changed):
        pane.run.click()


def test_a_query_is_answered_off_the_state_that_is_shown(
    opened: tuple[MainWindow, FakeSession, SqlPane], qtbot: QtBot
) -> None:
    _, _, pane = opened
    assert pane.note.accessibleName() == READY
    ask(qtbot, pane, COUNTS)
    assert rows(pane) == [["TodoItem", "2"], ["Journal", "1"]]
    assert pane.note.accessibleName() == "2 rows"
    header = pane.table.model()
    assert [header.headerData(i, Qt.Orientation.Horizontal) for i in range(2)] == ["type", "live"]


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select from where", "syntax error"),
        ("select * from read_text('/etc/passwd')", "disabled"),
        ("copy handles to '/tmp/arc-inspector-escaped.csv'", "disabled"),
        ("create table mine as select 1; select * from nothing", "nothing"),
    ],
)
def test_a_refused_query_says_why_and_the_next_is_answered(
    opened: tuple[MainWindow, FakeSession, SqlPane], qtbot: QtBot, sql: str, word: str
) -> None:
    _, _, pane = opened
    ask(qtbot, pane, sql)
    assert rows(pane) == []
    assert pane.note.accessibleName().startswith("the query was refused: ")
    assert word in pane.note.accessibleName()
    ask(qtbot, pane, "select 1 as one, null as unknown")
    assert rows(pane) == [["1", "–"]]


def test_a_query_that_does_not_end_is_stopped(
    opened: tuple[MainWindow, FakeSession, SqlPane], qtbot: QtBot
) -> None:
    _, _, pane = opened
    pane.editor.setPlainText("select count(*) from range(100000000000) a, range(100000000000) b")
    pane.run.click()
    assert not pane.run.isVisible()
    with qtbot.waitSignal(pane.count_changed):
        pane.stop.click()
    assert pane.note.accessibleName() == "the query was ended"
    assert pane.run.isVisible()


def test_a_row_leads_to_its_handle_its_handles_or_its_line(
    opened: tuple[MainWindow, FakeSession, SqlPane], qtbot: QtBot
) -> None:
    _, _, pane = opened
    ask(qtbot, pane, "select id, type from handles where type = 'Journal'")
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        pane.table.clicked.emit(pane.table.model().index(0, 0))
    assert handle_text(chosen.args[0]) == rows(pane)[0][0]
    ask(qtbot, pane, COUNTS)
    with qtbot.waitSignal(pane.filter_wanted) as wanted:
        pane.table.clicked.emit(pane.table.model().index(1, 1))
    assert wanted.args == ['type:"Journal"']
    ask(qtbot, pane, "select '/srv/app.py' as file, 41 as line")
    with qtbot.waitSignal(pane.line_wanted) as line:
        pane.table.clicked.emit(pane.table.model().index(0, 0))
    assert line.args == ["/srv/app.py", 41]


def test_a_pinned_view_follows_the_process_and_the_own_query_does_not(
    opened: tuple[MainWindow, FakeSession, SqlPane], qtbot: QtBot
) -> None:
    window, session, pane = opened
    ask(qtbot, pane, COUNTS)
    with qtbot.waitSignal(pane.count_changed):
        pane.pin.click()
    assert pane.tabs.count() == 2
    assert rows(pane) == [["TodoItem", "2"], ["Journal", "1"]]
    more = snapshot_of([Row(1), Row(2), Row(3), Row(4)])
    with qtbot.waitSignal(pane.count_changed):
        session.publish(dataclasses.replace(more, serial=SNAPSHOT.serial + 1))
    assert rows(pane) == [["TodoItem", "4"]]
    pane.tabs.setCurrentIndex(0)
    assert rows(pane) == [["TodoItem", "2"], ["Journal", "1"]]
    pane.tabs.tabButton(1, QTabBar.ButtonPosition.RightSide).click()
    assert pane.tabs.count() == 1
    window.attachment.detach()
    assert pane.note.accessibleName() == NO_TARGET
    assert not pane.run.isEnabled()


def test_events_are_read_before_a_query_about_them(
    opened: tuple[MainWindow, FakeSession, SqlPane], qtbot: QtBot
) -> None:
    window, session, pane = opened
    session.events = events_of((T0 + 1, "create", 2), (T0 + 2, "release", 2))
    window.feed.clear()
    ask(qtbot, pane, "select event from events order by taken_at")
    assert rows(pane) == [["created"], ["released"]]


def test_an_example_is_written_and_asked(
    opened: tuple[MainWindow, FakeSession, SqlPane], qtbot: QtBot
) -> None:
    _, _, pane = opened
    (action, *rest) = pane.examples.menu().actions()
    assert len(rest) + 1 == len(EXAMPLES)
    with qtbot.waitSignal(pane.count_changed):
        action.trigger()
    assert pane.editor.toPlainText() == EXAMPLES[0].sql
    assert rows(pane)[0][0] == "TodoItem"


def test_names_of_columns_are_completed(
    opened: tuple[MainWindow, FakeSession, SqlPane], qtbot: QtBot
) -> None:
    _, _, pane = opened
    pane.begin()
    qtbot.keyClicks(pane.editor, "select native")
    assert pane.editor.completions.currentCompletion() == "native_refs"
    assert pane.editor.popup.isVisible()
    qtbot.keyClick(pane.editor.popup, Qt.Key.Key_Return)
    assert pane.editor.toPlainText() == "select native_refs"
    assert not pane.editor.popup.isVisible()
    qtbot.keyClicks(pane.editor, " from types")
    pane.editor.popup.hide()
    with qtbot.waitSignal(pane.count_changed):
        qtbot.keyClick(pane.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
