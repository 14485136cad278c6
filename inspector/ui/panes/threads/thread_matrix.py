"""The matrix *created on / closed on*. GUI thread.

It has a row for each thread that made handles, and a column for each thread that ended some.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QWidget

from inspector.model.thread_matrix import ThreadMatrix
from inspector.model.threads import filter_text
from inspector.model.wording import number, plural
from inspector.ui.kit.labels import plain_tip
from inspector.ui.kit.record_delegate import ROW_HEIGHT
from inspector.ui.kit.theme import Theme, ui_font

FIRST_WIDTH: Final = 148
WIDTH: Final = 72
WIDEST: Final = 180
HEADER_PADDING: Final = 28


class MatrixTable(QTableWidget):
    """Counts that a click leads on from.

    A count of handles that ended on another thread is bold.
    """

    filter_wanted = Signal(str)
    """Filter that shows the handles of the cell that was clicked."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(0, 1, parent)
        self._theme = theme
        self._matrix: ThreadMatrix | None = None
        self.setObjectName("matrix")
        self.setAccessibleName("Threads: created on, closed on")
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.horizontalHeader().setHighlightSections(False)
        self.cellClicked.connect(self._open)

    def show_matrix(self, matrix: ThreadMatrix) -> None:
        """Show these counts; equal counts change nothing."""
        if self._matrix is not None and _equal(self._matrix, matrix):
            return
        current = self.currentRow(), self.currentColumn()
        self._matrix = matrix
        titles = ["Created on", "Alive", *(f"→ {each.label}" for each in matrix.columns)]
        self.setRowCount(len(matrix.rows))
        self.setColumnCount(len(titles))
        self.setHorizontalHeaderLabels(titles)
        for column, title in enumerate(titles):
            self._dress_header(column, title)
        for row in range(len(matrix.rows)):
            self._fill(matrix, row)
        self.setCurrentCell(*current)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        matrix, self._matrix = self._matrix, None
        if matrix is not None:
            self.show_matrix(matrix)

    def clear_matrix(self) -> None:
        """There is no target any more."""
        self._matrix = None
        self.setRowCount(0)
        self.setColumnCount(1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter leads on, Ctrl+C copies the matrix as tab-separated text."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentRow() >= 0:
            self._open(self.currentRow(), self.currentColumn())
        elif event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.as_text())
        else:
            super().keyPressEvent(event)

    def _dress_header(self, column: int, title: str) -> None:
        item = self.horizontalHeaderItem(column)
        if item is not None:
            left = column == 0
            item.setTextAlignment(
                (Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight)
                | Qt.AlignmentFlag.AlignVCenter
            )
            item.setToolTip(
                plain_tip(title if column < 2 else (f"Closed or released on {title[2:]}"))
            )
        wanted = self.fontMetrics().horizontalAdvance(title) + HEADER_PADDING
        self.setColumnWidth(column, FIRST_WIDTH if column == 0 else min(max(wanted, WIDTH), WIDEST))

    def _fill(self, matrix: ThreadMatrix, row: int) -> None:
        made = matrix.rows[row]
        name = made.label
        self.setItem(
            row,
            0,
            self._cell(name, "" if made.alive else f"{name} has ended", quiet=not made.alive),
        )
        living = int(matrix.living[row])
        self.setItem(
            row,
            1,
            self._cell(
                number(living),
                (f"{plural(living, 'handle')} created on {name}, open or live"),
                right=True,
            ),
        )
        for column, ended in enumerate(matrix.columns):
            count = int(matrix.counts[row, column])
            tip = (
                f"{plural(count, 'handle')} created on {name}, closed or released on {ended.label}"
            )
            moved = made.index != ended.index and count > 0
            self.setItem(row, column + 2, self._cell(number(count), tip, right=True, bold=moved))

    def _cell(
        self, text: str, tip: str, *, right: bool = False, bold: bool = False, quiet: bool = False
    ) -> QTableWidgetItem:
        item = QTableWidgetItem(text)
        item.setToolTip(plain_tip(tip or text))
        item.setTextAlignment(
            (Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft)
            | Qt.AlignmentFlag.AlignVCenter
        )
        item.setForeground(self._theme.color("text_quiet" if quiet or text == "0" else "text"))
        item.setFont(ui_font(bold=bold))
        return item

    def _open(self, row: int, column: int) -> None:
        if self._matrix is None or not 0 <= row < len(self._matrix.rows):
            return
        made = filter_text(self._matrix.rows[row], "created")
        if column == 0:
            self.filter_wanted.emit(made)
        elif column == 1:
            self.filter_wanted.emit(f"{made} state:live -state:closed")
        elif column - 2 < len(self._matrix.columns):
            self.filter_wanted.emit(
                f"{made} {filter_text(self._matrix.columns[column - 2], 'ended')}"
            )

    def as_text(self) -> str:
        """Heads and cells, separated by tabs: the text that is copied."""
        rows = range(self.rowCount())
        heads = [
            item.text() if (item := self.horizontalHeaderItem(at)) else ""
            for at in range(self.columnCount())
        ]
        lines = [
            [
                item.text() if (item := self.item(row, at)) else ""
                for at in range(self.columnCount())
            ]
            for row in rows
        ]
        return "\n".join("\t".join(line) for line in [heads, *lines])


def _equal(first: ThreadMatrix, second: ThreadMatrix) -> bool:
    return (
        [row.index for row in first.rows] == [row.index for row in second.rows]
        and [row.index for row in first.columns] == [row.index for row in second.columns]
        and [(row.name, row.alive) for row in first.rows]
        == [(row.name, row.alive) for row in second.rows]
        and np.array_equal(first.counts, second.counts)
        and np.array_equal(first.living, second.living)
    )
