"""A pane whose table lists events that are read while the pane is visible. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from inspector.model.snapshot import Snapshot
from inspector.ui.kit.event_model import event_model
from inspector.ui.kit.pane_base import PaneBase, is_seen
from inspector.ui.kit.record_table import RecordTable
from inspector.ui.kit.theme import Theme
from inspector.ui.session.event_feed import EventFeed


class EventPane(PaneBase):
    """Asks the feed for newer events while it is visible and not paused."""

    table: RecordTable
    """Lists the events; a pane builds it over ``self._model``."""

    def __init__(
        self, theme: Theme, feed: EventFeed, *, refresh_millis: int, parent: QWidget | None = None
    ) -> None:
        """Nothing is read before the pane becomes visible; then each ``refresh_millis``."""
        super().__init__(parent)
        self._feed = feed
        self._snapshot: Snapshot | None = None
        self._paused = False
        self._model = event_model(theme, self)
        self._timer = QTimer(self, interval=refresh_millis)
        self._timer.timeout.connect(self._read)
        feed.changed.connect(self._arrange)
        feed.failed.connect(self._complain)

    def came_to_front(self) -> None:
        """The pane became visible: read and show the events."""
        self._read()
        self._arrange()

    def set_paused(self, paused: bool) -> None:
        """Let nothing move."""
        self._paused = paused

    def showEvent(self, event: QShowEvent) -> None:
        """The pane became visible."""
        super().showEvent(event)
        self.came_to_front()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """The pane is hidden."""
        self._timer.stop()
        super().hideEvent(event)

    def _arrange(self) -> None:
        """Choose and name the rows off the GUI thread, and show them."""
        raise NotImplementedError

    def _wants_events(self) -> bool:
        """Whether newer events would show."""
        return self._snapshot is not None

    def _read(self) -> None:
        if not self._paused and self._wants_events() and is_seen(self):
            self._feed.refresh()

    def _fail(self, error: BaseException) -> None:
        self._complain(str(error))

    def _complain(self, why: str) -> None:
        if self._snapshot is not None:
            self.table.set_message(why)

    def _choose(self, key: int, _column: int) -> None:
        """The handle of a chosen row."""
        row = self._model.row_of(key)
        if row >= 0 and (
            handle := int(self._model.rows.events.handles[self._model.source_row(row)])
        ):
            self.handle_chosen.emit(handle)
