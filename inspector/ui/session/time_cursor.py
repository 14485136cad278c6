"""The moment that all panes show: now, an earlier moment of a live target, or one of a recording.

GUI thread; an earlier state is put together on a worker.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, Signal

from inspector.model.churn import ChurnHistory
from inspector.model.past import past_snapshot
from inspector.model.snapshot import Floats, Snapshot
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner, prepare
from inspector.ui.session.situation import Situation


class TimeCursor(QObject):
    """Make it after the panes: a recording begins when they show its first snapshot."""

    begun = Signal(object)
    """``Replay``: its first snapshot is shown."""
    moved = Signal(object)
    """``float``: the panes show this moment, seconds since the Unix epoch; ``None``: now."""
    told = Signal(str, str)
    """A sentence and its tone for the result bar."""

    def __init__(
        self,
        attachment: Attachment,
        runner: BackgroundRunner,
        history: ChurnHistory,
        parent: QObject | None = None,
    ) -> None:
        """At the newest snapshot. ``history`` has the counters of the session."""
        super().__init__(parent)
        self._attachment = attachment
        self._history = history
        self._work = LatestWork(self, runner, self._wish, on_result=self._show, on_error=self._fail)
        self._is_begun = False
        self._wanted = math.nan
        self.moment: float | None = None
        """The moment that is shown; ``None``: the newest snapshot of a target."""
        attachment.began.connect(self._forget)
        attachment.finished.connect(self._forget)
        attachment.changed.connect(self._situation_changed)
        attachment.snapshot_shown.connect(self._snapshot_shown)

    @property
    def looks_back(self) -> bool:
        """An earlier moment of a target is shown."""
        return self.moment is not None and self._attachment.replay is None

    @property
    def moments(self) -> Floats:
        """The moments to choose from, ascending: of a recording its states, else the readings."""
        replay = self._attachment.replay
        return self._history.readings().at if replay is None else replay.moments

    def go(self, at: float) -> None:
        """Show another moment; a moment after the newest counters is now."""
        replay = self._attachment.replay
        if replay is not None:
            replay.seek(at)
        elif self._attachment.is_picture or not len(self._history):
            return
        elif at >= self._history.last_at:
            self.back()
        else:
            self._wanted = max(at, self._history.first_at)
            self._attachment.set_paused(True)
            self._work.ask()

    def step(self, by: int) -> None:
        """Show the next moment, or with -1 the one before."""
        moments = self.moments
        if len(moments):
            here = moments[-1] if self.moment is None else self.moment
            place = int(np.searchsorted(moments, here, side="right")) - 1 + by
            self.go(float(moments[min(max(place, 0), len(moments) - 1)]))

    def back(self) -> None:
        """Show what is now, and follow it; of a recording its end."""
        replay = self._attachment.replay
        if replay is not None:
            replay.seek(float(replay.moments[-1]))
        elif self.moment is not None or not math.isnan(self._wanted):
            self._leave()
            self._attachment.set_paused(False)

    # inside ---------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._is_begun = False
        self._work.forget()
        self._wanted = math.nan
        self._set(None)

    def _leave(self) -> None:
        self._work.forget()
        self._wanted = math.nan
        self._attachment.look_back(None)
        self._set(None)

    def _set(self, moment: float | None) -> None:
        if moment != self.moment:
            self.moment = moment
            self.moved.emit(moment)

    def _situation_changed(self, now: Situation) -> None:
        """A person resumes: that is now."""
        if not now.paused and self.looks_back:
            self._leave()

    def _wish(self) -> Callable[[], Snapshot] | None:
        newest, at = self._attachment.snapshot, self._wanted
        if newest is None or math.isnan(at):
            return None
        readings = self._history.readings()

        def work() -> Snapshot:
            past = past_snapshot(newest, at, readings.at_moment(at))
            prepare(past)
            return past

        return work

    def _show(self, snapshot: Snapshot) -> None:
        if not math.isnan(self._wanted):
            self._set(snapshot.taken_at)
            self._attachment.look_back(snapshot)

    def _fail(self, error: BaseException) -> None:
        self.told.emit(f"This moment cannot be shown: {error}", "alarm")

    def _snapshot_shown(self, snapshot: Snapshot) -> None:
        replay = self._attachment.replay
        if replay is None:
            return
        if not self._is_begun:
            self._is_begun = True
            self.begun.emit(replay)
        self._set(snapshot.taken_at)
