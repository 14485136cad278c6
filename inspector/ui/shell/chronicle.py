"""What spans time in the window: events, findings, marks, recordings and their replay; and how they are joined to the panes.

Apart from the window because they belong together and to no single pane. GUI thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from inspector.model.snapshot import Snapshot
from inspector.session.mutes import Mutes
from inspector.session.protocol import Replay
from inspector.ui.kit.theme import Theme
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.connector import Connector
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.ui.session.mark_book import MarkBook
from inspector.ui.session.recording import Recording
from inspector.ui.shell.actions import Actions
from inspector.ui.shell.replay_bar import ReplayBar
from inspector.ui.shell.vital_signs import VitalSigns

if TYPE_CHECKING:
    from inspector.ui.shell.workbench import Workbench  # which is made of panes that are given this


class Chronicle(QObject):
    """Owned by the window; each part hears of the attachment itself."""

    told = Signal(str, str)
    """A sentence and its tone for the result bar."""

    def __init__(
        self,
        attachment: Attachment,
        connector: Connector,
        runner: BackgroundRunner,
        mutes: Mutes,
        theme: Theme,
        parent: QObject | None = None,
    ) -> None:
        """Nothing is attached."""
        super().__init__(parent)
        self._attachment = attachment
        self._is_begun = False
        self.feed = EventFeed(attachment, runner, self)
        self.watch = FindingsWatch(attachment, runner, self.feed, mutes, self)
        self.book = MarkBook(attachment, runner, self)
        self.recording = Recording(attachment, connector, runner, self)
        self.replay = ReplayBar(theme)
        for part in (self.watch, self.book, self.recording):
            part.told.connect(self.told)
        self.book.marked.connect(self.recording.mark)
        self.replay.moment_wanted.connect(self._go)
        attachment.began.connect(self.replay.clear)
        attachment.finished.connect(self.replay.clear)

    def connect_to(self, workbench: Workbench, signs: VitalSigns, actions: Actions) -> None:
        """Join the panes: once, when they are made."""
        self._workbench = workbench
        marks, timeline = workbench.marks, workbench.timeline
        self.watch.report_changed.connect(signs.show_report)
        self.watch.lead_changed.connect(workbench.handles.show_lead)
        self.book.marked.connect(timeline.add_mark)
        timeline.plot.range_selected.connect(lambda begin, end: marks.offer_range((begin, end)))
        timeline.plot.range_dropped.connect(lambda: marks.offer_range(None))
        marks.mark_wanted.connect(self.mark_now)
        marks.moments_wanted.connect(self._mark_moments)
        marks.comparison_changed.connect(timeline.show_comparison)
        marks.born_wanted.connect(lambda term: workbench.handles.narrow("born", term))
        self.recording.is_on_changed.connect(actions["record"].setChecked)
        self._attachment.began.connect(self._forget)
        self._attachment.snapshot_shown.connect(self._snapshot_shown)

    def mark_now(self, name: str = "") -> None:
        """Mark what lives now, also while the panes are paused; in a recording the moment that is shown."""
        if self._attachment.snapshot is not None:
            self.book.mark_now(self._attachment.snapshot, name)

    def _mark_moments(self, begin: float, end: float) -> None:
        """Two moments that have passed; how many handles died since then the timeline's counters tell."""
        history = self._workbench.timeline.history
        for at in (begin, end):
            is_counted = bool(len(history)) and history.first_at <= at
            self.book.mark_at(at, history.totals(at, history.last_at).released if is_counted else None)

    def _forget(self) -> None:
        self._is_begun = False

    def _begin_replay(self, replay: Replay) -> None:
        """A recording was opened and the panes know its target: it brings its time along."""
        for vitals in replay.vitals:
            self._workbench.show_vitals(vitals)
        for at, name in replay.marks:
            self._workbench.timeline.add_mark(at, name)
        self.book.take_recorded()
        self.replay.show_recording(replay.moments, replay.marks)

    def _snapshot_shown(self, snapshot: Snapshot) -> None:
        replay = self._attachment.replay
        if replay is None:
            return
        if not self._is_begun:
            self._is_begun = True
            self._begin_replay(replay)
        self.replay.show_moment(snapshot.taken_at)
        self._workbench.timeline.show_moment(snapshot.taken_at)

    def _go(self, at: float) -> None:
        replay = self._attachment.replay
        if replay is not None:
            replay.seek(at)
