"""Ties the cursor in time to the timeline, the bar and the strip. GUI thread."""

from __future__ import annotations

from PySide6.QtCore import QObject

from inspector.model.snapshot import Snapshot
from inspector.model.time_marks import MarkKind
from inspector.session.protocol import Replay
from inspector.ui.session.time_cursor import TimeCursor
from inspector.ui.shell.window_parts import WindowParts


class LookingBack(QObject):
    """One cursor for recordings and for live targets."""

    def __init__(self, window: WindowParts) -> None:
        """Make it after the panes are connected."""
        super().__init__(window)
        self._window = window
        timeline = window.workbench.timeline
        self.cursor = TimeCursor(window.attachment, window.runner, timeline.history, self)
        cursor, bar = self.cursor, window.replay
        cursor.begun.connect(self._begin_replay)
        cursor.moved.connect(self._moved)
        timeline.plot.moment_wanted.connect(cursor.go)
        timeline.plot.now_wanted.connect(cursor.back)
        bar.moment_wanted.connect(cursor.go)
        bar.now_wanted.connect(cursor.back)
        window.attachment.snapshot_shown.connect(self._shown)
        window.attachment.began.connect(bar.clear)
        window.attachment.finished.connect(bar.clear)

    def mark(self) -> None:
        """Mark the moment that is shown."""
        window, moment = self._window, self.cursor.moment
        if self.cursor.looks_back and moment is not None:
            window.marks.mark_at(moment, window.workbench.timeline.released_since(moment))
        else:
            window.marks.mark_now()

    def _begin_replay(self, replay: Replay) -> None:
        window = self._window
        window.workbench.show_recording(replay)
        window.marks.take_recorded()
        window.replay.show_recording(replay.moments, replay.marks)

    def _moved(self, moment: float | None) -> None:
        window = self._window
        window.workbench.timeline.show_moment(moment)
        if not self.cursor.looks_back:
            window.findings.show_moment(None)
            if moment is None:
                window.replay.clear()
                if window.attachment.snapshot is not None:
                    window.verdict.show_snapshot(window.attachment.snapshot)
            else:
                window.replay.show_moment(moment)
            return
        if moment is not None:
            window.findings.show_moment(moment)
            marks = window.workbench.timeline.history.marks
            named = tuple((each.at, each.text) for each in marks if each.kind is MarkKind.MARK)
            window.replay.show_past(self.cursor.moments, named, moment)

    def _shown(self, snapshot: Snapshot) -> None:
        """The strip shows an earlier moment too, and afterwards what is now."""
        if snapshot.is_past:
            self._window.verdict.show_snapshot(snapshot)
            self._window.replay.note_missing(snapshot.missing)
