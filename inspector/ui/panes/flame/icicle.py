"""A flame graph that hangs from the top: each rectangle as wide as its share of the one above it.

GUI thread.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from inspector.model.flame import Flame, FlameGraph, Weight
from inspector.ui.kit.labels import plain_tip
from inspector.ui.kit.theme import Theme, ui_font

ROW_HEIGHT: Final = 22
NARROWEST: Final = 1.5
"""Pixels; what is narrower is not painted."""
TEXT_FROM: Final = 28
"""Pixels; a narrower rectangle has no text."""
_FILL_ALPHA: Final = 70


class Icicle(QWidget):
    """Paints a graph.

    A click zooms in on a rectangle and chooses it, a click on one above zooms out again.
    """

    flame_chosen = Signal(object)
    """``Flame``."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._theme = theme
        self.graph: FlameGraph | None = None
        """The graph that is painted; ``None``: none."""
        self._zoomed: tuple[str, ...] = ()
        self._focus = 0
        self._under = -1
        self.setFont(ui_font())
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName("Flame graph of live handles, by creation site")

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def show_graph(self, graph: FlameGraph | None) -> None:
        """Paint this graph, zoomed in on the same frames as before if they are still there."""
        self.graph = graph
        self._focus = self._index_of(self._zoomed)
        self._zoomed = self._path(self._focus)
        self._under = -1
        self.setMinimumHeight(self.sizeHint().height())
        self.update()

    def zoom(self, index: int) -> None:
        """Make a rectangle as wide as the widget; 0: show everything."""
        self._focus = index
        self._zoomed = self._path(index)
        self.update()

    @property
    def focus(self) -> Flame | None:
        """The rectangle that is as wide as the widget."""
        return self.graph.flames[self._focus] if self.graph is not None else None

    def sizeHint(self) -> QSize:
        """All rows."""
        rows = self.graph.depth + 1 if self.graph is not None else 1
        return QSize(400, rows * ROW_HEIGHT + 2)

    def flame_at(self, place: QPointF) -> int:
        """Index of the rectangle at a place; -1: none."""
        if self.graph is None:
            return -1
        depth = int(place.y() // ROW_HEIGHT)
        return next(
            (
                i
                for i, flame in enumerate(self.graph.flames)
                if flame.depth == depth and self.area(flame).contains(place)
            ),
            -1,
        )

    # events ---------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Every rectangle that is wide enough to be seen.

        A line around them while they have the keyboard.
        """
        painter = QPainter(self)
        painter.setFont(self.font())
        for index, flame in enumerate(self.graph.flames if self.graph is not None else ()):
            area = self.area(flame)
            if area.width() >= NARROWEST and area.right() > 0 and area.left() < self.width():
                self._paint(painter, index, flame, area)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self._theme.color("accent"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the frame under the pointer."""
        under = self.flame_at(event.position())
        if under != self._under:
            self._under = under
            self.setCursor(
                Qt.CursorShape.PointingHandCursor if under >= 0 else Qt.CursorShape.ArrowCursor
            )
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._under = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Zoom in, or out again, and choose."""
        index = self.flame_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0 and self.graph is not None:
            self.zoom(index)
            self.flame_chosen.emit(self.graph.flames[index])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape and Backspace zoom out."""
        if (
            event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Backspace)
            and self.graph is not None
            and self._focus
        ):
            self.zoom(max(self.graph.flames[self._focus].parent, 0))
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """The meaning of a rectangle, as a tooltip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.flame_at(QPointF(event.pos()))
            if index >= 0 and self.graph is not None:
                QToolTip.showText(event.globalPos(), plain_tip(self.tip(index)), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def tip(self, index: int) -> str:
        """``app.py:41 add``, its value, and its share of everything."""
        if self.graph is None:
            return ""
        flame = self.graph.flames[index]
        where = f"\n{flame.where}" if flame.where else ""
        return (
            f"{flame.text}\n{value_text(flame.value, self.graph.weight)}, {flame.width:.1%} "
            f"of everything{where}"
        )

    # inside ---------------------------------------------------------------------------------------

    def area(self, flame: Flame) -> QRectF:
        """The place of a rectangle now.

        A rectangle around the zoomed one is as wide as the widget.
        """
        focus = self.focus
        if focus is None or focus.width <= 0:
            return QRectF()
        left = (flame.left - focus.left) / focus.width * self.width()
        width = flame.width / focus.width * self.width()
        if flame.depth < focus.depth and left <= 0 and left + width >= self.width():
            left, width = 0, self.width()
        return QRectF(left, flame.depth * ROW_HEIGHT, width, ROW_HEIGHT)

    def _paint(self, painter: QPainter, index: int, flame: Flame, area: QRectF) -> None:
        inner = area.adjusted(0.5, 0.5, -0.5, -0.5)
        color = self._color(flame)
        fill = QColor(color)
        fill.setAlpha(_FILL_ALPHA * 2 if index == self._under else _FILL_ALPHA)
        painter.fillRect(inner, fill)
        if flame.is_type:
            painter.fillRect(QRectF(inner.left(), inner.bottom() - 3, inner.width(), 3), color)
        if index == self._focus and self._focus:
            painter.setPen(QPen(self._theme.color("accent"), 1))
            painter.drawRect(inner)
        if area.width() >= TEXT_FROM:
            text_area = inner.intersected(QRectF(self.rect())).adjusted(5, 0, -5, 0)
            painter.setPen(self._theme.color("text"))
            text = self.fontMetrics().elidedText(
                self._label(flame), Qt.TextElideMode.ElideRight, int(text_area.width())
            )
            painter.drawText(text_area, Qt.AlignmentFlag.AlignVCenter, text)

    def _label(self, flame: Flame) -> str:
        weight = self.graph.weight if self.graph is not None else Weight.COUNT
        return f"{flame.text}  {value_text(flame.value, weight)}"

    def _color(self, flame: Flame) -> QColor:
        if flame.is_type:
            return self._theme.category(flame.text)
        return (
            self._theme.category(flame.where.rpartition(":")[0])
            if flame.where
            else self._theme.color("unknown")
        )

    def _path(self, index: int) -> tuple[str, ...]:
        """The texts from the root to a rectangle."""
        texts: list[str] = []
        while self.graph is not None and index > 0:
            texts.append(self.graph.flames[index].text)
            index = self.graph.flames[index].parent
        return tuple(reversed(texts))

    def _index_of(self, path: tuple[str, ...]) -> int:
        """The rectangle at the end of a path, or as far as it goes."""
        index = 0
        for text in path:
            flames = self.graph.flames if self.graph is not None else ()
            found = next(
                (
                    i
                    for i, flame in enumerate(flames)
                    if flame.parent == index and flame.text == text
                ),
                -1,
            )
            if found < 0:
                break
            index = found
        return index


def value_text(value: int, weight: Weight) -> str:
    """``1,204 handles``, ``3.1 MiB``."""
    if weight is Weight.COUNT:
        return f"{value:,} handle" if value == 1 else f"{value:,} handles"
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value:,} bytes"
