"""Paints a cell of a record table: text with its icon beside it, aligned with the header.

GUI thread only.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from inspector.ui.kit.theme import Theme

ROW_HEIGHT: Final = 24
LEFT_PADDING: Final = 8
RIGHT_PADDING: Final = 18
"""Of numbers and headers: room for the sort arrow, so that numbers stand under their title."""
ICON_SIZE: Final = 14
ICON_GAP: Final = 6


class RecordDelegate(QStyledItemDelegate):
    """Flat cells: no boxes except the focus."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Paint with ``theme``."""
        super().__init__(parent)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Room for the whole text and its icon."""
        text = str(index.data() or "")
        icon = ICON_SIZE + ICON_GAP if index.data(Qt.ItemDataRole.DecorationRole) is not None else 0
        return QSize(
            option.fontMetrics.horizontalAdvance(text) + icon + LEFT_PADDING + RIGHT_PADDING,
            ROW_HEIGHT,
        )

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Ground, icon and text; the row that is current has a line around its cell."""
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, self._theme.color("selection" if selected else "hover"))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(self._theme.color("accent"))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        self._paint_content(painter, rect, index, selected=selected)
        painter.restore()

    def _paint_content(
        self,
        painter: QPainter,
        rect: QRect,
        index: QModelIndex | QPersistentModelIndex,
        *,
        selected: bool,
    ) -> None:
        right = bool(index.data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight)
        space = rect.adjusted(LEFT_PADDING, 0, -RIGHT_PADDING if right else -LEFT_PADDING, 0)
        icon = index.data(Qt.ItemDataRole.DecorationRole)
        reserved = ICON_SIZE + ICON_GAP if isinstance(icon, QPixmap) else 0
        metrics = painter.fontMetrics()
        text = metrics.elidedText(
            str(index.data() or ""), Qt.TextElideMode.ElideRight, space.width() - reserved
        )
        width = min(metrics.horizontalAdvance(text), space.width() - reserved)
        left = space.right() + 1 - width if right else space.left() + reserved
        if isinstance(icon, QPixmap):
            painter.drawPixmap(
                QRect(
                    left - reserved, rect.center().y() - ICON_SIZE // 2 + 1, ICON_SIZE, ICON_SIZE
                ),
                icon,
            )
        own = index.data(Qt.ItemDataRole.ForegroundRole)
        painter.setPen(
            own if own is not None else self._theme.color("selection_text" if selected else "text")
        )
        painter.drawText(
            QRect(left, rect.top(), width + 1, rect.height()), Qt.AlignmentFlag.AlignVCenter, text
        )
