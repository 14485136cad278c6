"""Judges the target about once a second, off the GUI thread.

The findings pane and the vital signs show the result.

GUI thread otherwise.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Signal

from inspector.model.caps import REPORTS, Use
from inspector.model.events import Events
from inspector.model.findings.finding import Facts
from inspector.model.findings.judge import Report, judge, muted_again, nothing_judged
from inspector.model.findings.leads import Coverage, Lead
from inspector.model.findings.trend import Trend
from inspector.model.holders import CycleReport
from inspector.model.pending import of_adapters, requested_rows
from inspector.model.snapshot import Snapshot
from inspector.session.mutes import Mutes
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.session.recorded_past import states_before
from inspector.vocabulary import Level

KEPT_REPORTS: Final = REPORTS.most
"""Reports that are kept for a look back."""
LOOK_SECS: Final = 1.0
"""From one look to the next, by the snapshots' own time."""
COVERAGE_SECS: Final = 10.0
"""From one question about what is not followed to the next: it takes the target some
milliseconds."""


class FindingsWatch(QObject):
    """Looks at the snapshots of the session that the window shows, also while it is paused."""

    report_changed = Signal(object)
    """``Report``."""
    coverage_changed = Signal(object)
    """``Coverage``: what the target's agent says beside the rows."""
    told = Signal(str, str)
    """A sentence and its tone for the result bar."""

    def __init__(
        self,
        attachment: Attachment,
        runner: BackgroundRunner,
        feed: EventFeed,
        mutes: Mutes,
        parent: QObject | None = None,
    ) -> None:
        """Nothing was looked at yet."""
        super().__init__(parent)
        self._attachment = attachment
        self._runner = runner
        self._feed = feed
        self._mutes = mutes
        self._work = LatestWork(
            self, runner, self._judgement, on_result=self._tell, on_error=self._fail
        )
        self._trend = Trend()
        self._looked_at = -math.inf
        self._newest: Snapshot | None = None
        self._coverage, self._covered_at = Coverage(), -math.inf
        self._is_covering = False
        self._cycles: CycleReport | None = None
        self._closes: frozenset[int] = frozenset()
        """Pending closes of adapters, when the target was asked the last time."""
        self.report: Report = nothing_judged()
        self._past: deque[Report] = deque(maxlen=KEPT_REPORTS)
        self._left_out = 0
        self._moment: float | None = None
        self._kept: Report | None = None
        """The findings of a file, which are not judged again."""
        attachment.began.connect(self.clear)
        attachment.finished.connect(self.clear)
        attachment.snapshot_seen.connect(self.look)

    def uses(self) -> tuple[Use, ...]:
        """The amounts that are kept."""
        return (*self._trend.uses(), Use(REPORTS, len(self._past), self._left_out))

    def clear(self) -> None:
        """Another target, or none."""
        self._work.forget()
        self._kept, self._moment = None, None
        self._past.clear()
        self._left_out = 0
        self._trend, self._looked_at, self._newest = Trend(), -math.inf, None
        self._covered_at, self._closes, self._is_covering = -math.inf, frozenset(), False
        self._cycles = None
        self._cover(Coverage())
        self._tell(nothing_judged())

    def look(self, snapshot: Snapshot) -> None:
        """A newer snapshot: judge it when it is time.

        An older snapshot belongs to a recording that was wound back: start again.
        """
        self._newest = snapshot
        if self._kept is not None:
            return
        if snapshot.taken_at < self._looked_at:
            self._trend, self._looked_at = Trend(), -math.inf
        if not self._work.is_busy and snapshot.taken_at - self._looked_at >= LOOK_SECS:
            self._looked_at = snapshot.taken_at
            if snapshot.target.level >= Level.HISTORY:
                self._feed.refresh()  # for the look after this one
            self._work.ask()
        closes = _closes_of_adapters(snapshot)
        is_due = (
            abs(snapshot.taken_at - self._covered_at) >= COVERAGE_SECS or closes != self._closes
        )
        can_say = self._attachment.situation.can.act or snapshot.target.from_outside
        if can_say and is_due and not self._is_covering:
            self._covered_at, self._closes, self._is_covering = snapshot.taken_at, closes, True
            self._attachment.ask(
                lambda session: session.coverage(),
                self._covered,
                on_error=lambda _why: self._end_covering(),
                quiet=True,
            )

    @property
    def can_follow(self) -> bool:
        """Whether the target's agent can follow more classes."""
        return self._attachment.situation.can.act

    def follow(self, module: str) -> None:
        """Have the target follow every class of an extension module."""
        if self.can_follow and module:
            self.told.emit(f"Following {module} …", "plain")
            self._attachment.ask(
                lambda session: session.follow(module),
                lambda coverage: self._followed(module, coverage),
                busy=True,
            )

    def restore(self, report: Report, lead: Lead | None) -> None:
        """Show the findings of a file from now on, instead of judging its one moment."""
        self._kept, self._coverage = report, Coverage(lead=lead)
        self.announce()

    def announce(self) -> None:
        """Tell the findings again, to parts that began with another snapshot."""
        self._tell(self.report if self._kept is None else self._kept)
        self.coverage_changed.emit(self._coverage)

    @property
    def lead(self) -> Lead | None:
        """The classes that are not followed; ``None``: not known."""
        return self._coverage.lead

    def take_cycles(self, cycles: CycleReport) -> None:
        """A search for cycles has ended: they are findings too."""
        self._cycles = cycles
        self._work.ask()

    def mute(self, key: str, reason: str) -> None:
        """Hear no more of a finding; the file is written off the GUI thread."""
        self._runner.run(
            lambda: self._mutes.mute(key, reason),
            lambda _: self._work.ask(),
            lambda error: self.told.emit(str(error), "alarm"),
        )

    def unmute(self, key: str) -> None:
        """Unmute the finding with this key."""
        self._runner.run(
            lambda: self._mutes.unmute(key),
            lambda _: self._work.ask(),
            lambda error: self.told.emit(str(error), "alarm"),
        )

    def _judgement(self) -> Callable[[], Report] | None:
        snapshot, kept, mutes = self._newest, self._kept, self._mutes
        if kept is not None:
            return lambda: muted_again(kept, mutes.all())
        if snapshot is None:
            return None
        trend, events, coverage = self._trend, self._feed.events, self._coverage
        replay, cycles = self._attachment.replay, self._cycles

        def work() -> Report:
            if not trend.observations:
                for earlier in states_before(replay, snapshot.taken_at):
                    trend.observe(earlier)
            trend.observe(snapshot)
            return judge(
                Facts(
                    snapshot,
                    trend,
                    _recorded(events),
                    coverage.unseen,
                    coverage.lead,
                    coverage.failed,
                    coverage.closed_uses,
                    coverage.hidden,
                    cycles=cycles,
                ),
                mutes=mutes.all(),
            )

        return work

    def _covered(self, coverage: Coverage) -> None:
        self._end_covering()
        self._cover(coverage)

    def _followed(self, module: str, coverage: Coverage) -> None:
        """The target has answered: its library is followed, or stays among the rest."""
        lead = coverage.lead or Lead()
        stays = any(each.module == module for each in lead.libraries)
        text = f"Some classes of {module} are not followed" if stays else f"{module} is followed"
        self.told.emit(text, "waiting" if stays else "plain")
        self._cover(coverage)

    def _end_covering(self) -> None:
        """The target has answered, or cannot: the next question may be asked."""
        self._is_covering = False

    def _cover(self, coverage: Coverage) -> None:
        is_new, self._coverage = coverage != self._coverage, coverage
        self.coverage_changed.emit(coverage)
        if is_new:
            self._work.ask()

    def _fail(self, error: BaseException) -> None:
        self.told.emit(f"The findings could not be computed: {error}", "alarm")

    def show_moment(self, at: float | None) -> None:
        """Tell the findings as they were known at a moment; ``None``: the newest."""
        if at != self._moment:
            self._moment = at
            self.report_changed.emit(self.shown)

    @property
    def shown(self) -> Report:
        """The report that the panes show."""
        if self._moment is None:
            return self.report
        known = [each for each in self._past if each.at <= (self._moment or 0)]
        return known[-1] if known else nothing_judged()

    def _tell(self, report: Report) -> None:
        self.report = report
        if not math.isnan(report.at):
            self._left_out += len(self._past) == self._past.maxlen
            self._past.append(report)
        if self._moment is None:
            self.report_changed.emit(report)


def _closes_of_adapters(snapshot: Snapshot) -> frozenset[int]:
    """Handles with a pending close of which the agent knows more than the rows show."""
    rows = snapshot.fact(requested_rows)
    return frozenset(snapshot.handles.ids[of_adapters(snapshot, rows)].tolist())


def _recorded(events: Events) -> Events | None:
    return events if len(events) else None
