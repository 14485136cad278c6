"""Events of the target, collected while they are needed.

They are read from the session, and put in order off the GUI thread.

GUI thread, but for the work that goes through the runner.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from inspector.model.caps import EVENTS, Use
from inspector.model.events import KEPT_EVENTS, EventBatch, EventCursor, Events, joined, no_events
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner


class EventFeed(QObject):
    """Events of the session that the window shows; it keeps the newest ``KEPT_EVENTS``."""

    changed = Signal()
    """``events`` has grown, or there are none because nothing is recorded; after each answer."""
    failed = Signal(str)
    """They cannot be read: why, a sentence without a full stop."""

    def __init__(
        self, attachment: Attachment, runner: BackgroundRunner, parent: QObject | None = None
    ) -> None:
        """Nothing is read until a request."""
        super().__init__(parent)
        self._attachment = attachment
        self._runner = runner
        self._cursor: EventCursor | None = None
        self._round = 0
        self._asking = False
        self._left_out = 0
        self.events: Events = no_events()
        """The known events, oldest first."""
        attachment.began.connect(self.clear)
        attachment.finished.connect(self.clear)

    def uses(self) -> tuple[Use, ...]:
        """The amounts that are kept."""
        return (Use(EVENTS, len(self.events), self._left_out),)

    @property
    def is_reading(self) -> bool:
        """An answer of the session is awaited."""
        return self._asking

    def clear(self) -> None:
        """Another target, or none: answers on their way are dropped."""
        self._round += 1
        self._asking = False
        self._cursor, self.events, self._left_out = None, no_events(), 0

    def refresh(self) -> None:
        """Read new events, unless an answer is awaited; ``changed`` or ``failed`` follows."""
        if self._asking or not self._attachment.situation.attached:
            return
        self._asking = True
        cursor, this_round = self._cursor, self._round
        self._attachment.ask(
            lambda session: session.read_events(cursor),
            lambda batch: self._join(batch, this_round),
            on_error=lambda why: self._complain(why, this_round),
            quiet=True,
        )

    def _join(self, batch: EventBatch, this_round: int) -> None:
        if this_round != self._round:
            return
        self._cursor = batch.cursor
        if not len(batch.events):
            self._asking = False
            self.changed.emit()
            return
        known = self.events
        self._left_out += max(len(known) + len(batch.events) - KEPT_EVENTS, 0)
        self._runner.run(
            lambda: joined([known, batch.events], limit=KEPT_EVENTS),
            lambda events: self._take(events, this_round),
            lambda error: self._complain(str(error), this_round),
        )

    def _take(self, events: Events, this_round: int) -> None:
        if this_round == self._round:
            self._asking = False
            self.events = events
            self.changed.emit()

    def _complain(self, why: str, this_round: int) -> None:
        if this_round == self._round:
            self._asking = False
            self.failed.emit(why)
