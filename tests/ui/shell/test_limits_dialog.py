"""The window shows its caps and how much of each is in use."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from inspector.model.caps import CAPS, MARKS, RECORDING_FILE, TIMELINE, Use
from inspector.ui.shell.limits_dialog import LimitsDialog, amount_text
from tests.helpers.windows import SNAPSHOT, Attach


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (Use(MARKS, 3), "3 of 60 marks"),
        (Use(MARKS, 60, 1204), "60 of 60 marks, 1,204 left out"),
        (Use(TIMELINE, 8000, 12), "8,000 of 8,192 readings, 12 joined"),
        (Use(RECORDING_FILE, 3_100_000), "3.1 MB of 4.3 GB"),
    ],
)
def test_an_amount_is_shown_beside_its_cap(use: Use, text: str) -> None:
    assert amount_text(use.cap, use) == text


def test_a_cap_without_an_owner_is_not_in_use() -> None:
    assert amount_text(MARKS, None) == "not in use, at most 60 marks"


def test_the_dialog_lists_every_cap_and_follows_the_amounts(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.commands["limits"].trigger()
    dialog = window.findChild(LimitsDialog)
    assert isinstance(dialog, LimitsDialog)
    assert len(dialog.lines) == len(CAPS)
    assert "Marks: 0 of 60 marks" in dialog.lines
    assert any(line.startswith("Size of a recording: not in use") for line in dialog.lines)
    window.marks.mark_now()
    qtbot.waitUntil(lambda: len(window.marks.marks) == 1)
    dialog.refresh()
    assert "Marks: 1 of 60 marks" in dialog.lines
    window.commands["limits"].trigger()
    assert window.findChildren(LimitsDialog) == [dialog]


def test_each_explanation_begins_directly_below_its_title(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.commands["limits"].trigger()
    dialog = window.findChild(LimitsDialog)
    assert isinstance(dialog, LimitsDialog)
    explanations = [label for label in dialog.findChildren(QLabel) if label.wordWrap()]
    assert len(explanations) == len(CAPS)
    assert all(label.alignment() & Qt.AlignmentFlag.AlignTop for label in explanations)


def test_everything_that_is_kept_with_a_session_has_an_owner(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.commands["record"].setChecked(True)
    qtbot.waitUntil(lambda: window.recording.is_on)
    window.commands["limits"].trigger()
    dialog = window.findChild(LimitsDialog)
    assert isinstance(dialog, LimitsDialog)
    assert [line for line in dialog.lines if "not in use" in line] == []
    with qtbot.waitSignal(window.recording.told):
        window.commands["record"].setChecked(False)
