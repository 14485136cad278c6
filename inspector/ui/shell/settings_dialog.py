"""The settings of the window: editor, colours, rate and questions. GUI thread.

Each choice holds at once and is kept for the next window.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, TypeVar

from PySide6.QtCore import QSettings, QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from inspector.ui.kit.labels import plain_label, quiet_label, set_flag
from inspector.ui.kit.type_colors import PLACES, TypeColors
from inspector.ui.session.attachment import DEFAULT_RATE_HZ, RATES_HZ
from inspector.ui.shell.appearance import Appearance
from inspector.ui.shell.editor import (
    EDITOR_KEY,
    EDITOR_VARIABLE,
    editor_arguments,
    editor_command,
)
from inspector.ui.shell.leaving import DETACH_CHOICES, DETACH_KEY
from inspector.ui.shell.send_preview import CHOICE, SKIP

RATE_KEY: Final = "rate_hz"
THEMES: Final = {"system": "As the system", "light": "Light", "dark": "Dark"}
SAVING_CHOICES: Final = {
    "": "Show the private parts that a file leaves out",
    SKIP: "Leave all private parts out without asking",
}
SWATCH: Final = 14
Choice = TypeVar("Choice", str, float)


def stored_rate(settings: QSettings) -> float:
    """The rate that a person chose, in snapshots a second."""
    try:
        rate = float(str(settings.value(RATE_KEY, DEFAULT_RATE_HZ)))
    except ValueError:
        return DEFAULT_RATE_HZ
    return rate if rate in RATES_HZ else DEFAULT_RATE_HZ


class SettingsDialog(QDialog):
    """A form; the window behind it can be used."""

    rate_wanted = Signal(float)
    """Snapshots a second."""
    colors_changed = Signal()
    """A type has another colour."""

    def __init__(
        self,
        settings: QSettings,
        appearance: Appearance,
        colors: TypeColors,
        parent: QWidget | None = None,
    ) -> None:
        """Shows the choices in force."""
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(560)
        self._settings, self._appearance, self._colors = settings, appearance, colors
        self.editor = self._editor_field()
        self._editor_note = plain_label("")
        self._editor_note.setProperty("quiet", True)
        self.theme = _box("Theme", THEMES, appearance.choice, appearance.choose)
        self.rate = _box(
            "Snapshots a second",
            {rate: f"{rate:g} Hz" for rate in RATES_HZ},
            stored_rate(settings),
            self._choose_rate,
        )
        self.detach = _box(
            "On detaching",
            DETACH_CHOICES,
            str(settings.value(DETACH_KEY, "")),
            lambda choice: self._keep(DETACH_KEY, choice),
        )
        self.saving = _box(
            "On saving",
            SAVING_CHOICES,
            str(settings.value(CHOICE, "")),
            lambda choice: self._keep(CHOICE, choice),
        )
        self.type = QComboBox()
        self.type.setAccessibleName("Type")
        self.color = QComboBox()
        self.color.setAccessibleName("Colour of the type")
        self._build()
        self._check_editor()

    def _build(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Editor", self.editor)
        form.addRow("", self._editor_note)
        form.addRow("Theme", self.theme)
        form.addRow("Colours", self._color_line())
        form.addRow("Refresh rate", self.rate)
        form.addRow("On detaching", self.detach)
        form.addRow("On saving", self.saving)
        form.addRow(
            "",
            quiet_label("Force GC and Close need Actions on, in each session anew"),
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 12)
        layout.setSpacing(16)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _editor_field(self) -> QLineEdit:
        field = QLineEdit(str(self._settings.value(EDITOR_KEY, "")))
        field.setAccessibleName("Editor")
        field.setPlaceholderText(editor_command(self._settings) or "code --goto {file}:{line}")
        field.setEnabled(EDITOR_VARIABLE not in os.environ)
        field.textChanged.connect(lambda _text: self._check_editor())
        field.editingFinished.connect(self._keep_editor)
        return field

    def _color_line(self) -> QHBoxLayout:
        self.type.addItems(self._colors.names())
        self.type.currentTextChanged.connect(lambda _name: self._show_color())
        self.color.setIconSize(QSize(SWATCH, SWATCH))
        for place in range(PLACES):
            swatch = QPixmap(SWATCH, SWATCH)
            swatch.fill(self._appearance.theme.categories[place])
            self.color.addItem(swatch, f"Colour {place + 1}")
        self.color.activated.connect(self._choose_color)
        forget = QPushButton("Forget all")
        forget.setToolTip("Types take colours anew, in the order in which they are seen")
        forget.setAutoDefault(False)
        forget.clicked.connect(self._forget_colors)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.type, 1)
        line.addWidget(self.color)
        line.addWidget(forget)
        self._show_color()
        return line

    # inside ---------------------------------------------------------------------------------------

    def _check_editor(self) -> bool:
        text, problem = self.editor.text().strip(), ""
        if EDITOR_VARIABLE in os.environ:
            note = f"{EDITOR_VARIABLE} is set, and wins"
        else:
            note = "A command with {file} and {line}; empty: the first known editor"
        if text:
            try:
                editor_arguments(text, "file", 1)
            except ValueError as error:
                problem = f"This is no command: {error}"
        self._editor_note.setText(problem or note)
        set_flag(self.editor, "bad", on=bool(problem))
        return not problem

    def _keep_editor(self) -> None:
        if self._check_editor():
            self._settings.setValue(EDITOR_KEY, self.editor.text().strip())

    def _choose_rate(self, rate: float) -> None:
        self._settings.setValue(RATE_KEY, rate)
        self.rate_wanted.emit(rate)

    def _keep(self, key: str, choice: str) -> None:
        """A choice for a question; ``""``: the question is asked."""
        if choice:
            self._settings.setValue(key, choice)
        else:
            self._settings.remove(key)

    def _show_color(self) -> None:
        name = self.type.currentText()
        self.color.setEnabled(bool(name))
        self.color.setCurrentIndex(self._colors.place(name) if name else -1)

    def _choose_color(self, place: int) -> None:
        self._colors.choose(self.type.currentText(), place)
        self.colors_changed.emit()

    def _forget_colors(self) -> None:
        self._colors.forget()
        self.type.clear()
        self._show_color()
        self.colors_changed.emit()


def _box(
    name: str, choices: dict[Choice, str], chosen: Choice, on_choice: Callable[[Choice], None]
) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    for value, text in choices.items():
        box.addItem(text, value)
    box.setCurrentIndex(list(choices).index(chosen) if chosen in choices else 0)
    box.activated.connect(lambda at: on_choice(box.itemData(at, Qt.ItemDataRole.UserRole)))
    return box
