from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from inspector.ui.kit.theme import LIGHT
from inspector.ui.shell.editor import EDITOR_KEY, EDITOR_VARIABLE
from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.settings_dialog import SettingsDialog, stored_rate
from tests.helpers.reading import choose, click, part
from tests.helpers.windows import SNAPSHOT, Attach, Open


@pytest.fixture(autouse=True)
def _no_editor_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(EDITOR_VARIABLE, raising=False)


def dialog_of(window: MainWindow) -> SettingsDialog:
    window.commands["settings"].trigger()
    (dialog,) = window.findChildren(SettingsDialog)
    return dialog


def test_the_rate_holds_at_once_and_in_the_next_window(
    qtbot: QtBot, attach: Attach, open_window: Open
) -> None:
    window, session = attach(SNAPSHOT)
    choose(dialog_of(window), "Snapshots a second", "2 Hz")
    assert session.intervals[-1][0] == 0.5
    assert window.toolbar.rate.currentText() == "2 Hz"
    again = open_window()
    assert again.attachment.rate_hz == 2.0
    assert again.toolbar.rate.currentText() == "2 Hz"
    again.toolbar.rate_wanted.emit(5.0)
    assert open_window().attachment.rate_hz == 5.0


@pytest.mark.parametrize("damaged", ["much", "7.5", "nan"])
def test_a_damaged_rate_is_the_usual_rate(settings: QSettings, damaged: str) -> None:
    settings.setValue("rate_hz", damaged)
    assert stored_rate(settings) == 10.0


def test_the_editor_is_kept_unless_it_is_no_command(
    qtbot: QtBot, open_window: Open, settings: QSettings
) -> None:
    dialog = dialog_of(open_window())
    field = part(dialog, "Editor", QLineEdit)
    field.setText("vim +{line} {file}")
    field.editingFinished.emit()
    field.setText('vim "{file}')
    field.editingFinished.emit()
    assert field.property("bad")
    assert settings.value(EDITOR_KEY) == "vim +{line} {file}"


def test_the_editor_of_the_environment_wins(
    open_window: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EDITOR_VARIABLE, "ed")
    assert not part(dialog_of(open_window()), "Editor", QLineEdit).isEnabled()


def test_the_theme_and_the_question_on_detaching_are_choices(
    open_window: Open, settings: QSettings
) -> None:
    window = open_window()
    dialog = dialog_of(window)
    choose(dialog, "Theme", "Dark")
    assert window.appearance.theme.dark
    choose(dialog, "On detaching", "Leave a loaded agent in the program")
    assert settings.value("detach") == "leave"
    choose(dialog, "On detaching", "Ask whether a loaded agent goes")
    assert settings.value("detach") is None
    choose(dialog, "On saving", "Show the private parts that a file leaves out")
    assert settings.value("preview") is None
    choose(dialog, "On saving", "Leave all private parts out without asking")
    assert settings.value("preview") == "skip"


def test_a_type_takes_the_colour_that_a_person_chose(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.colors.place("TodoItem")
    dialog = dialog_of(window)
    choose(dialog, "Type", "TodoItem")
    place = (window.colors.place("TodoItem") + 3) % len(LIGHT.categories)
    choose(dialog, "Colour of the type", f"Colour {place + 1}")
    assert window.colors.color("TodoItem", LIGHT).name() == LIGHT.categories[place]
    click(dialog, "Forget all")
    assert part(dialog, "Type", QComboBox).count() == 0
