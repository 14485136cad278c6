"""Every test of the window runs without a display, with settings of its own, and ends its
threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inspector.model.change_groups import GroupBy
from inspector.model.snapshot import Snapshot
from inspector.ui.kit.theme import LIGHT, Theme
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.shell.send_preview import CHOICE, SKIP
from tests.helpers.fake_session import FakeConnector, FakeSession

if TYPE_CHECKING:
    from inspector.ui.shell.main_window import MainWindow


@pytest.fixture(autouse=True)
def _widgets_live_as_long_as_the_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep added widgets until ``qtbot`` has closed them.

    It keeps none itself, and paints once more after the test. A collection of garbage then deletes
    a widget in the middle of its own painting, which crashes the process.
    """
    kept: list[QWidget] = []
    add = QtBot.addWidget

    def add_and_keep(bot: QtBot, widget: QWidget, **more: Any) -> None:
        kept.append(widget)
        add(bot, widget, **more)

    monkeypatch.setattr(QtBot, "addWidget", add_and_keep)
    yield
    kept.clear()


@pytest.fixture
def theme() -> Theme:
    return LIGHT


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[BackgroundRunner]:
    made = BackgroundRunner()
    yield made
    made.close()


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    made = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    made.setValue(CHOICE, SKIP)  # the preview has tests of its own
    return made


@pytest.fixture
def open_window(
    qtbot: QtBot, settings: QSettings, tmp_path: Path
) -> Iterator[Callable[..., MainWindow]]:
    """Opens windows on a connector, and closes them."""
    opened: list[MainWindow] = []

    def make(connector: FakeConnector | None = None, **options: bool) -> MainWindow:
        from inspector.ui.shell.main_window import MainWindow

        window = MainWindow(connector or FakeConnector(folder=tmp_path), settings, **options)
        opened.append(window)
        window.appearance.choose("light")
        window.resize(1440, 900)  # the screen of the tests is smaller
        window.show()
        return window

    yield make
    from inspector.ui.shell.app import delete_now

    for window in opened:
        window.close()
        delete_now(window)


@pytest.fixture
def attach(
    attach_to_table: Callable[[Snapshot], tuple[MainWindow, FakeSession]],
) -> Callable[[Snapshot], tuple[MainWindow, FakeSession]]:
    """As ``attach_to_table``, and a person lists the handles."""

    def make(snapshot: Snapshot) -> tuple[MainWindow, FakeSession]:
        window, session = attach_to_table(snapshot)
        window.workbench.handles.group_by(GroupBy.NONE)
        window.workbench.handles.focus_rows()
        return window, session

    return make


@pytest.fixture
def attach_to_table(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path
) -> Callable[[Snapshot], tuple[MainWindow, FakeSession]]:
    """A window attached to a fake session that has published a snapshot."""

    def make(snapshot: Snapshot) -> tuple[MainWindow, FakeSession]:
        session = FakeSession(snapshot)
        window = open_window(FakeConnector(sessions={4711: session}, folder=tmp_path))
        with qtbot.waitSignal(window.attachment.snapshot_shown):
            window.attachment.attach(4711)
        return window, session

    return make
