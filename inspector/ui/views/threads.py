"""The pane of threads: who made the handles, who owns them, and what waits for whom. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from inspector.model.snapshot import Snapshot
from inspector.model.threads import filter_text, thread_table
from inspector.ui.models.pending_model import Moment
from inspector.ui.models.thread_model import thread_model
from inspector.ui.theme import Theme
from inspector.ui.widgets.live_records import LiveRecords
from inspector.ui.widgets.record_table import RecordTable, TableShape

SHAPE = TableShape(name="Threads", widths=(132, 84, 76, 72, 80, 88, 88, 84, 84, 96), spare=(6, 2, 9, 5, 3), elastic=0)
OWNS_COLUMN = 3
WAITING_COLUMN = 7
CALL_COLUMNS = (8, 9)
NO_TARGET = "Attach to a process to see the threads that use its handles"
NO_THREAD = "No thread has touched a handle yet"


class ThreadsPane(QWidget):
    """One row a thread."""

    filter_wanted = Signal(str)
    """Filter that shows the handles of the thread that was clicked; what it owns or what waits for it, when that number was."""
    handle_chosen = Signal(object)
    """``int``: a call in flight was clicked; id of the handle that the outermost call uses."""
    count_changed = Signal(int)
    """How many threads are listed, for the tab; only when it changed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty until the first snapshot."""
        super().__init__(parent)
        self.setObjectName("pane")
        self._moment = Moment()
        self._model = thread_model(theme, self._moment, self)
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(WAITING_COLUMN, Qt.SortOrder.DescendingOrder)
        self.table.set_message(NO_TARGET)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.table.record_chosen.connect(self._choose)
        self._records = LiveRecords(self.table, self._model, self._moment, self)
        self._records.count_changed.connect(self.count_changed)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the threads of ``snapshot``."""
        self._records.show(snapshot, thread_table, NO_THREAD)

    def set_paused(self, paused: bool) -> None:
        """Let ages stand still, or grow again."""
        self._records.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.table.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._records.clear(thread_table(None), NO_TARGET)

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
            self.filter_wanted.emit(filter_text(thread, "owner" if column == OWNS_COLUMN else "thread"))
