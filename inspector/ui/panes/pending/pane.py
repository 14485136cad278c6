"""The pane of pending closes: requests that have not run, their reasons, ages and owners.

GUI thread only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from inspector.model.findings.leads import Coverage
from inspector.model.pending import (
    AwaitedCloses,
    PendingCloses,
    empty_pending_closes,
    pending_closes,
)
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.threads import filter_text
from inspector.model.wording import duration
from inspector.ui.kit.live_records import LiveRecords, Moment
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.pending.model import pending_model
from inspector.vocabulary import Level

SHAPE = TableShape(
    name="Pending closes",
    widths=(88, 78, 74, 270, 80, 124, 172, 80),
    spare=(6, 5, 4, 2),
    elastic=(6, 3),
)
WAITS_FOR_COLUMN = 5
NO_TARGET = "Attach to a process to see the closes it has not run yet"
OUTSIDE = "From outside, waiting closes are not seen"
LEVEL_OFF = "Closes are not recorded at level off. Switch to level count."


class PendingPane(PaneBase):
    """One row a pending close, the oldest first."""

    def __init__(
        self,
        theme: Theme,
        actions: Sequence[QAction] = (),
        parent: QWidget | None = None,
        *,
        clock: RunningClock | None = None,
    ) -> None:
        """Empty until the first snapshot.

        The rows' menu and the title of the dock offer ``actions``. Ages are counted to ``clock``,
        the target's time.
        """
        super().__init__(parent)
        self.title_actions = tuple(actions)
        self._awaited: AwaitedCloses | None = None
        self._moment = Moment()
        self._model = pending_model(theme, self._moment, self)
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.table.set_message(NO_TARGET)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.table.addActions(list(actions))
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.table.record_chosen.connect(self._choose)
        self._records = LiveRecords(self.table, self._model, self._moment, self, clock)
        self._records.count_changed.connect(self.count_changed)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the pending closes in ``snapshot``."""
        self._records.show(snapshot, self._read, _empty_text(snapshot))

    def show_coverage(self, coverage: Coverage) -> None:
        """Show the deadlines of closes that wait for event loops, as the agent told them."""
        self._awaited = coverage.awaited
        self._records.read_again(self._read)

    def set_paused(self, paused: bool) -> None:
        """Let ages stand still, or grow again."""
        self._records.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.table.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._records.clear(empty_pending_closes(), NO_TARGET)

    def _read(self, snapshot: Snapshot) -> PendingCloses:
        return pending_closes(snapshot, self._awaited)

    def _choose(self, key: int, column: int) -> None:
        row = self._model.row_of(key)
        owner = (
            self._model.rows.waits_for(self._model.source_row(row))
            if row >= 0 and column == WAITS_FOR_COLUMN
            else None
        )
        if owner is not None:
            self.filter_wanted.emit(filter_text(owner, "owner"))
        else:
            self.handle_chosen.emit(key)


def _empty_text(snapshot: Snapshot) -> str:
    if snapshot.target.from_outside:
        return OUTSIDE
    if snapshot.target.level is Level.OFF:
        return LEVEL_OFF
    over = snapshot.target.state in (TargetState.ENDED, TargetState.POST_MORTEM)
    first = (
        "Nothing was waiting to close when the target ended"
        if over
        else "Nothing is waiting to close"
    )
    if math.isnan(snapshot.last_close_secs):
        return first
    return f"{first}. The last close took {duration(snapshot.last_close_secs)}."
