"""Readings of the stacks of a live target: on demand, and while a close waits for its thread.

The session reads from outside, so the target runs on. GUI thread only.
"""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QObject, Signal

from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.stack_reading import StackReading
from inspector.model.wait_chain import threads_awaited
from inspector.ui.session.attachment import Attachment

WAIT_SECS: Final = 1.0
"""A close that waits so long for a thread has the stacks read."""
AGAIN_SECS: Final = 5.0
"""From one reading without demand to the next: each takes a process of the viewer's."""

MOST_CLOSES: Final = 100
"""The oldest so many are looked at."""


class StackWatch(QObject):
    """The newest reading of the session that the window shows."""

    changed = Signal()
    """A reading began, came or failed, or belongs to the past."""

    def __init__(self, attachment: Attachment, parent: QObject | None = None) -> None:
        """Nothing is read."""
        super().__init__(parent)
        self._attachment = attachment
        self._asked_at = -math.inf
        self.reading: StackReading | None = None
        self.is_running = False
        self.failure = ""
        """Why the last reading failed, a sentence."""
        attachment.began.connect(self.clear)
        attachment.finished.connect(self.clear)
        attachment.snapshot_seen.connect(self.look)

    @property
    def can_read(self) -> bool:
        """A live target with an agent; stacks of other targets come with their snapshots."""
        snapshot = self._attachment.snapshot
        return (
            snapshot is not None
            and snapshot.target.state is TargetState.LIVE
            and not snapshot.target.from_outside
        )

    def clear(self) -> None:
        """Another target, or none."""
        self._asked_at, self.reading = -math.inf, None
        self.is_running, self.failure = False, ""
        self.changed.emit()

    def read(self) -> None:
        """Read the stacks now, unless that is under way or not possible."""
        snapshot = self._attachment.snapshot
        if snapshot is None or self.is_running or not self.can_read:
            return
        self._asked_at, self.is_running, self.failure = snapshot.taken_at, True, ""
        self._attachment.ask(
            lambda session: session.stacks(), self._take, on_error=self._fail, quiet=True
        )
        self.changed.emit()

    def restore(self, reading: StackReading | None) -> None:
        """Take the reading of a file."""
        self.reading = reading
        self.changed.emit()

    def look(self, snapshot: Snapshot) -> None:
        """A newer snapshot: read the stacks when a close has waited for a thread.

        After a failure only a person's demand reads again.
        """
        is_due = snapshot.taken_at - self._asked_at >= AGAIN_SECS and not self.failure
        if not is_due or self._attachment.situation.paused or not self._attachment.is_watched:
            return
        if _waits_for_thread(snapshot):
            self.read()

    def added_to(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the stacks that are known."""
        return self.reading.added_to(snapshot) if self.reading is not None else snapshot

    def _take(self, reading: StackReading) -> None:
        self.reading, self.is_running = reading, False
        self.changed.emit()

    def _fail(self, why: str) -> None:
        self.is_running, self.failure = False, why
        self.changed.emit()


def _waits_for_thread(snapshot: Snapshot) -> bool:
    """Whether a close has waited for a live thread for ``WAIT_SECS``."""
    closes = pending_closes(snapshot)
    return any(
        snapshot.taken_at - float(closes.since[row]) >= WAIT_SECS
        and threads_awaited(snapshot, closes, row)
        for row in range(min(len(closes), MOST_CLOSES))
    )
