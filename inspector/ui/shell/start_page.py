"""The start page: processes to attach to, the reasons of the rest, recent files, and the demo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from inspector.ui.kit.assets import icon
from inspector.ui.kit.labels import head_label, quiet_label, section_label, text_label, tip
from inspector.ui.kit.theme import Theme
from inspector.ui.session.answer_texts import error_sentence
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.connector import Connector, ProcessRow, RecentFile
from inspector.ui.shell.consent import ask_consent, ask_declared
from inspector.ui.shell.process_model import SPARE, Column, ProcessModel

REFRESH_MILLIS: Final = 2_000
WIDTHS: Final = {
    Column.NAME: 120,
    Column.PID: 80,
    Column.FOLDER: 160,
    Column.AGE: 64,
    Column.USER: 72,
    Column.PACKAGES: 130,
    Column.RUNTIME: 110,
    Column.HANDLES: 92,
}
STATUS_WIDTH: Final = 150
HAS_ENDED: Final = "has ended meanwhile"
DEMO: Final = (
    "A to-do application with worker threads, made to be inspected: one type leaks, a close "
    "waits for a thread that never runs it, "
    "and garbage holds handles.\n\nIt begins with a tour of one minute; Ctrl+K, One-minute tour "
    "shows it again."
)


class StartPage(QWidget):
    """Lists processes and files to open; refreshes itself while it is seen."""

    attach_wanted = Signal(int)
    """Process id; GUI thread."""
    bring_wanted = Signal(int)
    """Process id of one without an agent; the person has agreed."""
    look_wanted = Signal(int)
    """Process id of one that is to be looked at from outside."""
    demo_wanted = Signal()
    open_wanted = Signal()
    """Choose a file."""
    back_wanted = Signal()
    """Return to the session that goes on behind the page."""
    file_wanted = Signal(object)
    """``Path`` of a recent file."""

    def __init__(
        self,
        theme: Theme,
        connector: Connector,
        runner: BackgroundRunner,
        parent: QWidget | None = None,
    ) -> None:
        """Asks ``connector`` on the runner's threads."""
        super().__init__(parent)
        self.setObjectName("page")
        self._connector = connector
        show, failed = self._show, self._failed
        self._find = LatestWork(self, runner, self._ask, on_result=show, on_error=failed)
        self._given_up = threading.Event()
        self._processes: tuple[ProcessRow, ...] = ()
        self.model = ProcessModel(theme, self)
        self._timer = QTimer(self, interval=REFRESH_MILLIS)
        self._timer.timeout.connect(self.refresh)
        self._build()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.model.set_theme(theme)
        self.demo.setIcon(icon("demo", theme, tint="accent_text"))
        self.open.setIcon(icon("open", theme))
        for row in range(self.recent.count()):
            self.recent.item(row).setIcon(icon("screenshot", theme, tint="text_quiet"))

    def show_session(self, name: str) -> None:
        """Offer the way back to a session on ``name``; empty: there is none."""
        self.back.setText(f"Back to {name}")
        self.back.setVisible(bool(name))

    def refresh(self) -> None:
        """Ask for processes and recent files, unless an answer is still awaited."""
        if not self._find.is_busy:
            self._find.ask()

    def set_resting(self, is_resting: bool) -> None:
        """Look for no process while a session opens: both would share one interpreter."""
        if is_resting or not self.isVisible():
            self._timer.stop()
            self._given_up.set()
            self._find.forget()
        elif not self._timer.isActive():
            self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Live while it is seen."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()
        self.table.setFocus()
        self._fit_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Whole columns only."""
        super().resizeEvent(event)
        self._fit_columns()

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask nothing while it is not seen."""
        self.set_resting(True)
        super().hideEvent(event)

    # building -------------------------------------------------------------------------------------

    def _build(self) -> None:
        page = QHBoxLayout(self)
        page.setContentsMargins(24, 20, 24, 20)
        page.setSpacing(24)
        page.addLayout(self._build_processes(), 3)
        page.addLayout(self._build_side(), 1)

    def _build_processes(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        line = QHBoxLayout()
        line.addWidget(head_label("Inspect a running process"), 1)
        self.back = QPushButton("")
        self.back.clicked.connect(self.back_wanted)
        self.back.hide()
        line.addWidget(self.back)
        column.addLayout(line)
        self.count = quiet_label("Looking for processes …")
        self.count.setWordWrap(True)
        column.addWidget(self.count)
        column.addLayout(self._build_search())
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setObjectName("processes")
        self.table.setAccessibleName("Processes")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(28)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setHighlightSections(False)
        for section, width in WIDTHS.items():
            self.table.horizontalHeader().resizeSection(section, width)
        self.table.activated.connect(lambda _index: self._attach())
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_chosen())
        self.model.modelReset.connect(self._show_chosen)
        column.addWidget(self.table, 1)
        column.addLayout(self._build_chosen())
        return column

    def _build_search(self) -> QHBoxLayout:
        search = QHBoxLayout()
        search.setSpacing(8)
        self.search = QLineEdit(
            placeholderText="Search name, id, command, folder, user or package",
            clearButtonEnabled=True,
        )
        self.search.setAccessibleName("Search processes")
        self.search.textChanged.connect(lambda _text: self._show_processes())
        self.ended = QCheckBox("show ended")
        self.ended.setToolTip("Processes that ended, of which the last state is left")
        self.ended.toggled.connect(lambda _on: self._show_processes())
        search.addWidget(self.search, 1)
        search.addWidget(self.ended)
        return search

    def _build_chosen(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.why = text_label()
        self.why.setWordWrap(True)
        self.why.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.why.setMinimumHeight(36)
        self.copy_fix = QPushButton("Copy fix")
        self.copy_fix.clicked.connect(self._copy_fix)
        self.attach = QPushButton("Attach")
        self.attach.setProperty("primary", True)
        self.attach.clicked.connect(self._attach)
        line.addWidget(self.why, 1)
        self.look = QPushButton("Look from outside")
        self.look.setToolTip(
            "Read only: its memory is read, nothing is loaded into it and nothing in it is stopped"
        )
        self.look.clicked.connect(self._look)
        line.addWidget(self.copy_fix)
        line.addWidget(self.look)
        line.addWidget(self.attach)
        return line

    def _build_side(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        self.demo = QPushButton("Start the demo")
        self.demo.setProperty("primary", True)
        self.demo.clicked.connect(self.demo_wanted)
        self.open = QPushButton("Open a screenshot…")
        self.open.clicked.connect(self.open_wanted)
        tour = quiet_label(DEMO)
        tour.setWordWrap(True)
        tour.setMinimumWidth(200)
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent screenshots")
        self.recent.setIconSize(QSize(16, 16))
        self.recent.itemActivated.connect(
            lambda item: self.file_wanted.emit(item.data(Qt.ItemDataRole.UserRole))
        )
        self.no_recent = quiet_label("None yet. Press S in a session to save a screenshot")
        self.no_recent.setWordWrap(True)
        column.addWidget(section_label("New here?"))
        column.addWidget(self.demo)
        column.addWidget(tour)
        column.addSpacing(12)
        column.addWidget(section_label("Recent screenshots"))
        column.addWidget(self.no_recent)
        column.addWidget(self.recent, 1)
        column.addStretch(0)
        column.addWidget(self.open)
        return column

    # inside ---------------------------------------------------------------------------------------

    def _ask(self) -> Callable[[], tuple[tuple[ProcessRow, ...], tuple[RecentFile, ...]]]:
        given_up = self._given_up = threading.Event()
        processes, recent = self._connector.processes, self._connector.recent
        return lambda: (tuple(processes(given_up.is_set)), tuple(recent()))

    def _show(self, found: tuple[tuple[ProcessRow, ...], tuple[RecentFile, ...]]) -> None:
        self._processes, recent = found
        self._show_processes()
        self._show_recent(recent)

    def _show_processes(self) -> None:
        """The processes that the search finds; ended ones when asked for, or when none lives."""
        chosen = self._chosen()
        words = self.search.text().casefold().split()
        found = [row for row in self._processes if _is_found(row, words)]
        shown = [row for row in found if self.ended.isChecked() or not row.gone] or found
        self.model.show([*shown, *self._under_pointer(shown)])
        if chosen is not None and self._chosen() is None:
            self.table.selectRow(self.model.row_of(chosen.pid))
        elif chosen is None and shown:
            self.table.selectRow(self.model.first_attachable())
        hidden = len(found) - len(shown)
        self.count.setText(_count_sentence(self._processes, hidden))
        self._show_chosen()

    def _under_pointer(self, shown: Sequence[ProcessRow]) -> list[ProcessRow]:
        """Rows that would go away while the pointer is on the table: they stay, greyed.

        A row below a row that goes would move up, under a click that was meant for another.
        """
        if not self.table.underMouse():
            return []
        pids = {row.pid for row in shown}
        listed = (self.model.process(at) for at in range(self.model.rowCount()))
        return [
            replace(row, attachable=False, consent="", readable=False, reason=HAS_ENDED, fix="")
            for row in listed
            if row is not None and row.pid not in pids
        ]

    def _fit_columns(self) -> None:
        """Leave out columns that have no room."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
        room = self.table.viewport().width() - STATUS_WIDTH - sum(WIDTHS.values())
        for column in SPARE:
            is_spared = room < 0
            self.table.setColumnHidden(column, is_spared)
            room += WIDTHS[column] if is_spared else 0

    def _failed(self, error: BaseException) -> None:
        self.count.setText(f"Processes could not be listed: {error_sentence(error)}")

    def _show_recent(self, recent: Sequence[RecentFile]) -> None:
        paths = [
            self.recent.item(row).data(Qt.ItemDataRole.UserRole)
            for row in range(self.recent.count())
        ]
        if paths == [file.path for file in recent]:
            recent_shown = bool(paths)
        else:
            self.recent.clear()
            for file in recent:
                item = QListWidgetItem(
                    icon("screenshot", self._theme, tint="text_quiet"), file.title
                )
                item.setData(Qt.ItemDataRole.UserRole, file.path)
                item.setToolTip(tip(str(file.path)))
                self.recent.addItem(item)
            recent_shown = bool(recent)
        self.recent.setVisible(recent_shown)
        self.no_recent.setVisible(not recent_shown)

    def _chosen(self) -> ProcessRow | None:
        rows = self.table.selectionModel().selectedRows()
        return self.model.process(rows[0].row()) if rows else None

    def _show_chosen(self) -> None:
        row = self._chosen()
        self.attach.setEnabled(row is not None and (row.attachable or bool(row.consent)))
        self.attach.setText(_verb(row))
        self.look.setVisible(row is not None and row.readable)
        self.copy_fix.setVisible(row is not None and not row.attachable and bool(row.fix))
        if row is None:
            self.why.setText("Select a process, then press Enter")
        elif row.attachable:
            self.why.setText(row.command)
        elif row.consent:
            self.why.setText(f"It {row.reason}; the inspector can load an agent, with your consent")
        else:
            self.why.setText(
                f"Cannot be attached: {row.reason}" + (f"\n{row.fix}" if row.fix else "")
            )

    def _attach(self) -> None:
        row = self._chosen()
        if row is not None:
            self.open_row(row)

    def open_row(self, row: ProcessRow) -> None:
        """Attach to a process; first ask the person where that is needed."""
        if row.attachable:
            ask_declared(self, self._connector, row, lambda: self.attach_wanted.emit(row.pid))
        elif row.consent:
            ask_consent(self, self._connector, row, lambda: self.bring_wanted.emit(row.pid))
        elif row.readable:
            self.look_wanted.emit(row.pid)

    def _look(self) -> None:
        row = self._chosen()
        if row is not None and row.readable:
            self.look_wanted.emit(row.pid)

    def _copy_fix(self) -> None:
        row = self._chosen()
        if row is not None:
            QGuiApplication.clipboard().setText(row.fix)


def _verb(row: ProcessRow | None) -> str:
    if row is not None and row.gone:
        return "Open"
    return "Attach…" if row is not None and row.consent else "Attach"


def _is_found(row: ProcessRow, words: Sequence[str]) -> bool:
    facts = (row.name, row.pid, row.command, row.runtime, row.folder, row.user, *row.packages)
    text = " ".join(map(str, facts)).casefold()
    return all(word in text for word in words)


def _count_sentence(processes: Sequence[ProcessRow], hidden: int) -> str:
    """``4 ready · 7 not prepared · 47 ended (hidden)``."""
    gone = sum(row.gone for row in processes)
    ready = sum(row.attachable for row in processes) - gone
    others = len(processes) - ready - gone
    if not processes:
        return (
            "No process can be attached now. Start one with  arc-inspector run app.py,  or "
            "start the demo"
        )
    parts = [f"{ready:,} ready"]
    parts += [f"{others:,} not prepared"] if others else []
    parts += [f"{gone:,} ended" + (" (hidden)" if hidden else "")] if gone else []
    return " · ".join(parts)
