"""The timeline's legend: one switch a line. GUI thread only.

A switch shows the value of its line at the chosen moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from inspector.ui.kit.labels import tip
from inspector.ui.kit.theme import Theme, ui_font

SWATCH_WIDTH: Final = 18
SWATCH_HEIGHT: Final = 10
MAX_NAME: Final = 18
PADDING: Final = 26


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One line of the plot."""

    key: int
    name: str
    pen: QPen
    filter: str
    """What shows the line's handles; ``""``: no filter does."""


class TimelineLegend(QWidget):
    """Switches for the lines.

    Entries without room are left out from the end, but only their names: the lines stay.
    """

    toggled = Signal(object)
    """``frozenset[int]``: keys of the lines that are off now."""
    filter_wanted = Signal(str)
    """A person double-clicked a line's switch."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No lines yet."""
        super().__init__(parent)
        self._theme = theme
        self._entries: tuple[LegendEntry, ...] = ()
        self._buttons: dict[int, QToolButton] = {}
        self._off: set[int] = set()
        self._values: Mapping[int, str] = {}
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addStretch(1)

    @property
    def hidden_keys(self) -> frozenset[int]:
        """Lines that are off."""
        return frozenset(self._off)

    def show_entries(self, entries: Sequence[LegendEntry]) -> None:
        """Other lines, in this order. Equal lines change nothing."""
        if tuple(entries) == self._entries:
            return
        self._entries = tuple(entries)
        for button in self._buttons.values():
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = {entry.key: self._button(entry) for entry in entries}
        for place, button in enumerate(self._buttons.values()):
            self._row.insertWidget(place, button)
        self._off &= set(self._buttons)
        self.show_values(self._values)

    def show_values(self, values: Mapping[int, str]) -> None:
        """Values of the lines by key, as text."""
        self._values = values
        for entry in self._entries:
            self._label(entry, self._buttons[entry.key])
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours; the pens come with the next entries."""
        self._theme = theme

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out entries without room."""
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A double click filters the table."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            wanted = next(
                (entry.filter for entry in self._entries if self._buttons[entry.key] is watched), ""
            )
            if wanted:
                self.filter_wanted.emit(wanted)
                return True
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        """One row."""
        return QSize(200, 26)

    def _button(self, entry: LegendEntry) -> QToolButton:
        button = QToolButton(self)
        button.setCheckable(True)
        button.setChecked(entry.key not in self._off)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(SWATCH_WIDTH, SWATCH_HEIGHT))
        button.setFont(ui_font())
        button.setStyleSheet(
            "QToolButton { padding: 2px 4px; } QToolButton:checked { background: transparent; "
            "border-color: transparent; }"
        )
        button.clicked.connect(lambda on, key=entry.key: self._switch(key, on=on))
        button.installEventFilter(self)
        return button

    def _switch(self, key: int, *, on: bool) -> None:
        if on:
            self._off.discard(key)
        else:
            self._off.add(key)
        self.show_values(self._values)
        self.toggled.emit(self.hidden_keys)

    def _label(self, entry: LegendEntry, button: QToolButton) -> None:
        on = entry.key not in self._off
        value = self._values.get(entry.key, "")
        name = entry.name if len(entry.name) <= MAX_NAME else f"{entry.name[: MAX_NAME - 1]}…"
        button.setText(f"{name}  {value}" if on else f"{name}  off")
        button.setIcon(QIcon(swatch(entry.pen, button.devicePixelRatioF(), on=on)))
        button.setAccessibleName(
            f"{entry.name}: {value or 'no value'}, {'shown' if on else 'hidden'}"
        )
        more = ", double click to show its handles" if entry.filter else ""
        button.setToolTip(tip(f"{entry.name}\nClick to {'hide' if on else 'show'} the line{more}"))
        wanted = button.fontMetrics().horizontalAdvance(button.text()) + SWATCH_WIDTH + PADDING
        button.setMinimumWidth(max(button.minimumWidth(), wanted))

    def _fit(self) -> None:
        left = self.width()
        for button in self._buttons.values():
            left -= button.minimumWidth() + self._row.spacing()
            button.setVisible(left >= 0)


def swatch(pen: QPen, ratio: float, *, on: bool) -> QPixmap:
    """A piece of the line; faint when it is off."""
    picture = QPixmap(round(SWATCH_WIDTH * ratio), round(SWATCH_HEIGHT * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setOpacity(1.0 if on else 0.25)
    thick = QPen(pen)
    thick.setWidthF(2.0)
    painter.setPen(thick)
    painter.drawLine(0, SWATCH_HEIGHT // 2, SWATCH_WIDTH, SWATCH_HEIGHT // 2)
    painter.end()
    return picture
