"""The pane of the selection, at the right. Closed while nothing is. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QSplitter,
    QStackedWidget,
    QToolButton,
)

from inspector.model.changes import ChangeRow, ChangeTable
from inspector.ui.kit.labels import ElidedLabel, text_label
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.detail.line_page import LinePage
from inspector.ui.panes.detail.pane import DetailPane

WIDTH: Final = 452
NARROW_WIDTH: Final = 400
SHEET_WIDTH: Final = 440
LEAST: Final = 320


class SidePane(QFrame):
    """A head with title and buttons; below it the page of a row or of a handle."""

    closed = Signal()
    """A person closed it."""
    table_moved = Signal()
    """The table below the sheet has another place or size."""
    whole_wanted = Signal(bool)
    """It is to fill the window, or not any more."""

    def __init__(self, line: LinePage, detail: DetailPane) -> None:
        """Hidden."""
        super().__init__()
        self.setObjectName("side")
        self.line, self.detail = line, detail
        self._title = ElidedLabel()
        self._title.setObjectName("What is selected")
        self._title.setProperty("head", True)
        self._flag = text_label("⚑ suspect")
        self._flag.setProperty("chip", True)
        self.copy = self._button("Copy as Markdown", "Copy the evidence for a ticket")
        self.copy.clicked.connect(line.copy_markdown)
        self.whole = self._button("⤢", "Fill the window", checkable=True)
        self.whole.toggled.connect(self.whole_wanted)
        shut = self._button("✕", "Close the selection (Esc)")
        shut.clicked.connect(self.close_pane)
        head = QHBoxLayout()
        head.setContentsMargins(16, 6, 8, 0)
        head.setSpacing(4)
        head.addWidget(self._title, 1)
        for part in (self._flag, self.copy, self.whole, shut):
            head.addWidget(part)
        self._pages = QStackedWidget()
        self._pages.addWidget(line)
        self._pages.addWidget(detail)
        layout = flush_column(self)
        layout.addLayout(head)
        layout.addWidget(self._pages, 1)
        self.setMinimumWidth(LEAST)
        self.hide()

    @property
    def is_open(self) -> bool:
        """Something selected is shown."""
        return not self.isHidden()

    def show_row(self, row: ChangeRow, table: ChangeTable | None) -> None:
        """Show a type or a line."""
        self.line.show_row(row, table)
        self._pages.setCurrentWidget(self.line)
        self._name(row.type_name or row.title, suspect=row.finding is not None)
        self.copy.show()
        self.show()

    def show_handle(self) -> None:
        """Show the handle that the detail pane was given."""
        self._pages.setCurrentWidget(self.detail)
        self._name("Handle", suspect=False)
        self.copy.hide()
        self.show()

    def show_table(self, table: ChangeTable | None) -> None:
        """Newer numbers."""
        if self.isVisible() and self._pages.currentWidget() is self.line:
            self.line.show_table(table)

    def close_pane(self) -> None:
        """Nothing is shown any more."""
        self.whole.setChecked(False)
        self.hide()
        self.closed.emit()

    def give_way(self, whole: bool) -> None:
        """The drawer fills the window: a sheet over the table does not lie over the drawer."""
        if whole and self._is_sheet():
            self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A sheet stays over the watched table and off the drawer."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self._is_sheet():
            self.table_moved.emit()
        return super().eventFilter(watched, event)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours; the detail pane is told by the workbench."""
        self.line.set_theme(theme)

    def sizeHint(self) -> QSize:
        """As wide as the design says."""
        return QSize(WIDTH, 400)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The title before the words of the flag."""
        super().resizeEvent(event)
        self._flag.setText("⚑ suspect" if self.width() >= WIDTH else "⚑")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes it."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_pane()
        else:
            super().keyPressEvent(event)

    def _is_sheet(self) -> bool:
        return not isinstance(self.parent(), QSplitter)

    def _name(self, title: str, *, suspect: bool) -> None:
        self._title.set_whole(title)
        self._flag.setVisible(suspect)

    def _button(self, text: str, tip: str, *, checkable: bool = False) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition(" (")[0])
        button.setCheckable(checkable)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setProperty("small", True)
        return button
