"""The pane of viewers' acts on the target: asked for while it is visible. GUI thread only."""

from __future__ import annotations

import os
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from inspector.model.snapshot import Snapshot
from inspector.model.wording import plural
from inspector.session.protocol import AuditLog
from inspector.ui.kit.labels import plain_label
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase, is_seen
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.audit.model import NO_LOG, Acts, audit_model
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.target_actions import TargetActions

REFRESH_MILLIS: Final = 2_000
"""Other viewers act too."""
SHAPE = TableShape(
    name="Actions of viewers on this target",
    widths=(84, 96, 116, 76, 100, 320),
    spare=(3, 2, 4),
    elastic=(5,),
)
NO_TARGET = "Attach to a process to see the actions of its viewers"
NOTHING = "No viewer has collected, closed or changed anything in this target"
ASKING = "Asking the target …"


class AuditPane(PaneBase):
    """One row an act, the newest first."""

    def __init__(
        self,
        theme: Theme,
        attachment: Attachment,
        target_actions: TargetActions,
        parent: QWidget | None = None,
    ) -> None:
        """Empty; asks through ``attachment``, also after each act of ``target_actions``."""
        super().__init__(parent)
        self._attachment = attachment
        self._asking = False
        self._timer = QTimer(self, interval=REFRESH_MILLIS)
        self._timer.timeout.connect(self.refresh)
        self._model = audit_model(theme, self)
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.table.set_message(NO_TARGET)
        self.table.record_chosen.connect(self._choose)
        self.note = plain_label("")
        self.note.setContentsMargins(12, 6, 12, 6)
        self.note.hide()
        layout = flush_column(self)
        layout.addWidget(self.note)
        layout.addWidget(self.table)
        target_actions.acted.connect(self.refresh)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """A session is there: ask it, if the pane is visible and has not asked yet."""
        if self.table.message == NO_TARGET:
            self.table.set_message(ASKING)
            self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.table.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._asking = False
        self.note.hide()
        self.table.set_message(NO_TARGET)
        self._model.set_rows(Acts(NO_LOG, 0))

    def came_to_front(self) -> None:
        """The pane became visible."""
        self.refresh()

    def refresh(self) -> None:
        """Ask again, while the pane is visible and no answer is awaited."""
        if self._asking or not is_seen(self) or not self._attachment.situation.attached:
            return
        self._asking = True
        self._attachment.ask(
            lambda session: session.audit(), self._show, on_error=self._complain, quiet=True
        )

    def showEvent(self, event: QShowEvent) -> None:
        """The pane became visible."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """The pane is hidden."""
        self._timer.stop()
        super().hideEvent(event)

    def _show(self, log: AuditLog) -> None:
        self._asking = False
        self.table.set_message(NOTHING)
        if log != self._model.rows.log:
            self._model.set_rows(Acts(log, os.getpid()))
        parts = [log.trouble] if log.trouble else []
        parts += [f"{plural(log.dropped, 'older act')} not kept"] if log.dropped else []
        self._say(". ".join(parts))

    def _complain(self, why: str) -> None:
        self._asking = False
        self.table.set_message(why)
        self._say(why if len(self._model.rows) else "")

    def _say(self, note: str) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def _choose(self, key: int, _column: int) -> None:
        row = self._model.row_of(key)
        if row >= 0 and (act := self._model.rows.log.acts[self._model.source_row(row)]).handles:
            self.handle_chosen.emit(act.handles[0])
