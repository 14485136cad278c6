"""The view of the table of change: keyboard, unfolded rows, selection, order while one reads.

GUI thread only.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTreeView, QWidget

from inspector.model.changes import ChangeRow, ChangeTable, RowKind, walk
from inspector.ui.kit.theme import Theme
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.handles.change_columns import CHANGE_COLUMNS
from inspector.ui.panes.handles.change_delegate import ROW_HEIGHT, ChangeDelegate
from inspector.ui.panes.handles.change_model import ChangeModel

FIRST_LEAST: Final = 200
"""Pixels that the first column keeps before other columns give way."""


class ChangeView(QTreeView):
    """Shows a ``ChangeTable``."""

    row_chosen = Signal(object)
    """``ChangeRow`` that is selected now, ``None``: none; only when another row was chosen."""
    row_opened = Signal(object)
    """``ChangeRow``: a click, Enter or double click asked for its holders."""
    sort_wanted = Signal(str, bool)
    """Key of a column, and whether the largest comes first."""
    opened_changed = Signal(object)
    """``frozenset[str]``: keys of the unfolded lines, whose handles are wanted."""
    menu_wanted = Signal(object)
    """``QMenu`` about to be shown for the chosen row."""

    def __init__(self, theme: Theme, colors: TypeColors, parent: QWidget | None = None) -> None:
        """No rows."""
        super().__init__(parent)
        self.changes = ChangeModel(self)
        self._opened: set[str] = set()
        self._wanted: frozenset[str] | None = None
        self._chosen_key = ""
        self._reading = False
        self._by_hand = False
        self._fitting = False
        self._delegate = ChangeDelegate(theme, colors, self)
        self.setModel(self.changes)
        self.setItemDelegate(self._delegate)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAllColumnsShowFocus(True)
        self.setIndentation(16)
        self.setAccessibleName("Types and their change")
        self.setMinimumSize(200, 3 * ROW_HEIGHT)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._build_header()
        self.expanded.connect(lambda index: self._unfolded(index, is_open=True))
        self.collapsed.connect(lambda index: self._unfolded(index, is_open=False))
        self.selectionModel().selectionChanged.connect(self._selected)

    # calls from other parts -----------------------------------------------------------------------

    @property
    def chosen(self) -> ChangeRow | None:
        """The selected row, as it is now; also while a filter hides it: ``None``."""
        return self.changes.row_at(self.changes.index_of(self._chosen_key))

    @property
    def is_reading(self) -> bool:
        """The pointer is over the table, or a row is selected and the table has the keyboard."""
        return self._reading or bool(self._chosen_key and self.hasFocus())

    def show_table(self, table: ChangeTable | None) -> None:
        """Newer rows; the first table unfolds the types with a finding."""
        begins = self.changes.table is None and table is not None
        self.changes.show(table, held=self.is_reading and not begins)
        if table is None:
            self._opened.clear()
            self._chosen_key = ""
            return
        for row in table.rows:
            if row.finding is not None and row.key not in self._opened:
                self._opened.add(row.key)
                self.expand(self.changes.index_of(row.key))
        if self._wanted is not None:
            for row in walk(table.rows):
                self.setExpanded(self.changes.index_of(row.key), row.key in self._wanted)
            self._wanted = None
        self._reselect()

    def show_order(self, column: str, *, descending: bool) -> None:
        """Sort by that column, as a click on its head would."""
        places = [each.key for each in CHANGE_COLUMNS]
        if column in places:
            order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
            self.header().setSortIndicator(places.index(column), order)

    def unfolded(self) -> tuple[str, ...]:
        """Keys of the rows that are unfolded."""
        rows = walk(self.changes.table.rows) if self.changes.table is not None else []
        keys = [row.key for row in rows if row.children]
        return tuple(key for key in keys if self.isExpanded(self.changes.index_of(key)))

    def unfold(self, keys: frozenset[str]) -> None:
        """With the next table unfold these rows and no others."""
        self._wanted = keys
        self._opened |= keys

    def choose(self, key: str) -> None:
        """Select the row with that key and bring it into sight; ``""``: none."""
        index = self.changes.index_of(key)
        self._chosen_key = key if index.isValid() else ""
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)
        else:
            self.clearSelection()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._delegate.theme = theme
        self.viewport().update()

    def copy_row(self) -> None:
        """Put the chosen row on the clipboard, its columns separated by tabs."""
        index = self.currentIndex()
        if index.isValid():
            texts = [
                str(index.siblingAtColumn(place).data() or "")
                for place in range(len(CHANGE_COLUMNS))
                if not self.isColumnHidden(place)
            ]
            QGuiApplication.clipboard().setText("\t".join(texts))

    # Qt -------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter asks for the holders, Ctrl+C copies the row."""
        row = self.chosen
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row is not None:
            self.row_opened.emit(row)
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy_row()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on a row, not on its arrow, asks for its holders."""
        super().mouseReleaseEvent(event)
        place = event.position().toPoint()
        index = self.indexAt(place)
        if event.button() is not Qt.MouseButton.LeftButton or not index.isValid():
            return
        row = self.changes.row_at(index)
        on_arrow = index.column() == 0 and place.x() < self.visualRect(index).left()
        if row is not None and not on_arrow:
            self.row_opened.emit(row)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Actions on the row."""
        row = self.chosen
        menu = QMenu(self)
        if row is not None:
            menu.addAction("Who holds it", lambda: self.row_opened.emit(row))
            menu.addAction("Copy row", self.copy_row)
        self.menu_wanted.emit(menu)
        menu.addSeparator()
        menu.addAction("Expand all types", lambda: self.expandToDepth(0))
        menu.addAction("Collapse all types", self.collapseAll)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def enterEvent(self, event: QEnterEvent) -> None:
        """Order is held while the pointer is here."""
        self._reading = True
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Order may follow the values again."""
        self._reading = False
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns follow the width."""
        super().resizeEvent(event)
        self.fit_columns()

    def fit_columns(self) -> None:
        """Leave columns out where there is little room; a person's choice stays."""
        if self._by_hand:
            return
        room = self.viewport().width()
        shown = list(CHANGE_COLUMNS)
        for number in sorted({each.gives_way for each in CHANGE_COLUMNS} - {0}, reverse=True):
            if sum(each.width for each in shown[1:]) + FIRST_LEAST > room:
                shown = [each for each in shown if each.gives_way != number]
        self._fitting = True
        for place, column in enumerate(CHANGE_COLUMNS):
            self.setColumnHidden(place, column not in shown)
            self.setColumnWidth(place, column.width)
        self.setColumnWidth(0, max(FIRST_LEAST, room - sum(each.width for each in shown[1:])))
        self._fitting = False

    # inside ---------------------------------------------------------------------------------------

    def _build_header(self) -> None:
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(True)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        places = [column.key for column in CHANGE_COLUMNS]
        header.setSortIndicator(places.index("change"), Qt.SortOrder.DescendingOrder)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._choose_columns)
        header.sortIndicatorChanged.connect(
            lambda place, order: self.sort_wanted.emit(
                places[place], order == Qt.SortOrder.DescendingOrder
            )
        )
        header.sectionResized.connect(self._resized)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def save_columns(self) -> bytes:
        """Widths, order and hidden columns that a person chose; empty: none was chosen."""
        return bytes(self.header().saveState().data()) if self._by_hand else b""

    def restore_columns(self, state: bytes) -> None:
        """The columns of an earlier window."""
        if state:
            self._fitting = True
            self._by_hand = self.header().restoreState(state)
            self._fitting = False

    def _resized(self, _section: int, _before: int, _now: int) -> None:
        if not self._fitting and self.header().underMouse():
            self._by_hand = True

    def _choose_columns(self, at: QPoint) -> None:
        menu = QMenu(self)
        for place, column in list(enumerate(CHANGE_COLUMNS))[1:]:
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(place))
            action.toggled.connect(lambda shown, place=place: self._show_column(place, shown))
        menu.addSeparator()
        menu.addAction("Fit to the window", self._fit_again)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.header().mapToGlobal(at))

    def _show_column(self, place: int, shown: bool) -> None:
        self._by_hand = True
        self.setColumnHidden(place, not shown)

    def _fit_again(self) -> None:
        self._by_hand = False
        self.fit_columns()

    def _unfolded(self, index: object, *, is_open: bool) -> None:
        row = self.changes.row_at(index)  # type: ignore[arg-type] # an index of Qt's signal
        if row is None:
            return
        self._opened.add(row.key)
        if not is_open and row.kind is RowKind.INNER:
            self._opened.discard(row.key)
        self.opened_changed.emit(frozenset(self._opened))

    def _selected(self, _now: QItemSelection, _before: QItemSelection) -> None:
        indexes = self.selectionModel().selectedRows()
        row = self.changes.row_at(indexes[0]) if indexes else None
        key = row.key if row is not None else ""
        if key and key != self._chosen_key:
            self._chosen_key = key
            self.row_chosen.emit(row)

    def _reselect(self) -> None:
        """The chosen row is selected again, also after a filter hid it."""
        index = self.changes.index_of(self._chosen_key)
        if index.isValid() and not self.selectionModel().isSelected(index):
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
