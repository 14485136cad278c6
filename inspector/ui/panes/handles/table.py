"""The handle table's view: keyboard, folding, copying, selection and scroll position.

Selection and scroll position hold to handles, not to rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QMenu, QTableView, QWidget

from inspector.model.columns import TABLE_COLUMNS
from inspector.ui.kit.record_table import show_rows
from inspector.ui.kit.theme import Theme
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.handles.delegate import INDENT, ROW_HEIGHT, HandleDelegate
from inspector.ui.panes.handles.group_head import GroupHead
from inspector.ui.panes.handles.model import HandleModel
from inspector.vocabulary import handle_text

_GIVING_WAY: Final = sorted(
    (column for column in TABLE_COLUMNS if column.gives_way), key=lambda column: column.gives_way
)


class HandleTable(QTableView):
    """Shows a ``HandleModel``."""

    handles_chosen = Signal(object)
    """``tuple[int, ...]``: the handles that are selected now; GUI thread, only when they
    changed."""
    handle_opened = Signal(object)
    """``int``: Enter or double click on a handle."""
    reading = Signal(bool)
    """The pointer is over the table, so rows must not jump; or it left."""
    menu_wanted = Signal(object)
    """``QMenu`` about to be shown for the selection: the pane adds to it."""

    def __init__(
        self,
        theme: Theme,
        model: HandleModel,
        colors: TypeColors | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Empty until the model shows something."""
        super().__init__(parent)
        self._handles = model
        self._chosen: tuple[int, ...] = ()
        self._moving = False
        self._fitting = False
        self._by_hand = False
        self._anchor: tuple[int | str | None, int] = (None, 0)
        self.setModel(model)
        self._delegate = HandleDelegate(theme, model, colors or TypeColors(), self)
        self.setItemDelegate(self._delegate)
        self.head = GroupHead(self, model, self._delegate)
        self._build_shape()
        self._build_headers()
        model.rearranging.connect(self._remember)
        model.rearranged.connect(self._restore)
        self.selectionModel().selectionChanged.connect(self._selection_changed)
        self.doubleClicked.connect(self._opened)

    @property
    def chosen(self) -> tuple[int, ...]:
        """Handles selected, including handles that the filter hides now."""
        return self._chosen

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._delegate.set_theme(theme)
        self.viewport().update()
        self.head.update()

    def choose(self, handles: Sequence[int], *, scroll: bool = True) -> None:
        """Select handles; unfolds their groups."""
        for handle in handles[:1]:
            group = self._handles.holds(handle)
            if group is not None:
                self._handles.fold(group, folded=False)
        self._set_chosen(tuple(handles))
        self._reselect()
        row = self._handles.row_of(handles[0]) if handles else -1
        if scroll and row >= 0:
            self.scrollTo(self._handles.index(row, 0), QAbstractItemView.ScrollHint.EnsureVisible)
            bar = self.verticalScrollBar()
            if bar.value() < bar.maximum():  # whole rows at the top
                bar.setValue(-(-bar.value() // ROW_HEIGHT) * ROW_HEIGHT)

    def copy_ids(self) -> None:
        """Put the selected ids on the clipboard, one a line."""
        if self._chosen:
            QGuiApplication.clipboard().setText("\n".join(handle_text(h) for h in self._chosen))

    def copy_rows(self) -> None:
        """Put the selected rows on the clipboard, their columns separated by tabs.

        A selected handle that the filter hides has no row, and is left out.
        """
        shown = [each for each in range(len(TABLE_COLUMNS)) if not self.isColumnHidden(each)]
        lines = [
            "\t".join(str(self._handles.index(row, each).data() or "") for each in shown)
            for row in self._handles.rows_of(list(self._chosen))
        ]
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))

    # Qt -------------------------------------------------------------------------------------------

    def scrollTo(
        self,
        index: QModelIndex | QPersistentModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Bring a row into sight, below the group's head that covers the first row."""
        super().scrollTo(index, hint)
        top = self.rowViewportPosition(index.row())
        if top < ROW_HEIGHT and self._handles.group_at(index.row()) is None:
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + top - ROW_HEIGHT)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """The group's head follows."""
        super().scrollContentsBy(dx, dy)
        self.head.follow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right fold, Enter opens, Ctrl+C copies ids."""
        row = self.currentIndex().row()
        group = self._handles.group_at(row)
        key = event.key()
        if (
            key in (Qt.Key.Key_Left, Qt.Key.Key_Right)
            and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self._fold_from(row, folded=key == Qt.Key.Key_Left)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._opened(self.currentIndex())
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy_rows()
        elif key == Qt.Key.Key_Plus and group is not None:
            self._handles.fold(group, folded=False)
        elif key == Qt.Key.Key_Minus and group is not None:
            self._handles.fold(group, folded=True)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on a group's arrow folds it."""
        index = self.indexAt(event.position().toPoint())
        group = self._handles.group_at(index.row()) if index.isValid() else None
        if group is not None and self._on_arrow(event.position().toPoint()):
            self._handles.fold(group, folded=self._handles.is_unfolded(group))
            event.accept()
            return
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Actions on the selection."""
        menu = QMenu(self)
        menu.addAction("Copy ids", self.copy_ids).setEnabled(bool(self._chosen))
        menu.addAction("Copy rows", self.copy_rows).setEnabled(bool(self._chosen))
        self.menu_wanted.emit(menu)
        menu.addSeparator()
        menu.addAction("Expand all types", lambda: self._handles.fold_all(folded=False))
        menu.addAction("Collapse all types", lambda: self._handles.fold_all(folded=True))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def enterEvent(self, event: QEnterEvent) -> None:
        """Order is held while the pointer is here."""
        self.reading.emit(True)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Order may follow the values again."""
        self.reading.emit(False)
        super().leaveEvent(event)

    # inside ---------------------------------------------------------------------------------------

    def _build_shape(self) -> None:
        show_rows(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAccessibleName("Handles, grouped by type")
        self.setMinimumSize(200, 80)

    def _build_headers(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(rows.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        rows.setMinimumSectionSize(ROW_HEIGHT)
        columns = self.horizontalHeader()
        columns.setSectionsMovable(True)
        columns.setHighlightSections(False)
        columns.setSectionsClickable(True)
        columns.setSortIndicatorShown(True)
        columns.setStretchLastSection(True)
        columns.setMinimumSectionSize(40)
        columns.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        columns.customContextMenuRequested.connect(self._choose_columns)
        columns.sectionResized.connect(self._resized)
        self.fit_columns()

    def fit_columns(self) -> None:
        """Share the width among the columns; stops when a person sets a width or hides a column."""
        if self._by_hand:
            return
        room = self.viewport().width()
        shown = list(TABLE_COLUMNS)
        for column in _GIVING_WAY:
            if sum(each.widths[0] for each in shown) > room:
                shown.remove(column)
        least = sum(each.widths[0] for each in shown)
        spare = sum(each.widths[1] - each.widths[0] for each in shown)
        share = min(max((room - least) / spare, 0.0), 1.0)
        self._fitting = True
        for section, column in enumerate(TABLE_COLUMNS):
            narrow, wide = column.widths
            self.setColumnHidden(section, column not in shown)
            self.setColumnWidth(section, int(narrow + (wide - narrow) * share))
        self._fitting = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns follow the width."""
        super().resizeEvent(event)
        self.fit_columns()
        self.head.follow()

    def _resized(self, section: int, _before: int, _now: int) -> None:
        last = self.horizontalHeader().logicalIndex(len(TABLE_COLUMNS) - 1)
        if not self._fitting and section != last and self.horizontalHeader().underMouse():
            self._by_hand = True

    def _choose_columns(self, at: QPoint) -> None:
        """Show or hide columns."""
        menu = QMenu(self)
        for section, column in list(enumerate(TABLE_COLUMNS))[1:]:
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(section))
            action.toggled.connect(
                lambda shown, section=section: self._show_column(section, shown=shown)
            )
        menu.addSeparator()
        menu.addAction("Fit to the window", self._fit_again)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.horizontalHeader().mapToGlobal(at))

    def _show_column(self, section: int, *, shown: bool) -> None:
        self._by_hand = True
        self.setColumnHidden(section, not shown)

    def _fit_again(self) -> None:
        self._by_hand = False
        self.fit_columns()

    def _on_arrow(self, position: QPoint) -> bool:
        return position.x() + self.horizontalHeader().offset() < INDENT

    def _fold_from(self, row: int, *, folded: bool) -> None:
        """Fold the group of this row; from inside it, go to its head first."""
        group = self._handles.group_at(row)
        if group is not None:
            self._handles.fold(group, folded=folded)
        elif folded:
            while row > 0 and self._handles.group_at(row) is None:
                row -= 1
            self.setCurrentIndex(self._handles.index(row, 0))

    def _opened(self, index: QModelIndex) -> None:
        group = self._handles.group_at(index.row())
        handle = self._handles.id_at(index.row())
        if group is not None:
            self._handles.fold(group, folded=self._handles.is_unfolded(group))
        elif handle is not None:
            self.handle_opened.emit(handle)

    def _selection_changed(self, *_ranges: QItemSelection) -> None:
        if self._moving:
            return
        ranges = self.selectionModel().selection()
        spans = sorted({(ranges.at(i).top(), ranges.at(i).bottom()) for i in range(ranges.size())})
        self._set_chosen(
            tuple(
                handle for first, last in spans for handle in self._handles.ids_between(first, last)
            )
        )

    def _set_chosen(self, handles: tuple[int, ...]) -> None:
        if handles != self._chosen:
            self._chosen = handles
            self.handles_chosen.emit(handles)

    def _remember(self) -> None:
        """Before rows move: the row at the top of the view, and no selection for Qt to carry."""
        self._moving = True
        row = self.rowAt(0)
        group = self._handles.group_at(row)
        self._anchor = (
            group.name if group else self._handles.id_at(row),
            self.rowViewportPosition(row) if row >= 0 else 0,
        )
        self.selectionModel().clearSelection()

    def _restore(self) -> None:
        self._reselect()
        identity, offset = self._anchor
        row = self._row_of(identity)
        bar = self.verticalScrollBar()
        if row > 0 and bar.value() > 0:
            self.updateGeometries()
            bar.setValue(row * ROW_HEIGHT - offset)
        self._moving = False

    def _row_of(self, identity: int | str | None) -> int:
        if isinstance(identity, int):
            return self._handles.row_of(identity)
        return self._handles.top_of(identity) if identity else -1

    def _reselect(self) -> None:
        """Select the rows of the chosen handles that are shown."""
        self._moving = True
        selection = QItemSelection()
        rows = self._handles.rows_of(list(self._chosen))
        for first, last in _runs(rows):
            selection.select(
                self._handles.index(first, 0), self._handles.index(last, len(TABLE_COLUMNS) - 1)
            )
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if rows and not self.selectionModel().isSelected(self.currentIndex()):
            self.selectionModel().setCurrentIndex(
                self._handles.index(rows[0], 0), QItemSelectionModel.SelectionFlag.NoUpdate
            )
        self._moving = False


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers: ``[1, 2, 3, 7]`` is ``[(1, 3), (7, 7)]``."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs
