from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from inspector.ui.kit.theme import Theme
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.connector import ProcessRow
from inspector.ui.shell.process_model import Column, ProcessModel
from inspector.ui.shell.start_page import StartPage
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.reading import timer_of

GOOD = ProcessRow(4711, "app.py", "python app.py", "CPython 3.11.7", True, live_handles=12408)
BARE = ProcessRow(
    800,
    "web.py",
    "python web.py",
    "CPython 3.11.7",
    False,
    "no agent runs in it",
    "ARC_INSPECTOR=1 python web.py",
)


GONE = ProcessRow(
    99,
    "old.py",
    "python old.py",
    "CPython 3.11.7",
    True,
    "post-mortem: it was killed",
    live_handles=3,
    alive=False,
)
ENDED = ProcessRow(
    98,
    "done.py",
    "python done.py",
    "CPython 3.11.7",
    True,
    "it ended, its last state is left",
    live_handles=3,
    alive=False,
)


class BrokenConnector(FakeConnector):
    def processes(self, is_given_up: Callable[[], bool] = lambda: False) -> tuple[ProcessRow, ...]:
        raise OSError("/proc is not mounted")


class SlowConnector(FakeConnector):
    """Finds one process more at each search, and the first search only ends when it is given up."""

    def __init__(self) -> None:
        super().__init__([GOOD])
        self.searches = 0
        self.given_up = threading.Event()

    def processes(self, is_given_up: Callable[[], bool] = lambda: False) -> tuple[ProcessRow, ...]:
        self.searches += 1
        while self.searches == 1 and not is_given_up():
            self.given_up.wait(0.001)
        if is_given_up():
            self.given_up.set()
            return ()
        return (GOOD,)


def page_of(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner, connector: FakeConnector
) -> StartPage:
    page = StartPage(theme, connector, runner)
    qtbot.addWidget(page)
    page.resize(1000, 600)
    page.show()
    qtbot.waitUntil(lambda: "Looking" not in page.count.text())
    return page


def test_attachable_processes_come_first_and_one_is_selected(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([BARE, GOOD]))
    assert page.model.index(0, 0).data() == "app.py"
    assert page.count.text() == "1 ready · 1 not prepared"
    assert page.attach.isEnabled()


def test_no_process_is_looked_for_while_a_session_opens(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    connector = SlowConnector()
    page = StartPage(theme, connector, runner)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: connector.searches == 1)
    page.set_resting(True)
    assert not timer_of(page).isActive()
    qtbot.waitUntil(connector.given_up.is_set)
    assert "Looking" in page.count.text()
    page.set_resting(False)
    assert timer_of(page).isActive()
    page.refresh()
    qtbot.waitUntil(lambda: page.count.text() == "1 ready")


def test_what_is_left_of_a_dead_process_comes_after_the_running_ones_and_is_opened(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([GONE, BARE, GOOD]))
    page.ended.setChecked(True)
    assert [page.model.index(row, 0).data() for row in range(3)] == ["app.py", "web.py", "old.py"]
    assert page.count.text() == "1 ready · 1 not prepared · 1 ended"
    page.table.selectRow(2)
    assert page.attach.text() == "Open"
    assert page.attach.isEnabled()


def test_a_process_that_ended_is_opened_and_not_called_running(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([BARE, ENDED]))
    page.ended.setChecked(True)
    assert page.count.text() == "0 ready · 1 not prepared · 1 ended"
    page.table.selectRow(1)
    assert page.attach.text() == "Open"


def test_enter_attaches(qtbot: QtBot, theme: Theme, runner: BackgroundRunner) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([GOOD]))
    with qtbot.waitSignal(page.attach_wanted) as wanted:
        qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert wanted.args == [4711]


def test_a_process_that_cannot_be_attached_says_why_and_how_to_fix_it(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([BARE]))
    page.table.selectRow(0)
    assert page.why.text() == (
        "Cannot be attached: no agent runs in it\nARC_INSPECTOR=1 python web.py"
    )
    assert not page.attach.isEnabled()
    page.copy_fix.click()
    assert QGuiApplication.clipboard().text() == BARE.fix
    with qtbot.assertNotEmitted(page.attach_wanted):
        qtbot.keyClick(page.table, Qt.Key.Key_Return)


