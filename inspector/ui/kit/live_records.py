"""Shared parts of tables of waiting or running records: growing ages, a count for the tab, rest.

GUI thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from inspector.model.snapshot import Snapshot
from inspector.model.stillness import stands_still
from inspector.ui.kit.column_model import ColumnModel, RowsT
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.kit.record_table import RecordTable
from inspector.ui.kit.running_clock import RunningClock


class Moment:
    """The time that ages are counted to; it moves between snapshots."""

    def __init__(self) -> None:
        """Nothing is known yet, so ages are not either."""
        self.at = float("nan")


class LiveRecords(QObject, Generic[RowsT]):
    """Fills the table of a pane from one snapshot after another."""

    count_changed = Signal(int)
    """How many records there are; only when it changed."""

    def __init__(
        self,
        table: RecordTable,
        model: ColumnModel[RowsT],
        moment: Moment,
        pane: QWidget,
        clock: RunningClock | None = None,
        *,
        worth: Callable[[RowsT, float], int] = lambda rows, _now: len(rows),
    ) -> None:
        """``table`` shows ``model``, whose ages are counted to ``moment``, which follows ``clock``.

        A person may not see ``pane``. ``worth`` gives the number for the tab, from the rows and
        the time.
        """
        super().__init__(pane)
        self.clock = clock or RunningClock(self)
        self._table = table
        self._model = model
        self._moment = moment
        self._pane = pane
        self._worth = worth
        self._snapshot: Snapshot | None = None
        self._count = 0
        self.clock.ticked.connect(self._tick)

    def show(self, snapshot: Snapshot, read: Callable[[Snapshot], RowsT], message: str) -> None:
        """Show the rows that ``read`` finds in ``snapshot``.

        ``message`` stands there when it finds none.
        """
        before, self._snapshot = self._snapshot, snapshot
        self.clock.hear(snapshot)
        self._moment.at = self.clock.now
        self._table.set_message(message)
        if before is None or not stands_still(before, snapshot, moment_secs=0.0):
            self._model.set_rows(read(snapshot))
        self._count_rows()

    def read_again(self, read: Callable[[Snapshot], RowsT]) -> None:
        """Show the rows that ``read`` finds now in the snapshot that is shown."""
        if self._snapshot is not None:
            self._model.set_rows(read(self._snapshot))
            self._count_rows()

    def set_paused(self, paused: bool) -> None:
        """Let ages stand still, or grow again."""
        self.clock.set_paused(paused)

    def clear(self, rows: RowsT, message: str) -> None:
        """There is no target any more."""
        self._snapshot = None
        self.clock.stop()
        self._model.set_rows(rows)
        self._table.set_message(message)
        self._set_count(0)

    def _count_rows(self) -> None:
        self._set_count(self._worth(self._model.rows, self._moment.at))

    def _tick(self) -> None:
        self._moment.at = self.clock.now
        self._count_rows()
        if is_seen(self._pane):
            self._model.refresh()

    def _set_count(self, count: int) -> None:
        if count != self._count:
            self._count = count
            self.count_changed.emit(count)
