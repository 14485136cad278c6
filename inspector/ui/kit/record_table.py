"""A table of records with additions to Qt's own.

They are chosen keys, a lasting selection, and a sentence when the table is empty.

GUI thread only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from inspector.ui.kit.column_model import ColumnModel
from inspector.ui.kit.record_delegate import RIGHT_PADDING, ROW_HEIGHT, RecordDelegate
from inspector.ui.kit.theme import Theme, ui_font

MESSAGE_MARGIN: Final = 24


@dataclass(frozen=True, slots=True)
class TableShape:
    """How a table is laid out."""

    name: str
    """The name that a screen reader says."""
    widths: tuple[int, ...]
    """Pixels, one a column."""
    spare: tuple[int, ...]
    """Columns that are left out where there is no room, the first first."""
    elastic: tuple[int, ...]
    """Columns that take what room is left when the last one shown holds numbers: half as much again
    at most, the first first."""


class RecordTable(QTableView):
    """Shows a ``ColumnModel``."""

    record_chosen = Signal(object, int)
    """``int``, column: the key of the record that a person clicked, or pressed Enter on, and in
    which column."""

    def __init__(
        self,
        theme: Theme,
        model: ColumnModel[Any],
        shape: TableShape,
        parent: QWidget | None = None,
    ) -> None:
        """Show ``model`` in that shape."""
        super().__init__(parent)
        self._shape = shape
        self._records = model
        self._theme = theme
        self._message = ""
        self._current_key: int | None = None
        self.setModel(model)
        self._delegate = RecordDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(shape.name)
        self._build_shape()
        self._build_headers()
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._restore)
        self.clicked.connect(self._choose)

    @property
    def message(self) -> str:
        """The sentence that stands in the empty table."""
        return self._message

    def set_message(self, message: str) -> None:
        """The text of an empty table: an answer, not an apology."""
        if message != self._message:
            self._message = message
            self.setAccessibleDescription(message)
            self.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self._delegate.set_theme(theme)
        self._records.set_theme(theme)
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """A header and six rows."""
        return QSize(640, ROW_HEIGHT * 7)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out columns that have no room; nothing is cut off."""
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter chooses, Ctrl+C copies the row as tab-separated text."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._choose(self.currentIndex())
        elif event.matches(QKeySequence.StandardKey.Copy) and self.currentIndex().isValid():
            row = self.currentIndex().row()
            cells = (
                self._records.index(row, column).data()
                for column in range(self._records.columnCount())
            )
            QGuiApplication.clipboard().setText("\t".join(str(cell) for cell in cells))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows, or the sentence."""
        super().paintEvent(event)
        if self._message and not self._records.rowCount():
            painter = QPainter(self.viewport())
            painter.setPen(self._theme.color("text_quiet"))
            painter.setFont(ui_font())
            space = self.viewport().rect().adjusted(MESSAGE_MARGIN, 0, -MESSAGE_MARGIN, 0)
            painter.drawText(
                space, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._message
            )
            painter.end()

    def _build_shape(self) -> None:
        show_rows(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMinimumSize(200, ROW_HEIGHT * 3)

    def _build_headers(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(rows.ResizeMode.Fixed)
        rows.setMinimumSectionSize(ROW_HEIGHT)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        columns = self.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setSectionsClickable(True)
        columns.setSectionsMovable(True)
        columns.setStyleSheet(f"QHeaderView::section {{ padding-right: {RIGHT_PADDING}px; }}")
        columns.setMinimumSectionSize(40)
        for column, width in zip(
            range(self._records.columnCount()), self._shape.widths, strict=True
        ):
            columns.resizeSection(column, width)

    def _fit(self) -> None:
        widths = dict(enumerate(self._shape.widths))
        room = self.viewport().width()
        for column in self._shape.spare:
            if sum(widths.values()) > room:
                del widths[column]
        for column in range(self._records.columnCount()):
            self.setColumnHidden(column, column not in widths)
        numbers_last = self._records.is_number(max(widths))
        self.horizontalHeader().setStretchLastSection(not numbers_last)
        left = max(0, room - sum(widths.values())) if numbers_last else 0
        for column in self._shape.elastic:
            if column in widths:
                extra = min(left, widths[column] // 2)
                self.setColumnWidth(column, widths[column] + extra)
                left -= extra

    def _choose(self, index: QModelIndex) -> None:
        self.record_chosen.emit(self._records.key_at(index.row()), index.column())

    def _remember(self) -> None:
        index = self.currentIndex()
        self._current_key = self._records.key_at(index.row()) if index.isValid() else None

    def _restore(self) -> None:
        row = -1 if self._current_key is None else self._records.row_of(self._current_key)
        if row >= 0:
            self.setCurrentIndex(self._records.index(row, 0))


def show_rows(table: QTableView) -> None:
    """Whole rows, chosen and scrolled by the pixel, without a grid; Tab leaves the table.

    GUI thread.
    """
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setMouseTracking(True)
    table.setAttribute(Qt.WidgetAttribute.WA_Hover)