def test_a_command_that_looks_like_markup_is_shown_as_it_is(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    odd = ProcessRow(7, "odd.py", "python -c '<b>bold</b>'", "", True)
    page = page_of(qtbot, theme, runner, FakeConnector([odd]))
    assert page.why.textFormat() == Qt.TextFormat.PlainText
    assert page.why.text() == odd.command
    assert "&lt;b&gt;bold" in str(page.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole))


def test_no_process_is_a_sentence_with_a_way_on(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector())
    assert "No process can be attached now" in page.count.text()
    with qtbot.waitSignal(page.demo_wanted):
        qtbot.mouseClick(page.demo, Qt.MouseButton.LeftButton)


def test_a_failing_process_list_is_one_line(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, BrokenConnector())
    assert page.count.text() == "Processes could not be listed: OSError: /proc is not mounted"


def test_the_choice_survives_a_refresh(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    connector = FakeConnector([GOOD, BARE])
    page = page_of(qtbot, theme, runner, connector)
    page.table.selectRow(1)
    new = ProcessRow(5000, "new.py", "python new.py", "", True)
    connector.rows = (new, GOOD, BARE)
    with qtbot.waitSignal(page.model.modelReset):
        page.refresh()
    qtbot.waitUntil(lambda: bool(page.table.selectionModel().selectedRows()))
    assert page.model.process(page.table.selectionModel().selectedRows()[0].row()) == BARE


def test_recent_screenshots_open_by_a_click(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    path = Path("/pictures/app.png")
    page = page_of(qtbot, theme, runner, FakeConnector(files={path: FakeSession()}))
    assert page.recent.item(0).text() == "app.png"
    assert not page.no_recent.isVisible()
    with qtbot.waitSignal(page.file_wanted) as wanted:
        page.recent.itemActivated.emit(page.recent.item(0))
    assert wanted.args == [path]


def test_a_page_that_is_not_seen_asks_nothing(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([GOOD]))
    assert timer_of(page).isActive()
    page.hide()
    assert not timer_of(page).isActive()


@pytest.mark.parametrize("rows", [(), (GOOD,), (GOOD, BARE, GONE)])
def test_the_process_model_is_sound(
    qtmodeltester, theme: Theme, rows: tuple[ProcessRow, ...]
) -> None:
    model = ProcessModel(theme)
    qtmodeltester.check(model)
    model.show(rows)
    qtmodeltester.check(model)


def test_unknown_numbers_of_handles_are_a_dash(theme: Theme) -> None:
    model = ProcessModel(theme)
    model.show([GOOD, BARE])
    assert [model.index(row, Column.HANDLES).data() for row in (0, 1)] == ["12,408", "–"]


UNPREPARED = ProcessRow(
    801,
    "web.py",
    "python web.py",
    "CPython 3.12",
    False,
    "runs no agent",
    consent="One thread is held for a few milliseconds.",
)


def asked(page: StartPage) -> QMessageBox:
    """The question for consent, open."""
    page.attach.click()
    box = page.findChild(QMessageBox, "consent")
    assert box is not None
    return box


def test_a_process_without_an_agent_is_attached_after_consent_and_not_without(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([UNPREPARED]))
    assert (page.attach.text(), page.attach.isEnabled()) == ("Attach…", True)
    assert page.model.index(0, Column.STATUS).data() == "not prepared"
    assert page.count.text() == "0 ready · 1 not prepared"
    box = asked(page)
    assert box.informativeText() == UNPREPARED.consent
    with qtbot.assertNotEmitted(page.bring_wanted, wait=10):
        box.button(QMessageBox.StandardButton.Cancel).click()
    again = [each for each in page.findChildren(QMessageBox) if each.isVisible()] or [asked(page)]
    agree = next(
        button
        for button in again[0].buttons()
        if again[0].buttonRole(button) == QMessageBox.ButtonRole.AcceptRole
    )
    with qtbot.waitSignal(page.bring_wanted) as emitted:
        agree.click()
    assert emitted.args == [801]


@pytest.mark.parametrize(("word", "agreed"), [("Agree and attach", 1), ("Attach without them", 0)])
def test_code_that_a_person_declared_is_agreed_to_once_or_left_out(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner, word: str, agreed: int
) -> None:
    declares = "It runs code of its own: app.Session: fileno()."
    connector = FakeConnector([replace(GOOD, declares=declares)])
    page = page_of(qtbot, theme, runner, connector)
    page.attach.click()
    box = page.findChild(QMessageBox, "declarations")
    assert box is not None
    assert box.informativeText() == declares
    with qtbot.waitSignal(page.attach_wanted) as emitted:
        next(button for button in box.buttons() if button.text() == word).click()
    assert emitted.args == [GOOD.pid]
    assert connector.agreed == agreed


def names_of(page: StartPage) -> list[str]:
    model = page.model
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_a_process_keeps_its_place_when_others_come_and_go(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    connector = FakeConnector([GOOD, BARE])
    page = page_of(qtbot, theme, runner, connector)
    assert names_of(page) == ["app.py", "web.py"]
    new = replace(GOOD, pid=1, name="new.py")
    connector.rows = (new, GOOD, BARE)
    page.refresh()
    qtbot.waitUntil(lambda: page.model.rowCount() == 3)
    assert names_of(page) == ["app.py", "web.py", "new.py"]
    assert page.model.process(page.table.currentIndex().row()) == GOOD


def test_ended_processes_are_hidden_until_they_are_asked_for(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([GOOD, BARE, GONE, ENDED]))
    assert page.count.text() == "1 ready · 1 not prepared · 2 ended (hidden)"
    assert names_of(page) == ["app.py", "web.py"]
    page.ended.setChecked(True)
    assert names_of(page) == ["app.py", "web.py", "old.py", "done.py"]
    assert page.count.text() == "1 ready · 1 not prepared · 2 ended"


def test_the_search_finds_processes_by_name_id_and_command(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([GOOD, BARE]))
    for words, found in (("web", ["web.py"]), ("4711", ["app.py"]), ("python app", ["app.py"])):
        page.search.setText(words)
        assert names_of(page) == found


def test_a_process_shows_its_folder_age_user_and_packages(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    model = ProcessModel(theme, clock=lambda: 1_000.0)
    told = replace(
        GOOD, folder="/srv/app", user="ana", packages=("bdkpython", "cffi"), started_at=959.0
    )
    model.show([told, BARE])
    columns = (Column.FOLDER, Column.AGE, Column.USER, Column.PACKAGES)
    assert [model.index(0, column).data() for column in columns] == [
        "/srv/app",
        "41 s",
        "ana",
        "bdkpython, cffi",
    ]
    assert [model.index(1, column).data() for column in columns] == ["–"] * 4
    page = page_of(qtbot, theme, runner, FakeConnector([told, BARE]))
    for words in ("/srv", "ana", "bdk"):
        page.search.setText(words)
        assert names_of(page) == ["app.py"]


@pytest.mark.parametrize("width", [820, 1000, 1366, 1800])
def test_no_column_of_the_list_is_cut(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner, width: int
) -> None:
    page = page_of(qtbot, theme, runner, FakeConnector([GOOD]))
    page.resize(width, 600)
    header = page.table.horizontalHeader()
    qtbot.waitUntil(lambda: header.length() <= page.table.viewport().width())
    assert not page.table.isColumnHidden(Column.STATUS)
    assert page.table.isColumnHidden(Column.FOLDER) == (width < 1000)
    assert page.table.isColumnHidden(Column.RUNTIME) == (width < 1800)


def test_no_row_moves_up_while_the_pointer_is_on_the_table(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    connector = FakeConnector([GOOD, BARE])
    page = page_of(qtbot, theme, runner, connector)
    page.table.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    connector.rows = (BARE,)
    page.refresh()
    qtbot.waitUntil(lambda: page.model.index(0, Column.STATUS).data() == "has ended meanwhile")
    assert names_of(page) == ["app.py", "web.py"]
    page.table.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, on=False)
    page.refresh()
    qtbot.waitUntil(lambda: names_of(page) == ["web.py"])
