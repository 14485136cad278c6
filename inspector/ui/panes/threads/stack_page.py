"""The page of the stacks of all threads: of a hung target as they come, of a live one on demand.

GUI thread only.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from inspector.model.snapshot import Snapshot
from inspector.model.stacks import ThreadStack
from inspector.model.thread_stacks import stack_lines
from inspector.ui.kit.labels import ElidedLabel, set_flag
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.threads.stack_model import stack_model
from inspector.ui.session.stack_watch import StackWatch

SHAPE = TableShape(name="Stacks of threads", widths=(140, 84, 206, 236), spare=(1,), elastic=(3,))
NO_TARGET = "Attach to a process to see the threads that use its handles"
NO_STACKS = "Read stacks shows where each thread is now. The target runs on meanwhile"
NOT_KNOWN = "No stack is known of this target"
READ = "Read stacks"
READ_AGAIN = "Read again"
RUNNING = "Reading the stacks …"
WITH_SNAPSHOT = "The stacks belong to the state that is shown"


class StackPage(QWidget):
    """A line about the reading with its button, and the table of stacks."""

    line_wanted = Signal(str, int)
    """File and line of a frame that was chosen."""

    def __init__(
        self,
        theme: Theme,
        stacks: StackWatch | None = None,
        *,
        clock: RunningClock | None = None,
    ) -> None:
        """Without ``stacks`` only those of a snapshot are shown. Ages are counted to ``clock``."""
        super().__init__()
        self._stacks = stacks
        self._snapshot: Snapshot | None = None
        self._shown: tuple[ThreadStack, ...] = ()
        self._clock = clock or RunningClock(self)
        self._clock.ticked.connect(self._tick)
        self._model = stack_model(theme, self)
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.set_message(NO_TARGET)
        self.table.record_chosen.connect(self._choose)
        self.state = ElidedLabel()
        self.state.setObjectName("Reading of stacks")
        self.state.setProperty("quiet", True)
        self.read = QPushButton(READ)
        self.read.setAccessibleName(READ)
        self.read.setProperty("small", True)
        self.read.clicked.connect(self._read)
        self._head = QWidget()
        line = QHBoxLayout(self._head)
        line.setContentsMargins(12, 4, 8, 4)
        line.setSpacing(8)
        line.addWidget(self.state, 1)
        line.addWidget(self.read)
        layout = flush_column(self)
        layout.addWidget(self._head)
        layout.addWidget(self.table, 1)
        if stacks is not None:
            stacks.changed.connect(self.show_stacks)
        self.show_stacks()

    def hear(self, snapshot: Snapshot) -> None:
        """A newer snapshot, which ``show_stacks`` will show."""
        self._snapshot = snapshot
        self._clock.hear(snapshot)

    def show_stacks(self) -> None:
        """Show the stacks of the newest snapshot, else of the newest reading."""
        snapshot = self._snapshot
        if snapshot is not None and self._stacks is not None:
            snapshot = self._stacks.added_to(snapshot)
        stacks = snapshot.stacks if snapshot is not None else ()
        if stacks is not self._shown:
            self._shown = stacks
            self._model.set_rows(stack_lines(snapshot))
        self.table.set_message(self._message())
        self._show_state()

    def came_to_front(self) -> None:
        """A person looks: the first look of a live target reads its stacks."""
        stacks = self._stacks
        if stacks is not None and stacks.reading is None and not stacks.failure:
            stacks.read()
        self.show_stacks()

    def set_paused(self, paused: bool) -> None:
        """Let the age stand still, or grow again."""
        self._clock.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.table.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._snapshot = None
        self._clock.stop()
        self.show_stacks()

    def _read(self) -> None:
        if self._stacks is not None:
            self._stacks.read()

    def _tick(self) -> None:
        if is_seen(self):
            self._show_state()

    def _message(self) -> str:
        if self._snapshot is None:
            return NO_TARGET
        stacks = self._stacks
        if stacks is None or not stacks.can_read:
            return NOT_KNOWN
        return RUNNING if stacks.is_running else stacks.failure or NO_STACKS

    def _show_state(self) -> None:
        """The line above the table, by the state of the reading."""
        stacks, snapshot = self._stacks, self._snapshot
        can_read = stacks is not None and snapshot is not None and stacks.can_read
        self._head.setVisible(snapshot is not None and (can_read or bool(len(self._model.rows))))
        self.read.setVisible(can_read)
        if stacks is None or snapshot is None:
            return
        self.read.setEnabled(not stacks.is_running)
        self.read.setText(READ if stacks.reading is None else READ_AGAIN)
        now, reading = self._clock.now, stacks.reading
        is_alarm = False
        if snapshot.stacks:
            text = WITH_SNAPSHOT
        elif stacks.is_running:
            text = RUNNING
        elif stacks.failure:
            text, is_alarm = stacks.failure, True
        else:
            text = reading.sentence(now) if reading is not None else NO_STACKS
            is_alarm = reading is not None and (reading.is_old(now) or bool(reading.notes))
        self.state.set_whole(text)
        set_flag(self.state, "waiting", on=is_alarm)

    def _choose(self, key: int, _column: int) -> None:
        row = self._model.row_of(key)
        if row >= 0:
            frame = self._model.rows.lines[self._model.source_row(row)].frame
            if frame is not None:
                self.line_wanted.emit(frame.file, frame.line)
