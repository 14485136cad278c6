"""Judges the target about once a second, off the GUI thread: what the findings pane and the vital signs show. GUI thread otherwise."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QObject, Signal

from inspector.model.events import Events
from inspector.model.findings.finding import Facts
from inspector.model.findings.judge import Report, judge, nothing_judged
from inspector.model.findings.trend import Trend
from inspector.model.snapshot import Level, Snapshot
from inspector.session.mutes import Mutes
from inspector.ui.attachment import Attachment
from inspector.ui.bridge import Courier
from inspector.ui.event_feed import EventFeed

LOOK_SECS: Final = 1.0
"""From one look to the next, by the snapshots' own time."""


class FindingsWatch(QObject):
    """Looks at the snapshots of the session that the window shows, also while it is paused."""

    report_changed = Signal(object)
    """``Report``."""
    told = Signal(str, str)
    """A sentence and its tone for the result bar."""

    def __init__(self, attachment: Attachment, courier: Courier, feed: EventFeed, mutes: Mutes, parent: QObject | None = None) -> None:
        """Nothing was looked at yet."""
        super().__init__(parent)
        self._courier = courier
        self._feed = feed
        self._mutes = mutes
        self._round = 0
        self._trend = Trend()
        self._looked_at = -math.inf
        self._is_busy = False
        self._newest: Snapshot | None = None
        self.report: Report = nothing_judged()
        attachment.began.connect(self.clear)
        attachment.finished.connect(self.clear)
        attachment.snapshot_seen.connect(self.look)

    def clear(self) -> None:
        """Another target, or none."""
        self._round += 1
        self._trend, self._looked_at, self._is_busy, self._newest = Trend(), -math.inf, False, None
        self._tell(nothing_judged())

    def look(self, snapshot: Snapshot) -> None:
        """A newer snapshot: judge it when it is time. One that is older belongs to a recording that was wound back: begin anew."""
        self._newest = snapshot
        if snapshot.taken_at < self._looked_at:
            self._trend, self._looked_at = Trend(), -math.inf
        if not self._is_busy and snapshot.taken_at - self._looked_at >= LOOK_SECS:
            self._looked_at = snapshot.taken_at
            if snapshot.target.level >= Level.HISTORY:
                self._feed.refresh()  # for the look after this one
            self._judge(snapshot)

    def mute(self, key: str, reason: str) -> None:
        """Hear no more of a finding; the file is written off the GUI thread."""
        self._courier.run(lambda: self._mutes.mute(key, reason), lambda _: self._again(), lambda error: self.told.emit(str(error), "alarm"))

    def unmute(self, key: str) -> None:
        """Hear of it again."""
        self._courier.run(lambda: self._mutes.unmute(key), lambda _: self._again(), lambda error: self.told.emit(str(error), "alarm"))

    def _again(self) -> None:
        if self._newest is not None and not self._is_busy:
            self._judge(self._newest)

    def _judge(self, snapshot: Snapshot) -> None:
        self._is_busy = True
        this_round, trend, events = self._round, self._trend, self._feed.events

        def work() -> Report:
            trend.observe(snapshot)
            return judge(Facts(snapshot, trend, _recorded(events)), mutes=self._mutes.all())

        self._courier.run(work, lambda report: self._take(report, this_round), lambda error: self._fail(error, this_round))

    def _take(self, report: Report, this_round: int) -> None:
        if this_round == self._round:
            self._is_busy = False
            self._tell(report)

    def _fail(self, error: BaseException, this_round: int) -> None:
        if this_round == self._round:
            self._is_busy = False
            self.told.emit(f"The findings could not be computed: {error}", "alarm")

    def _tell(self, report: Report) -> None:
        self.report = report
        self.report_changed.emit(report)


def _recorded(events: Events) -> Events | None:
    return events if len(events) else None
