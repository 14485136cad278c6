"""Small lines without axes, as points to paint. GUI thread."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from inspector.model.churn_lines import Line
from inspector.ui.kit.theme import Theme

SPARK_WIDTH: Final = 72
HEIGHT: Final = 22


class SparkLine(QWidget):
    """Live handles of the newest minute."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No line."""
        super().__init__(parent)
        self._theme = theme
        self._line = Line(np.empty(0), np.empty(0))
        self.setFixedSize(QSize(SPARK_WIDTH, HEIGHT))
        self.setAccessibleName("Live handles over the newest minute")

    def show_line(self, line: Line) -> None:
        """Show another line."""
        self._line = line
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """One polyline for each run without a gap."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("text_quiet"), 1.2))
        for points in spark_points(self._line, QRectF(0, 3, self.width(), self.height() - 6)):
            painter.drawPolyline(QPolygonF(points))
        painter.end()


def spark_points(line: Line, area: QRectF) -> list[list[QPointF]]:
    """The line fitted into ``area``, one list of points between gaps.

    A level line lies in the middle.
    """
    known = np.isfinite(line.values)
    if np.count_nonzero(known) < 2 or line.at[-1] <= line.at[0]:
        return []
    low, high = float(line.values[known].min()), float(line.values[known].max())
    height = max(high - low, 1.0, high * 0.02)
    middle = (low + high) / 2
    xs = area.left() + (line.at - line.at[0]) / (line.at[-1] - line.at[0]) * area.width()
    ys = area.center().y() - (line.values - middle) / height * area.height()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    runs = zip(edges[::2], edges[1::2], strict=True)
    return [
        [QPointF(x, y) for x, y in zip(xs[begin:end], ys[begin:end], strict=True)]
        for begin, end in runs
        if end - begin > 1
    ]
