"""The chain of a close that waits, from the close to the lock, with the age of the stacks.

GUI thread only.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from inspector.model.snapshot import Ints
from inspector.model.wait_chain import Chain
from inspector.ui.kit.column_model import Column, ColumnModel, Cue
from inspector.ui.kit.labels import ElidedLabel, set_flag
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.theme import Theme
from inspector.ui.session.stack_watch import StackWatch

SHAPE = TableShape(name="Chain of the close", widths=(84, 300), spare=(), elastic=(1,))
NO_CLOSE = "Choose a close to see its thread and where that is"
RUNNING = "Reading the stacks …"


class ChainView(QWidget):
    """A line about the stacks, and the links below it."""

    line_wanted = Signal(str, int)
    """File and line of a link that was chosen."""

    def __init__(self, theme: Theme, stacks: StackWatch | None = None) -> None:
        """No close is chosen."""
        super().__init__()
        self._stacks = stacks
        self._model = chain_model(theme, self)
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.set_message(NO_CLOSE)
        self.table.horizontalHeader().hide()
        self.table.record_chosen.connect(self._choose)
        self.state = ElidedLabel()
        self.state.setObjectName("Age of the stacks")
        self.state.setProperty("quiet", True)
        self.read = QPushButton("Read stacks")
        self.read.setAccessibleName("Read stacks")
        self.read.setProperty("small", True)
        self.read.clicked.connect(self._read)
        line = QHBoxLayout()
        line.setContentsMargins(12, 2, 8, 2)
        line.setSpacing(8)
        line.addWidget(self.state, 1)
        line.addWidget(self.read)
        layout = flush_column(self)
        layout.addLayout(line)
        layout.addWidget(self.table, 1)

    def show_chain(self, chain: Chain, now: float) -> None:
        """Show the links. ``now``: the target's time, seconds since the Unix epoch."""
        if chain != self._model.rows:
            self._model.set_rows(chain)
        self._show_state(now)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.table.set_theme(theme)

    def texts(self) -> list[tuple[str, str]]:
        """Role and text of each link, as they are shown."""
        return [(link.role, link.text) for link in self._model.rows.links]

    def _show_state(self, now: float) -> None:
        stacks = self._stacks
        self.read.setVisible(stacks is not None and stacks.can_read)
        if stacks is None:
            return
        self.read.setEnabled(not stacks.is_running)
        reading = stacks.reading
        if stacks.is_running and reading is None:
            text = RUNNING
        elif stacks.failure:
            text = stacks.failure
        else:
            text = f"Stacks: {reading.sentence(now)}" if reading is not None else ""
        self.state.set_whole(text)
        is_old = reading is not None and (reading.is_old(now) or bool(reading.notes))
        set_flag(self.state, "waiting", on=bool(stacks.failure) or is_old)

    def _read(self) -> None:
        if self._stacks is not None:
            self._stacks.read()

    def _choose(self, key: int, _column: int) -> None:
        row = self._model.row_of(key)
        frame = self._model.rows.links[self._model.source_row(row)].frame if row >= 0 else None
        if frame is not None and frame.file:
            self.line_wanted.emit(frame.file, frame.line)


def chain_model(theme: Theme, parent: QObject | None = None) -> ColumnModel[Chain]:
    """An empty chain. Its keys are the places of the links."""
    return ColumnModel(_columns(), Chain(), lambda rows: rows.keys, theme=theme, parent=parent)


def _columns() -> tuple[Column[Chain], ...]:
    return (
        Column(
            "Link",
            "The close, its thread, and the stack of the thread, innermost line first",
            lambda rows, i: rows.links[i].role,
            _as_listed,
            cue=lambda _rows, _i: Cue("text_quiet"),
        ),
        Column(
            "Where",
            "A click on a line of code opens it",
            lambda rows, i: rows.links[i].text,
            _as_listed,
            tooltip=_tooltip,
        ),
    )


def _as_listed(rows: Chain) -> Ints:
    return np.arange(len(rows))


def _tooltip(rows: Chain, row: int) -> str:
    link = rows.links[row]
    return link.text if link.frame is None else link.frame.whole()
