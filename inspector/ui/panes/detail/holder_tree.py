"""A holder path as a line of dots: the object first, its root last. GUI thread only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector.model.holders import PathStep
from inspector.ui.kit.labels import plain_tip
from inspector.ui.kit.theme import Theme, ui_font

STEP: Final = 26
DOT: Final = 9
LEFT: Final = 20


class HolderTree(QWidget):
    """Each step holds the step above it; a click on its line opens the editor."""

    line_wanted = Signal(str, int)
    """File and line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._theme = theme
        self._steps: tuple[PathStep, ...] = ()
        self._leaf = ""
        self.setAccessibleName("Holders")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_steps(self, steps: Sequence[PathStep], leaf: str) -> None:
        """``steps`` from the root down; ``leaf`` is the object."""
        self._steps, self._leaf = tuple(reversed(steps)), leaf
        self.setFixedHeight(STEP * (len(steps) + 1))
        texts = [leaf, *(self._line(step) for step in self._steps)]
        self.setAccessibleName(", held by ".join(texts))
        self.setToolTip(plain_tip("\n".join(texts)))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """A line for each step."""
        return QSize(200, STEP * (len(self._steps) + 1))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open the line of a step."""
        place = int(event.position().y()) // STEP - 1
        if 0 <= place < len(self._steps) and self._steps[place].file:
            self.line_wanted.emit(self._steps[place].file, self._steps[place].line)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The object is a full dot, the root a square, each step between a ring."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.drawLine(DOT, STEP // 2, DOT, STEP * len(self._steps) + STEP // 2)
        for place in range(len(self._steps) + 1):
            self._paint_step(painter, place)
        painter.end()

    def _paint_step(self, painter: QPainter, place: int) -> None:
        is_leaf, is_root = not place, place == len(self._steps)
        middle = place * STEP + STEP // 2
        dot = QRectF(DOT - DOT / 2, middle - DOT / 2, DOT, DOT)
        accent = self._theme.color("accent")
        painter.setPen(QPen(accent, 1.4))
        painter.setBrush(accent if is_leaf or is_root else self._theme.color("surface"))
        painter.drawRect(dot) if is_root and not is_leaf else painter.drawEllipse(dot)
        painter.setFont(ui_font(bold=is_leaf or is_root))
        painter.setPen(self._theme.color("text"))
        area = QRectF(LEFT, place * STEP, self.width() - LEFT, STEP)
        vertical = Qt.AlignmentFlag.AlignVCenter
        where = ""
        if not is_leaf:
            step = self._steps[place - 1]
            where = f"{step.file.rpartition('/')[2]}:{step.line}" if step.file else step.kind
        width = painter.fontMetrics().horizontalAdvance(where) + 8 if where else 0
        room = int(area.width()) - width
        text = self._leaf if is_leaf else self._steps[place - 1].text
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(area, vertical, shown)
        if where:
            has_line = bool(self._steps[place - 1].file)
            painter.setFont(ui_font())
            painter.setPen(self._theme.color("accent" if has_line else "text_quiet"))
            painter.drawText(area, vertical | Qt.AlignmentFlag.AlignRight, where)

    @staticmethod
    def _line(step: PathStep) -> str:
        return f"{step.text} {step.file}:{step.line}" if step.file else step.text
