"""Births of the compared handles as bars: survivors above the line, dead handles below.

GUI thread only.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from inspector.model.snapshot import Floats
from inspector.model.wording import clock, plural
from inspector.ui.kit.theme import Theme, ui_font

BAR_PIXELS: Final = 6
HEIGHT: Final = 84
LABEL_HEIGHT: Final = 16
MARGIN: Final = 8
CLICK_PIXELS: Final = 4
"""A shorter way of the pointer is a click."""


class BirthBars(QWidget):
    """Drag over it to choose a range of births; click to choose none."""

    range_selected = Signal(float, float)
    """Two moments, seconds since the Unix epoch."""
    range_dropped = Signal()
    """A click: no range is wanted."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Nothing to draw."""
        super().__init__(parent)
        self._theme = theme
        self._survived: Floats = np.empty(0)
        self._dead: Floats = np.empty(0)
        self._begin = self._end = math.nan
        self._dragged: tuple[float, float] | None = None
        self.setMinimumHeight(HEIGHT)
        self.setMaximumHeight(HEIGHT)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Births of the compared handles: survivors above, dead below")

    def show_births(self, survived: Floats, dead: Floats) -> None:
        """Times of birth, seconds since the Unix epoch; unknown times are left out."""
        self._survived, self._dead = survived[np.isfinite(survived)], dead[np.isfinite(dead)]
        both = np.concatenate([self._survived, self._dead])
        self._begin, self._end = (
            (float(both.min()), float(both.max())) if len(both) else (math.nan, math.nan)
        )
        self._dragged = None
        self.setAccessibleDescription(
            f"{plural(len(self._survived), 'survivor')}, {len(self._dead):,} dead"
        )
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(400, HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a range."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged = (event.position().x(), event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the range, or the bar under the pointer."""
        if self._dragged is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._dragged = (self._dragged[0], event.position().x())
            self.update()
        elif not math.isnan(self._begin):
            self.setToolTip(
                f"Born about {clock(self._moment_at(event.position().x()))[:-4]}. "
                "Drag to filter the table by birth"
            )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The range is chosen."""
        if self._dragged is None or math.isnan(self._begin):
            return
        left, right = sorted((self._dragged[0], event.position().x()))
        if right - left < CLICK_PIXELS:
            self._dragged = None
            self.range_dropped.emit()
        else:
            self.range_selected.emit(self._moment_at(left), self._moment_at(right))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars, the line between them, the ends of time."""
        del event
        painter = QPainter(self)
        painter.setFont(ui_font(8.5))
        if math.isnan(self._begin):
            painter.setPen(self._theme.color("text_quiet"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No births to show")
        else:
            self._paint_bars(painter)
        painter.end()

    def _paint_bars(self, painter: QPainter) -> None:
        bins = max(int(self._plot().width() / BAR_PIXELS), 1)
        edges = np.linspace(self._begin, max(self._end, self._begin + 1e-3), bins + 1)
        up, down = (np.histogram(each, edges)[0] for each in (self._survived, self._dead))
        plot, highest, deepest = self._plot(), max(int(up.max()), 1), int(down.max())
        unit = plot.height() / (highest + deepest)
        zero = plot.top() + highest * unit
        width = plot.width() / bins
        for place in range(bins):
            left = plot.left() + place * width
            painter.fillRect(
                QRectF(left, zero - up[place] * unit, width - 1, up[place] * unit),
                self._theme.color("accent"),
            )
            painter.fillRect(
                QRectF(left, zero + 1, width - 1, down[place] * unit), self._theme.color("dying")
            )
        painter.setPen(self._theme.color("line"))
        painter.drawLine(QPointF(plot.left(), zero), QPointF(plot.right(), zero))
        self._paint_words(painter, highest, deepest)
        if self._dragged is not None:
            left, right = sorted(self._dragged)
            painter.fillRect(
                QRectF(left, 0, right - left, plot.bottom()), self._theme.color("accent", 40)
            )

    def _paint_words(self, painter: QPainter, highest: int, deepest: int) -> None:
        plot = self._plot()
        painter.setPen(self._theme.color("text_quiet"))
        line = QRectF(plot.left(), plot.bottom() + 2, plot.width(), LABEL_HEIGHT)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, f"born {clock(self._begin)[:-4]}")
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, clock(self._end)[:-4])
        middle = f"survived, up to {highest:,} a bar" + (
            f"; dead below, up to {deepest:,}" if deepest else ""
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignHCenter, middle)

    def _plot(self) -> QRectF:
        return QRectF(
            MARGIN, 4, max(self.width() - 2 * MARGIN, 1), max(self.height() - LABEL_HEIGHT - 8, 1)
        )

    def _moment_at(self, x: float) -> float:
        plot = self._plot()
        share = min(max((x - plot.left()) / plot.width(), 0.0), 1.0)
        return self._begin + share * (max(self._end, self._begin + 1e-3) - self._begin)
