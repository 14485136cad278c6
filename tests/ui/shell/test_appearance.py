from __future__ import annotations

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.shell.appearance import Appearance, palette


def test_the_systems_theme_is_followed_until_one_is_chosen(
    qtbot: QtBot, settings: QSettings
) -> None:
    appearance = Appearance(settings)
    assert appearance.choice == "system"
    system_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    assert appearance.theme is (DARK if system_dark else LIGHT)


def test_a_choice_is_applied_told_and_remembered(qtbot: QtBot, settings: QSettings) -> None:
    appearance = Appearance(settings)
    appearance.choose("light")
    with qtbot.waitSignal(appearance.changed) as changed:
        appearance.choose("dark")
    assert changed.args == [DARK]
    assert QApplication.instance().palette().color(QPalette.ColorRole.Window).name() == DARK.window
    assert Appearance(settings).theme is DARK


def test_the_same_theme_again_repaints_nothing(qtbot: QtBot, settings: QSettings) -> None:
    appearance = Appearance(settings)
    appearance.choose("light")
    with qtbot.assertNotEmitted(appearance.changed):
        appearance.choose("light")


def test_a_stored_choice_that_does_not_exist_is_the_systems(
    qtbot: QtBot, settings: QSettings
) -> None:
    settings.setValue("theme", "sepia")
    assert Appearance(settings).choice == "system"


def test_the_palette_carries_the_themes_text(qtbot: QtBot) -> None:
    made = palette(DARK)
    assert made.color(QPalette.ColorRole.Text).name() == DARK.text
    assert (
        made.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text).name() == DARK.text_quiet
    )
