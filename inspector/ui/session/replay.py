"""Follows a recording that the window shows: when its replay begins and which moment is shown.

GUI thread.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from inspector.model.snapshot import Snapshot
from inspector.ui.session.attachment import Attachment


class ReplayFollower(QObject):
    """Make it after the panes: a replay begins when they show its first snapshot."""

    begun = Signal(object)
    """``Replay``: its first snapshot is shown."""
    moment_shown = Signal(float)
    """Seconds since the Unix epoch."""

    def __init__(self, attachment: Attachment, parent: QObject | None = None) -> None:
        """No recording is open."""
        super().__init__(parent)
        self._attachment = attachment
        self._is_begun = False
        attachment.began.connect(self._forget)
        attachment.snapshot_shown.connect(self._snapshot_shown)

    def seek(self, at: float) -> None:
        """Show another moment; without a replay it does nothing."""
        replay = self._attachment.replay
        if replay is not None:
            replay.seek(at)

    def _forget(self) -> None:
        self._is_begun = False

    def _snapshot_shown(self, snapshot: Snapshot) -> None:
        replay = self._attachment.replay
        if replay is None:
            return
        if not self._is_begun:
            self._is_begun = True
            self.begun.emit(replay)
        self.moment_shown.emit(snapshot.taken_at)
