from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from inspector.model.change_groups import GroupBy
from inspector.model.redaction import Redactor
from inspector.model.screenshot import extract
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.window_state import WindowState
from inspector.ui.shell.screenshot import write_picture
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.snapshots import Row, snapshot_of, with_state
from tests.helpers.windows import JOURNAL, SNAPSHOT, Attach, Open, publish


def test_a_screenshot_carries_its_snapshot_and_is_remembered(
    qtbot: QtBot, attach: Attach, tmp_path: Path
) -> None:
    window, _ = attach(SNAPSHOT)
    path = tmp_path / "shot.png"
    window.save_screenshot(path)
    qtbot.waitUntil(lambda: window.result.text.startswith("Saved "))
    assert extract(path).handles.ids.tolist() == SNAPSHOT.handles.ids.tolist()
    window.commands["screenshot"].trigger()
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("app.py-*.png"))) == 1)


def test_a_screenshot_shows_what_was_there_when_it_was_asked_for_and_the_window_goes_on(
    qtbot: QtBot, attach: Attach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, session = attach(SNAPSHOT)
    may_write, threads = threading.Event(), []

    def slow(
        picture: QImage, snapshot: Snapshot, path: Path, redactor: Redactor, state: WindowState
    ) -> None:
        threads.append(threading.current_thread())
        may_write.wait(10)
        write_picture(picture, snapshot, path, redactor, state)

    monkeypatch.setattr("inspector.ui.shell.screenshot_command.write_picture", slow)
    window.save_screenshot(tmp_path / "shot.png")
    assert window.result.text == "Saving shot.png …"
    publish(qtbot, window, session, snapshot_of([Row(1), JOURNAL, Row(3)], serial=2))
    assert window.workbench.handles.model.rowCount() == 5
    may_write.set()
    qtbot.waitUntil(lambda: window.result.text.startswith("Saved "))
    assert threads != [threading.main_thread()]
    assert extract(tmp_path / "shot.png").handles.ids.tolist() == SNAPSHOT.handles.ids.tolist()


def test_a_screenshot_that_cannot_be_written_is_one_line(
    qtbot: QtBot, attach: Attach, tmp_path: Path
) -> None:
    window, _ = attach(SNAPSHOT)
    window.save_screenshot(tmp_path / "nowhere" / "shot.png")
    qtbot.waitUntil(lambda: window.result.text.startswith("The screenshot was not saved: "))
    assert "\n" not in window.result.text


def test_a_file_dropped_on_the_window_is_opened(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    path = tmp_path / "shot.png"
    connector = FakeConnector(files={path: FakeSession(with_state(SNAPSHOT, TargetState.RECORDED))})
    window = open_window(connector)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(window.rect().center(), Qt.DropAction.CopyAction, mime, buttons, keys)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, mime, buttons, keys))
    assert connector.remembered == [path]
    assert "Screenshot of" in window.banner.text


def test_a_file_is_chosen_and_opened(
    qtbot: QtBot, open_window: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shot.png"
    window = open_window(FakeConnector(files={path: FakeSession(SNAPSHOT)}, folder=tmp_path))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        qtbot.mouseClick(window.start.open, Qt.MouseButton.LeftButton)
    window.workbench.handles.group_by(GroupBy.NONE)
    assert window.workbench.handles.model.rowCount() == 4


def test_choosing_no_file_opens_nothing(open_window: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    window = open_window()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    window.commands["open"].trigger()
    assert not window.attachment.situation.connecting


def test_a_drag_without_a_file_is_refused(open_window: Open) -> None:
    mime = QMimeData()
    mime.setText("hello")
    keys = Qt.KeyboardModifier.NoModifier
    window = open_window()
    enter = QDragEnterEvent(
        window.rect().center(), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, keys
    )
    enter.ignore()
    window.dragEnterEvent(enter)
    assert not enter.isAccepted()
