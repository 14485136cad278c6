from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from inspector.model.change_groups import GroupBy
from inspector.ui.session.connector import Connector
from inspector.ui.shell.app import make_application, run_window, window_settings
from inspector.ui.shell.main_window import MainWindow
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.snapshots import Row, snapshot_of


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path) -> Iterator[None]:
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))
    yield
    assert window_settings().fileName().startswith(str(tmp_path))


def the_window() -> MainWindow:
    return next(
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, MainWindow) and widget.isVisible()
    )


def when(is_so: Callable[[], bool], act: Callable[[], object]) -> None:
    """Look at each turn of the event loop; a timer of no length is no wait."""

    def look() -> None:
        if is_so():
            act()
        else:
            QTimer.singleShot(0, look)

    QTimer.singleShot(0, look)


def test_the_window_runs_until_it_is_closed(qtbot: QtBot, tmp_path: Path) -> None:
    when(lambda: True, lambda: the_window().close())
    assert run_window(FakeConnector(folder=tmp_path)) == 0


def test_the_first_session_is_opened_by_whoever_starts_the_window(
    qtbot: QtBot, tmp_path: Path
) -> None:
    session = FakeSession(snapshot_of([Row(1)]))
    seen: list[int] = []

    def open_first(connector: Connector) -> FakeSession:
        assert isinstance(connector, FakeConnector)
        return session

    def look() -> None:
        the_window().workbench.handles.group_by(GroupBy.NONE)
        seen.append(the_window().workbench.handles.model.rowCount())
        the_window().close()

    when(lambda: the_window().attachment.shown is not None, look)
    assert run_window(FakeConnector(folder=tmp_path), initial=open_first, theme="dark") == 0
    assert seen == [2]


def test_an_interrupt_in_the_terminal_closes_the_window(qtbot: QtBot, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    when(lambda: True, lambda: signal.raise_signal(signal.SIGINT))
    assert run_window(FakeConnector(folder=tmp_path)) == 0
    assert signal.getsignal(signal.SIGINT) is before


def test_a_closed_window_is_deleted_before_a_collection_on_another_thread_can_find_it(
    qtbot: QtBot, tmp_path: Path
) -> None:
    seen: list[MainWindow] = []

    def close() -> None:
        seen.append(the_window())
        seen[0].close()

    when(lambda: True, close)
    assert run_window(FakeConnector(folder=tmp_path)) == 0
    assert not isValid(seen[0])


def test_there_is_one_application(qtbot: QtBot) -> None:
    assert make_application() is QApplication.instance()
