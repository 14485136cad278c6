"""The theme in force: the system's, or a person's choice. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from inspector.ui.kit.assets import style_sheet
from inspector.ui.kit.theme import DARK, LIGHT, Theme, ui_font

CHOICES: Final = ("system", "light", "dark")
_KEY: Final = "theme"


class Appearance(QObject):
    """Applies the theme to the application and informs the painters."""

    changed = Signal(object)
    """``Theme``."""

    def __init__(self, settings: QSettings, parent: QObject | None = None) -> None:
        """As chosen last time; the system's when never chosen. ``dress`` completes it."""
        super().__init__(parent)
        self._settings = settings
        self._is_dressed = False
        stored = str(settings.value(_KEY, "system"))
        self.choice = stored if stored in CHOICES else "system"
        self.theme = self._wanted()
        self._apply()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    def dress(self) -> None:
        """Set the style sheet, once all parts are built.

        Qt styles a part, and all parts within it, each time when it gets another parent.
        """
        self._is_dressed = True
        self._apply()

    def choose(self, choice: str) -> None:
        """``system``, ``light`` or ``dark``; remembered."""
        self.choice = choice
        self._settings.setValue(_KEY, choice)
        self._follow()

    def switch(self) -> None:
        """From light to dark and back."""
        self.choose("light" if self.theme.dark else "dark")

    def _follow(self) -> None:
        wanted = self._wanted()
        if wanted is not self.theme:
            self.theme = wanted
            self._apply()
            self.changed.emit(wanted)

    def _wanted(self) -> Theme:
        system_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = system_dark if self.choice == "system" else self.choice == "dark"
        return DARK if dark else LIGHT

    def _apply(self) -> None:
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.setFont(ui_font())
            application.setPalette(palette(self.theme))
            sheet = style_sheet(self.theme)
            if self._is_dressed and application.styleSheet() != sheet:
                application.setStyleSheet(sheet)


def palette(theme: Theme) -> QPalette:
    """The theme for parts beyond the style sheet."""
    made = QPalette()
    role = QPalette.ColorRole
    for which, color in (
        (role.Window, theme.window),
        (role.WindowText, theme.text),
        (role.Base, theme.surface),
        (role.AlternateBase, theme.surface_alt),
        (role.Text, theme.text),
        (role.PlaceholderText, theme.text_quiet),
        (role.Button, theme.surface),
        (role.ButtonText, theme.text),
        (role.Highlight, theme.selection),
        (role.HighlightedText, theme.selection_text),
        (role.Link, theme.accent),
        (role.ToolTipBase, theme.surface_alt),
        (role.ToolTipText, theme.text),
        (role.Mid, theme.line),
    ):
        made.setColor(which, QColor(color))
    made.setColor(QPalette.ColorGroup.Disabled, role.Text, QColor(theme.text_quiet))
    made.setColor(QPalette.ColorGroup.Disabled, role.ButtonText, QColor(theme.text_quiet))
    return made
