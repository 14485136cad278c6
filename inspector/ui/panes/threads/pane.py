"""The pane of threads: the makers and owners of handles, waiting closes, and the calls in flight.

GUI thread only.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from inspector.model.calls import calls_in_flight
from inspector.model.snapshot import Snapshot
from inspector.model.thread_matrix import thread_matrix
from inspector.model.threads import filter_text, thread_table
from inspector.ui.kit.assets import icon
from inspector.ui.kit.column_model import ColumnModel
from inspector.ui.kit.live_records import LiveRecords, Moment
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.threads.call_model import call_model
from inspector.ui.panes.threads.stack_page import NO_TARGET, StackPage
from inspector.ui.panes.threads.thread_matrix import MatrixTable
from inspector.ui.panes.threads.thread_model import thread_model
from inspector.ui.session.stack_watch import StackWatch

SHAPE = TableShape(
    name="Threads",
    widths=(132, 84, 76, 72, 80, 88, 88, 84, 84, 96),
    spare=(6, 2, 9, 5, 3),
    elastic=(0,),
)
OWNS_COLUMN = 3
WAITING_COLUMN = 7
CALL_COLUMNS = (8, 9)
CALL_SHAPE = TableShape(
    name="Calls in flight", widths=(92, 96, 110, 150, 66, 260), spare=(4, 2), elastic=(5,)
)
PAGES = (
    ("Threads", "process"),
    ("Created → closed", "matrix"),
    ("Calls in flight", "in_flight"),
    ("Stacks", "stack"),
)
STACKS_PAGE = 3
"""Title and icon of each page."""
NO_CALL = "No call runs now"
NO_THREAD = "No thread has touched a handle yet"
NOT_OUTSIDE = (
    "From outside, the threads that make or use a handle are not seen. Stacks shows "
    "the stack of each thread"
)


class ThreadsPane(PaneBase):
    """Four pages: threads, matrix, calls, stacks.

    The matrix shows where handles were created and where closed. Calls are the calls that run now.
    Stacks are of all threads.
    """

    def __init__(
        self, theme: Theme, stacks: StackWatch | None = None, parent: QWidget | None = None
    ) -> None:
        """Empty until the first snapshot. ``stacks`` reads those of a live target."""
        super().__init__(parent)
        self._snapshot: Snapshot | None = None
        self._group = QActionGroup(self)
        self._moment, self._call_moment = Moment(), Moment()
        self._model = thread_model(theme, self._moment, self)
        self._call_model = call_model(theme, self._call_moment, self)
        self.table = self._build_table(theme, self._model, SHAPE, WAITING_COLUMN)
        self.calls = self._build_table(theme, self._call_model, CALL_SHAPE, 0)
        self.stack_page = StackPage(theme, stacks)
        self.stacks = self.stack_page.table
        self.matrix = MatrixTable(theme)
        self._records = LiveRecords(self.table, self._model, self._moment, self)
        self._calls = LiveRecords(self.calls, self._call_model, self._call_moment, self.calls)
        self.pages = QStackedWidget()
        self.title_actions = tuple(
            self._page_action(place, *page) for place, page in enumerate(PAGES)
        )
        self._tint(theme)
        for page in (self.table, self.matrix, self.calls, self.stack_page):
            self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self._connect()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the threads of ``snapshot``."""
        is_first = self._snapshot is None
        self._snapshot = snapshot
        outside = snapshot.target.from_outside
        self.stack_page.hear(snapshot)
        self._records.show(snapshot, thread_table, NOT_OUTSIDE if outside else NO_THREAD)
        if outside and is_first:
            self.show_page(STACKS_PAGE)
        self._show_page()

    def set_paused(self, paused: bool) -> None:
        """Let ages stand still, or grow again."""
        self._records.set_paused(paused)
        self._calls.set_paused(paused)
        self.stack_page.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        for table in (self.table, self.calls, self.matrix, self.stacks):
            table.set_theme(theme)
        self._tint(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._snapshot = None
        self._records.clear(thread_table(None), NO_TARGET)
        self._calls.clear(calls_in_flight(None), NO_TARGET)
        self.stack_page.clear()
        self.matrix.clear_matrix()

    def show_page(self, place: int) -> None:
        """0: the threads, 1: the matrix, 2: calls in flight, 3: stacks of all threads.

        The matrix shows where handles were created and closed.
        """
        self.title_actions[place].setChecked(True)
        self.pages.setCurrentIndex(place)
        self._show_page()
        if place == STACKS_PAGE and self._snapshot is not None:
            self.stack_page.came_to_front()

    def came_to_front(self) -> None:
        """The pane became visible."""
        if self.pages.currentIndex() == STACKS_PAGE and self._snapshot is not None:
            self.stack_page.came_to_front()

    def _build_table(
        self, theme: Theme, model: ColumnModel[Any], shape: TableShape, sorted_by: int
    ) -> RecordTable:
        table = RecordTable(theme, model, shape)
        table.setSortingEnabled(True)
        table.sortByColumn(sorted_by, Qt.SortOrder.DescendingOrder)
        table.set_message(NO_TARGET)
        return table

    def _page_action(self, place: int, title: str, name: str) -> QAction:
        action = QAction(title, self, checkable=True)
        action.setObjectName(name)
        action.setChecked(place == 0)
        action.setActionGroup(self._group)
        action.triggered.connect(lambda _checked=False: self.show_page(place))
        return action

    def _tint(self, theme: Theme) -> None:
        for action, (_, name) in zip(self.title_actions, PAGES, strict=True):
            action.setIcon(icon(name, theme, tint="text_quiet"))

    def _connect(self) -> None:
        self.table.record_chosen.connect(self._choose)
        self.calls.record_chosen.connect(self._choose_call)
        self.stack_page.line_wanted.connect(self.line_wanted)
        self.matrix.filter_wanted.connect(self.filter_wanted)
        self._records.count_changed.connect(self.count_changed)

    def _show_page(self) -> None:
        """Only the front page is computed."""
        page, snapshot = self.pages.currentWidget(), self._snapshot
        if snapshot is None or page is self.table:
            return
        if page is self.stack_page:
            self.stack_page.show_stacks()
            return
        if page is self.matrix:
            self.matrix.show_matrix(thread_matrix(snapshot))
        else:
            self._calls.show(
                snapshot, calls_in_flight, NOT_OUTSIDE if snapshot.target.from_outside else NO_CALL
            )

    def _choose_call(self, key: int, _column: int) -> None:
        row = self._call_model.row_of(key)
        if row >= 0:
            self.handle_chosen.emit(
                int(self._call_model.rows.handles[self._call_model.source_row(row)])
            )

    def _choose(self, key: int, column: int) -> None:
        row = self._model.row_of(key)
        if row < 0:
            return
        thread = self._model.rows.threads[self._model.source_row(row)]
        if column in CALL_COLUMNS and thread.calls:
            self.handle_chosen.emit(thread.calls[0].handle)
        elif column == WAITING_COLUMN:
            self.filter_wanted.emit(f"{filter_text(thread, 'owner')} state:pending")
        else:
            self.filter_wanted.emit(
                filter_text(thread, "owner" if column == OWNS_COLUMN else "thread")
            )
