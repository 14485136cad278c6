"""The pane of pending closes: requests that have not run, their reasons, ages and owners.

GUI thread only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from inspector.model.findings.leads import Coverage
from inspector.model.pending import (
    AwaitedCloses,
    PendingCloses,
    empty_pending_closes,
    pending_closes,
)
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.threads import filter_text
from inspector.model.verdict import waiting_long
from inspector.model.wait_chain import wait_chain
from inspector.model.wording import duration
from inspector.ui.kit.live_records import LiveRecords, Moment
from inspector.ui.kit.pane_base import PaneBase, is_seen
from inspector.ui.kit.record_delegate import ROW_HEIGHT
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.pending.chain_view import ChainView
from inspector.ui.panes.pending.model import pending_model
from inspector.ui.session.stack_watch import StackWatch
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
PAST = "Closes that waited at this moment and have run since are not known"
BESIDE_FROM = 1100
"""From so many pixels on the chain stands beside the table, else below it."""
TABLE_WIDTH = 1020
CHAIN_WIDTH = 400
MARGIN = 12
LEVEL_OFF = "Closes are not recorded at level off. Switch to level count."


class PendingPane(PaneBase):
    """One row a pending close, the oldest first, and the chain of the chosen close."""

    def __init__(
        self,
        theme: Theme,
        actions: Sequence[QAction] = (),
        parent: QWidget | None = None,
        *,
        clock: RunningClock | None = None,
        stacks: StackWatch | None = None,
    ) -> None:
        """Empty until the first snapshot.

        The rows' menu and the title of the dock offer ``actions``. Ages are counted to ``clock``,
        the target's time.
        ``stacks`` reads where threads are.
        """
        super().__init__(parent)
        self.title_actions = tuple(actions)
        self._awaited: AwaitedCloses | None = None
        self._stacks = stacks
        self._snapshot: Snapshot | None = None
        self._chosen = 0
        self._moment = Moment()
        self._model = pending_model(theme, self._moment, self)
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.table.set_message(NO_TARGET)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.chain = ChainView(theme, stacks)
        self.chain.line_wanted.connect(self.line_wanted)
        self.chain.hide()
        self._parts = QSplitter(Qt.Orientation.Vertical)
        self._parts.setChildrenCollapsible(False)
        self._parts.addWidget(self.table)
        self._parts.addWidget(self.chain)
        layout.addWidget(self._parts)
        self.table.addActions(list(actions))
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.table.record_chosen.connect(self._choose)
        self._records = LiveRecords(
            self.table, self._model, self._moment, self, clock, worth=waiting_long
        )
        self._records.count_changed.connect(self.count_changed)
        self._records.clock.ticked.connect(self._show_chain)
        if stacks is not None:
            stacks.changed.connect(self._show_chain)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the pending closes in ``snapshot``."""
        self._snapshot = snapshot
        self._records.show(snapshot, self._read, _empty_text(snapshot))
        self._show_chain()

    def follow(self, handles: tuple[int, ...]) -> None:
        """Show the chain of the selected handle, if it waits to close."""
        if handles:
            self.choose(handles[0])

    def choose(self, handle: int) -> None:
        """Show the chain of that handle's close; another handle leaves the oldest close."""
        self._chosen = handle
        self._show_chain()

    def came_to_front(self) -> None:
        """The pane became visible."""
        self._show_chain()

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
        self.chain.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._snapshot, self._chosen = None, 0
        self._records.clear(empty_pending_closes(), NO_TARGET)
        self._show_chain()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The chain stands beside the table where there is room."""
        super().resizeEvent(event)
        is_wide = self.width() >= BESIDE_FROM
        side = Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical
        if self._parts.orientation() != side:
            self._parts.setOrientation(side)
            self._share_out()

    def _read(self, snapshot: Snapshot) -> PendingCloses:
        return pending_closes(snapshot, self._awaited)

    def _show_chain(self) -> None:
        """The links of the chosen close, else of the oldest."""
        closes = self._model.rows
        if self.chain.isHidden() == bool(len(closes)):
            self.chain.setVisible(len(closes) > 0)
            self._share_out()
        if not len(closes) or self._snapshot is None or not is_seen(self):
            return
        chosen = self._chosen if self._chosen in closes.ids else int(closes.ids[0])
        snapshot = self._snapshot
        if self._stacks is not None:
            snapshot = self._stacks.added_to(snapshot)
        now = self._records.clock.now
        self.chain.show_chain(wait_chain(snapshot, closes, chosen, now), now)

    def _share_out(self) -> None:
        is_wide = self._parts.orientation() is Qt.Orientation.Horizontal
        room = self.width() if is_wide else self.height()
        table = min(TABLE_WIDTH, room - CHAIN_WIDTH) if is_wide else self._table_height()
        self._parts.setSizes([table, room - table])

    def _table_height(self) -> int:
        """Room for the closes that wait, and no more than two fifths."""
        wanted = ROW_HEIGHT * (len(self._model.rows) + 1) + MARGIN
        return min(wanted, int(self.height() * 0.4))

    def _choose(self, key: int, column: int) -> None:
        self.choose(key)
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
    if snapshot.is_past:
        return PAST
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
