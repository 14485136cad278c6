"""The preview before a picture or a session is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from inspector.model.screenshot import extract
from inspector.model.snapshot import Snapshot
from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.send_preview import CHOICE, NOTHING, PreviewDialog
from tests.helpers.fake_session import FakeSession
from tests.helpers.snapshots import Row, snapshot_of

SECRET = "hunter2-of-the-customer"  # noqa: S105 - a word to look for
COMMAND = f"python /srv/app.py --password={SECRET}"


@pytest.fixture
def window(
    settings: QSettings, attach: Callable[[Snapshot], tuple[MainWindow, FakeSession]]
) -> MainWindow:
    """A window that asks, on a process with a secret."""
    settings.remove(CHOICE)
    snapshot = snapshot_of([Row(1)])
    target = dataclasses.replace(snapshot.target, command=COMMAND)
    return attach(dataclasses.replace(snapshot, target=target))[0]


def asked(window: MainWindow, qtbot: QtBot, command: str) -> PreviewDialog:
    """The dialog that the command opens."""
    window.commands[command].trigger()
    qtbot.waitUntil(lambda: window.findChild(PreviewDialog) is not None)
    dialog = window.findChild(PreviewDialog)
    assert dialog is not None
    return dialog


def pictures(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.png"))


def test_a_picture_is_written_after_the_preview_without_its_parts(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = asked(window, qtbot, "screenshot")
    assert dialog.keep["command"].text().startswith("Keep command line (")
    assert pictures(tmp_path) == []
    dialog.save.click()
    qtbot.waitUntil(lambda: len(pictures(tmp_path)) == 1)
    assert SECRET not in extract(pictures(tmp_path)[0]).target.command


def test_a_part_of_the_window_is_written_after_the_preview(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "timeline.svg"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_given: (str(file), ""))
    dialog = asked(window, qtbot, "save_timeline")
    assert not file.exists()
    dialog.save.click()
    qtbot.waitUntil(file.exists)


def test_a_ticked_part_is_kept_this_time_alone(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = asked(window, qtbot, "screenshot")
    dialog.keep["command"].setChecked(True)
    dialog.save.click()
    qtbot.waitUntil(lambda: len(pictures(tmp_path)) == 1)
    assert SECRET in extract(pictures(tmp_path)[0]).target.command
    qtbot.waitUntil(lambda: window.findChild(PreviewDialog) is None)
    assert not asked(window, qtbot, "screenshot").keep["command"].isChecked()


def test_a_cancelled_preview_writes_nothing(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    asked(window, qtbot, "screenshot").cancel.click()
    qtbot.waitUntil(lambda: window.findChild(PreviewDialog) is None)
    asked(window, qtbot, "record").cancel.click()
    qtbot.waitUntil(lambda: not window.commands["record"].isChecked())
    assert not window.recording.is_on
    assert [*tmp_path.glob("*.png"), *tmp_path.glob("*.arcs")] == []


def test_a_session_is_recorded_after_the_preview(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = asked(window, qtbot, "record")
    with qtbot.waitSignal(window.recording.is_on_changed):
        dialog.save.click()
    assert window.recording.is_on
    with qtbot.waitSignal(window.recording.saved):
        window.commands["record"].trigger()
    (path,) = tmp_path.glob("*.arcs")
    assert SECRET.encode() not in path.read_bytes()


def test_the_question_can_be_ended_and_begun_again(
    window: MainWindow, settings: QSettings, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = asked(window, qtbot, "screenshot")
    dialog.always.setChecked(True)
    dialog.save.click()
    qtbot.waitUntil(lambda: len(pictures(tmp_path)) == 1)
    pictures(tmp_path)[0].unlink()  # the next picture may have the same name
    window.commands["screenshot"].trigger()
    qtbot.waitUntil(lambda: len(pictures(tmp_path)) == 1)
    window.commands["ask_preview"].trigger()
    qtbot.waitUntil(lambda: window.findChild(PreviewDialog) is None)
    asked(window, qtbot, "screenshot").cancel.click()


def test_nothing_private_is_said(qtbot: QtBot) -> None:
    dialog = PreviewDialog("a picture", ())
    qtbot.addWidget(dialog)
    assert NOTHING in [label.text() for label in dialog.findChildren(QLabel)]
    assert dialog.keep == {}
