"""The pane of SQL over the state that is shown, its course and its events. GUI thread.

A query runs on another thread, in the locked engine of the command ``query``. A query can be pinned
as a view, which is asked again with each new state while a person sees it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSplitter,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from inspector.errors import InspectorError
from inspector.model.snapshot import Snapshot
from inspector.model.sql.engine import (
    NEEDED,
    SqlAnswer,
    SqlQuestion,
    is_engine_there,
    names_table,
)
from inspector.model.sql.examples import EXAMPLES
from inspector.model.sql.leads import lead_of
from inspector.model.sql.tables import TABLES, Questioned
from inspector.model.wording import plural
from inspector.plain_text import one_line
from inspector.ui.kit.labels import ElidedLabel
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase, is_seen
from inspector.ui.kit.record_delegate import ROW_HEIGHT, RecordDelegate
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.sql.answer_model import NOTHING, AnswerModel
from inspector.ui.panes.sql.editor import SqlEditor
from inspector.ui.panes.sql.pinned import LONGEST, MOST_PINNED, PinnedQueries
from inspector.ui.panes.sql.view import View
from inspector.ui.panes.sql.view_tabs import ViewTabs
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.event_feed import EventFeed

MOST_ROWS: Final = 1000
"""Rows of an answer that are listed."""
TIMEOUT_SECS: Final = 30.0
LEAST_PAUSE_SECS: Final = 1.0
"""Between two runs of a pinned view; ten times as long as a run, where that is more."""
NO_TARGET: Final = "Attach to a process or open a file to ask in SQL"
READY: Final = "Tables: " + ", ".join(table.name for table in TABLES)
WIDEST_COLUMN: Final = 360


class SqlPane(PaneBase):
    """A query at the left, its answer at the right."""

    def __init__(
        self,
        theme: Theme,
        attachment: Attachment,
        runner: BackgroundRunner,
        feed: EventFeed,
        *,
        pinned: PinnedQueries,
        parent: QWidget | None = None,
    ) -> None:
        """Nothing is asked before a click or a look at a pinned view."""
        super().__init__(parent)
        self._attachment, self._feed, self._pinned = attachment, feed, pinned
        self._snapshot: Snapshot | None = None
        self._asked: Snapshot | None = None
        self._views = [View("")]
        self._running: tuple[View, SqlQuestion, float] | None = None
        self._wanted: View | None = None
        self._waits_for_events = False
        self._paused = False
        self._work: LatestWork[SqlAnswer] = LatestWork(
            self, runner, self._wish, on_result=self._take, on_error=self._fail
        )
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._refresh)
        feed.changed.connect(self._events_came)
        feed.failed.connect(lambda _: self._events_came())
        self._build(theme)
        for sql in pinned.texts():
            self._add_view(sql)
        self._show_state()

    # calls from the workbench ---------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """A newer state: a pinned view that is seen is asked again."""
        is_first, self._snapshot = self._snapshot is None, snapshot
        if is_first:
            self._views[0].note = READY
            self._show_view()
        self._refresh()

    def set_paused(self, paused: bool) -> None:
        """Pinned views stay as they are while paused."""
        self._paused = paused

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._delegate.set_theme(theme)

    def came_to_front(self) -> None:
        """The pane became visible."""
        self._refresh()

    def begin(self) -> None:
        """The person wants to write."""
        self.tabs.setCurrentIndex(0)
        self.editor.setFocus()

    def clear(self) -> None:
        """There is no target any more. Pinned views stay, without answers."""
        self._stop()
        self._work.forget()
        self._snapshot, self._wanted, self._waits_for_events = None, None, False
        for view in self._views:
            view.answer, view.note, view.ran_at = NOTHING, NO_TARGET, 0.0
        self._show_view()
        self.count_changed.emit(0)

    # building -------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        words = [table.name for table in TABLES]
        words += [column.name for table in TABLES for column in table.columns]
        self.editor = SqlEditor(words)
        self.editor.run_wanted.connect(self._run)
        self.note = ElidedLabel()
        self.note.setObjectName("Result of the query")
        self.model = AnswerModel(self)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setAccessibleName("Rows of the answer")
        self._delegate = RecordDelegate(theme, self)
        self.table.setItemDelegate(self._delegate)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.table.clicked.connect(self._follow_row)
        self.table.activated.connect(self._follow_row)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._build_left())
        split.addWidget(self._build_right())
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)

    def _build_left(self) -> QWidget:
        self.run = QPushButton("Run")
        self.run.setToolTip("Run the query (Ctrl+Return)")
        self.run.clicked.connect(self._run)
        self.stop = QPushButton("Stop")
        self.stop.clicked.connect(self._stop)
        self.pin = QPushButton("Pin")
        self.pin.setToolTip("Keep the query as a view that follows the process")
        self.pin.clicked.connect(self._pin)
        self.examples = QToolButton()
        self.examples.setText("Examples")
        self.examples.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.examples)
        for example in EXAMPLES:
            action = QAction(example.title, menu)
            action.triggered.connect(partial(self._try, example.sql))
            menu.addAction(action)
        self.examples.setMenu(menu)
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in (self.run, self.stop, self.pin, self.examples):
            line.addWidget(widget)
        line.addStretch(1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(8, 6, 8, 8)
        column.addWidget(self.editor, 1)
        column.addLayout(line)
        return left

    def _build_right(self) -> QWidget:
        self.tabs = ViewTabs()
        self.tabs.currentChanged.connect(self._turn_to)
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 12, 4)
        head.setSpacing(12)
        head.addWidget(self.tabs)
        head.addWidget(self.note, 1)
        right = QWidget()
        column = flush_column(right)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        return right

    # views ----------------------------------------------------------------------------------------

    @property
    def _view(self) -> View:
        return self._views[max(self.tabs.currentIndex(), 0)]

    def _turn_to(self, place: int) -> None:
        self.editor.setPlainText(self._view.sql)
        self._show_view()
        self._refresh()

    def _pin(self) -> None:
        sql = self.editor.toPlainText().strip()
        same = [place for place, view in enumerate(self._views) if place and view.sql == sql]
        if not sql or len(sql) > LONGEST or (len(self._views) > MOST_PINNED and not same):
            return
        self._views[0].sql = sql
        if not same:
            self._pinned.add(sql)
        self.tabs.setCurrentIndex(same[0] if same else self._add_view(sql))
        self._show_state()

    def _add_view(self, sql: str) -> int:
        view = View(sql, note="" if self._snapshot else NO_TARGET)
        self._views.append(view)
        return self.tabs.add_view(view, partial(self._unpin, view))

    def _unpin(self, view: View) -> None:
        place = next(at for at, each in enumerate(self._views) if each is view)
        del self._views[place]
        self._pinned.remove(view.sql)
        if self._wanted is view:
            self._wanted = None
        self.tabs.removeTab(place)
        self._show_state()

    def _try(self, sql: str) -> None:
        self.tabs.setCurrentIndex(0)
        self.editor.setPlainText(sql)
        self._run()

    def _show_view(self) -> None:
        view = self._view
        if self.model.answer is not view.answer:
            names_before = self.model.answer.names
            row = self.table.currentIndex().row()
            self.model.show_answer(view.answer)
            if view.answer.names != names_before:
                self._fit_columns()
            elif 0 <= row < self.model.rowCount():
                self.table.selectRow(row)
        self.note.set_whole(view.note or (READY if self._snapshot else NO_TARGET))
        self._show_state()

    def _fit_columns(self) -> None:
        self.table.resizeColumnsToContents()
        header = self.table.horizontalHeader()
        for column in range(self.model.columnCount()):
            header.resizeSection(column, min(header.sectionSize(column), WIDEST_COLUMN))

    def _show_state(self) -> None:
        can_ask = self._snapshot is not None and is_engine_there()
        self.run.setEnabled(can_ask)
        self.run.setVisible(not self._is_running)
        self.stop.setVisible(self._is_running)
        self.pin.setEnabled(len(self._views) <= MOST_PINNED)
        if not is_engine_there():
            self.note.set_whole(f"SQL {NEEDED}")

    # asking ---------------------------------------------------------------------------------------

    @property
    def _is_running(self) -> bool:
        return self._running is not None or self._wanted is not None

    def _run(self) -> None:
        """Ask the query in the editor; in a pinned view it takes the view's place."""
        sql = self.editor.toPlainText().strip()
        if not sql or self._snapshot is None or not is_engine_there():
            return
        place = self.tabs.currentIndex()
        if place:
            self._pinned.replace(self._view.sql, sql)
            self.tabs.show_title(place, sql)
        self._view.sql = sql
        self._view.note = "Asked …"
        self._ask(self._view)

    def _refresh(self) -> None:
        """Ask a pinned view again when it is seen, and its pause is over."""
        view = self._view
        if self._snapshot is None or self._paused or view is self._views[0] or self._is_running:
            return
        if not is_seen(self) or not is_engine_there():
            return
        pause = max(LEAST_PAUSE_SECS, 10 * view.took_secs)
        left_secs = view.ran_at + pause - time.monotonic() if view.ran_at else 0.0
        if left_secs > 0:
            if not self._again.isActive():
                self._again.start(int(left_secs * 1000) + 1)
            return
        self._ask(view)

    def _ask(self, view: View) -> None:
        self._stop()
        self._wanted = view
        if names_table(view.sql, "events") and self._attachment.situation.attached:
            self._waits_for_events = True
            self._show_view()
            self._feed.refresh()
            return
        self._work.ask()
        self._show_view()

    def _events_came(self) -> None:
        """The events are as new as can be: a query that waits for them is asked."""
        if self._waits_for_events:
            self._waits_for_events = False
            self._work.ask()

    def _wish(self) -> Callable[[], SqlAnswer] | None:
        view, self._wanted = self._wanted, None
        if view is None or self._snapshot is None:
            return None
        self._asked = self._snapshot
        replay = self._attachment.replay
        asked = Questioned(
            self._snapshot, () if replay is None else tuple(replay.vitals), self._feed.events
        )
        question = SqlQuestion(asked, view.sql, limit=MOST_ROWS, timeout_secs=TIMEOUT_SECS)
        self._running = view, question, time.monotonic()
        return question.run

    def _stop(self) -> None:
        self._wanted, self._waits_for_events = None, False
        if self._running is not None:
            self._running[1].cancel()

    def _take(self, answer: SqlAnswer) -> None:
        rows = plural(len(answer.rows), "row")
        more = f"the first {len(answer.rows):,} rows" if answer.has_more else rows
        self._ended(answer, more if answer.names else "The query has no answer")

    def _fail(self, error: BaseException) -> None:
        text = (
            str(error) if isinstance(error, InspectorError) else f"{type(error).__name__}: {error}"
        )
        self._ended(NOTHING, one_line(text))

    def _ended(self, answer: SqlAnswer, note: str) -> None:
        if self._running is None:
            return
        view, _, began = self._running
        self._running = None
        view.answer, view.note = answer, note
        view.ran_at = time.monotonic()
        view.took_secs = view.ran_at - began
        self._show_view()
        self.count_changed.emit(len(self._view.answer.rows))
        if self._view is not view or self._asked is not self._snapshot:
            self._refresh()  # it was not asked while this query ran

    # rows -----------------------------------------------------------------------------------------

    def _follow_row(self, index: QModelIndex) -> None:
        """Show the handle, the handles or the line that a row is about."""
        answer = self.model.answer
        lead = lead_of(answer.names, answer.rows[index.row()], self._snapshot)
        if lead.handle:
            self.handle_chosen.emit(lead.handle)
        elif lead.filter:
            self.filter_wanted.emit(lead.filter)
        elif lead.file and lead.line:
            self.line_wanted.emit(lead.file, lead.line)
