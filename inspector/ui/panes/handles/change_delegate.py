"""Paints the rows of the table of change: swatches, changes, small lines. GUI thread."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize
from PySide6.QtGui import QBrush, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView

from inspector.model.changes import ChangeRow, RowKind
from inspector.ui.kit.spark import spark_points
from inspector.ui.kit.theme import Theme
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.handles.change_columns import CHANGE_COLUMNS, TREND
from inspector.ui.panes.handles.change_model import RowRole

ROW_HEIGHT: Final = 24
SWATCH: Final = 10
SPARK_WIDTH: Final = 96


class ChangeDelegate(QStyledItemDelegate):
    """One row's look, by its kind."""

    def __init__(self, theme: Theme, colors: TypeColors, parent: QTreeView) -> None:
        """Paint for that view."""
        super().__init__(parent)
        self.theme = theme
        self._colors = colors

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """All rows are equally high."""
        return QSize(super().sizeHint(option, index).width(), ROW_HEIGHT)

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Weight and colour repeat the texts."""
        super().initStyleOption(option, index)
        row = index.data(RowRole)
        if not isinstance(row, ChangeRow):
            return
        column = CHANGE_COLUMNS[index.column()]
        token = self._token(row, column.key)
        option.font.setBold(_is_bold(row, column.key))
        option.palette.setColor(QPalette.ColorRole.Text, self.theme.color(token))
        if row.kind is RowKind.OUTER and not option.state & QStyle.StateFlag.State_Selected:
            option.backgroundBrush = QBrush(self.theme.color("surface_alt"))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """The cell, then the swatch or the small line."""
        row = index.data(RowRole)
        key = CHANGE_COLUMNS[index.column()].key
        if isinstance(row, ChangeRow) and key == "title" and row.kind is RowKind.OUTER:
            self._paint_title(painter, option, index, row)
            return
        super().paint(painter, option, index)
        if isinstance(row, ChangeRow) and key == TREND:
            self._paint_trend(painter, QRectF(option.rect), row)

    def _token(self, row: ChangeRow, key: str) -> str:
        if key == "finding" or (
            key in ("change", "per_min") and row.finding is not None and row.change > 0
        ):
            return "suspect"
        if key == "waits" and row.waits:
            return "waiting"
        if row.kind is RowKind.MORE or row.is_dead or key in ("births", "deaths", "waits"):
            return "text_quiet"
        if key in ("change", "per_min") and not abs(row.change) > 0:
            return "text_quiet"
        if row.kind is RowKind.INNER and key == "title" and row.site:
            return "accent"
        return "text"

    def _paint_title(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
        row: ChangeRow,
    ) -> None:
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.fillRect(option.rect, self.theme.color("selection" if selected else "surface_alt"))
        painter.restore()
        moved = QStyleOptionViewItem(option)
        if row.type_name:
            moved.rect.setLeft(option.rect.left() + SWATCH + 8)
        super().paint(painter, moved, index)
        if row.type_name:
            area = QRectF(
                option.rect.left() + 4, option.rect.center().y() - SWATCH / 2 + 1, SWATCH, SWATCH
            )
            painter.fillRect(area, self._colors.color(row.type_name, self.theme))

    def _paint_trend(self, painter: QPainter, area: QRectF, row: ChangeRow) -> None:
        token = "suspect" if row.finding is not None and row.change > 0 else "text_quiet"
        inside = area.adjusted(8, 6, 0, -6)
        inside.setWidth(min(inside.width() - 8, SPARK_WIDTH))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color(token), 1.4))
        for points in spark_points(row.trend, inside):
            painter.drawPolyline(QPolygonF(points))
        painter.restore()


def _is_bold(row: ChangeRow, key: str) -> bool:
    if key == "title":
        return row.kind is RowKind.OUTER
    return key == "change" and not math.isnan(row.change) and round(row.change) != 0
