"""A row of numbers with their captions, each perhaps a door: the outcome of an action.

GUI thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from inspector.ui.kit.labels import text_label, tip


@dataclass(frozen=True, slots=True)
class Figure:
    """One number."""

    value: str
    caption: str
    """``handles released``, after the value."""
    door: Callable[[], None] | None = None
    """Where a click leads."""
    tooltip: str = ""


class FigureRow(QWidget):
    """Hidden while it has none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(16)
        self._parts: list[QWidget] = []
        self.hide()

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """The widgets of the figures, in their order."""
        return tuple(self._parts)

    def show_figures(self, figures: Sequence[Figure]) -> None:
        """Show these instead."""
        for part in self._parts:
            self._line.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = [_part(figure) for figure in figures]
        for part in self._parts:
            self._line.addWidget(part)
        self.setVisible(bool(figures))


def _part(figure: Figure) -> QWidget:
    text = f"{figure.value} {figure.caption}"
    part: QWidget
    if figure.door is None:
        part = text_label(text)
    else:
        button = QPushButton(text)
        button.setProperty("flat", True)
        button.clicked.connect(figure.door)
        part = button
    part.setToolTip(tip(figure.tooltip))
    return part
