"""The status line: the target's state, the age of the numbers, losses, and the tool's cost."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStatusBar, QWidget

from inspector.model import wording
from inspector.model.losses import history_of, missing_count, missing_of, notes_of, refused_of
from inspector.model.snapshot import Lost, Snapshot, TargetState
from inspector.ui.kit.labels import ElidedLabel, quiet_label, set_flag, tip
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.kit.running_clock import RunningClock

RATE_SECS: Final = 3.0
"""The real rate is counted over so long."""
SPACING: Final = 16
MARGINS: Final = 28
NEAR_SHARE: Final = 0.85
"""A real rate of at least this share of the wish is shown as the wish."""


class StatusLine(QStatusBar):
    """Labels, left to right."""

    def __init__(self, parent: QWidget | None = None, *, clock: RunningClock | None = None) -> None:
        """Nothing attached. The age of the counts is counted to ``clock``."""
        super().__init__(parent)
        self._clock = clock or RunningClock(self)
        self._clock.ticked.connect(self._grow)
        self._snapshot: Snapshot | None = None
        self._taken_at: deque[float] = deque()
        self.setSizeGripEnabled(False)
        self.state = ElidedLabel()
        self.rate = quiet_label("")
        self.sampled = quiet_label("")
        self.lost = quiet_label("")
        self.history = quiet_label("")
        self.skipped = quiet_label("")
        self.cost = quiet_label("")
        self._facts = (
            self.rate,
            self.sampled,
            self.lost,
            self.history,
            self.skipped,
            self.cost,
        )
        page = QWidget()
        line = QHBoxLayout(page)
        line.setContentsMargins(8, 2, 8, 2)
        line.setSpacing(SPACING)
        line.addWidget(self.state, 1)
        for label in self._facts:
            line.addWidget(label)
        self.addWidget(page, 1)
        self.clear()

    def clear(self) -> None:
        """Nothing attached."""
        self._clock.stop()
        self._snapshot = None
        self._taken_at.clear()
        self.state.set_whole("Not attached")
        for label in self._facts:
            label.clear()
            label.setToolTip("")

    def show_snapshot(
        self, snapshot: Snapshot, *, rate_hz: float, skipped: int, paused: bool
    ) -> None:
        """The facts of the newest snapshot."""
        target = snapshot.target
        state = target.state.value.capitalize() + (f": {target.reason}" if target.reason else "")
        self.state.set_whole(("Paused · " if paused else "") + state)
        self._snapshot = snapshot
        self._clock.hear(snapshot)
        self._show_rate(snapshot, rate_hz)
        if target.from_outside:
            self._show_looked(snapshot)
        else:
            self._show_sampled(snapshot, snapshot.taken_at)
        self._show_lost(snapshot.lost)
        self.skipped.setText(f"{wording.plural(skipped, 'frame')} not drawn" if skipped else "")
        self.skipped.setToolTip("Snapshots that a newer one replaced before they were drawn")
        self._show_cost(snapshot)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Whole facts only: the least important are left out where there is no room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hide facts until the rest fits beside the state; the tooltip has the hidden facts."""
        shown = [label for label in self._facts if label.text()]
        room = self.width() - MARGINS - self._state_width()
        hidden = []
        for label in (self.skipped, self.history, self.rate, self.cost, self.sampled):
            if sum(each.sizeHint().width() + SPACING for each in shown) <= room:
                break
            if label in shown:
                shown.remove(label)
                hidden.append(label.text())
        for label in self._facts:
            label.setVisible(label in shown)
        self.setToolTip(tip("\n".join(hidden)))

    def _state_width(self) -> int:
        wanted = self.state.fontMetrics().horizontalAdvance(self.state.accessibleName()) + SPACING
        return min(wanted, self.width() // 2)

    def _show_rate(self, snapshot: Snapshot, wished_hz: float) -> None:
        """The wished rate, and beside it the real rate where that is lower."""
        moving = snapshot.target.state in (TargetState.LIVE, TargetState.HUNG)
        if snapshot.target.from_outside:
            self.rate.setText("from outside" if moving else "")
            self.rate.setToolTip("Read only: the target's memory is read again and again")
            return
        real_hz = self._real_hz(snapshot.taken_at)
        is_slower = real_hz < NEAR_SHARE * wished_hz
        text = f"{real_hz:.1f} of {wished_hz:g} Hz" if is_slower else f"{wished_hz:g} Hz"
        self.rate.setText(text if moving else "")
        self.rate.setToolTip(
            "Snapshots a second. While nothing changes, there is one a second; a huge table "
            "takes longer to read"
        )

    def _real_hz(self, taken_at: float) -> float:
        """Snapshots a second over the newest seconds; infinite before it is known."""
        times = self._taken_at
        if times and not times[-1] < taken_at:
            times.clear()
        times.append(taken_at)
        while taken_at - times[0] > RATE_SECS and len(times) > 2:
            times.popleft()
        span_secs = taken_at - times[0]
        return (len(times) - 1) / span_secs if span_secs > 0 else math.inf

    def _grow(self) -> None:
        """The age of the counts grows while no snapshot comes."""
        if self._snapshot is not None and not self._snapshot.target.from_outside and is_seen(self):
            self._show_sampled(self._snapshot, self._clock.now)
            self._fit()

    def _show_looked(self, snapshot: Snapshot) -> None:
        self.sampled.setText(f"last look {wording.clock(snapshot.taken_at)[:-4]}")
        self.sampled.setToolTip(
            "Everything was read at this time; looks follow each other as they take time and rest"
        )

    def _show_sampled(self, snapshot: Snapshot, now: float) -> None:
        if math.isnan(snapshot.sampled_at):
            self.sampled.setText("not sampled")
            self.sampled.setToolTip("Strong and weak counts were not read yet")
            return
        ago = max(now - snapshot.sampled_at, 0.0)
        notes = notes_of(snapshot.lost)
        self.sampled.setText(
            f"sampled {wording.duration(ago)} ago" + (", less often" if notes else "")
        )
        more = "".join(f"\n{each.count:,} {each.what}: {each.meaning}" for each in notes)
        self.sampled.setToolTip(f"Counts were read at {wording.clock(snapshot.sampled_at)}{more}")

    def _show_lost(self, lost: Lost) -> None:
        total = missing_count(lost)
        history = sum(each.count for each in history_of(lost))
        self.lost.setText(f"lost {total:,}")
        self.history.setText(f"{history:,} events overwritten" if history else "")
        self.history.setToolTip(
            "Older history that was not read in time. All counts are right without it"
        )
        set_flag(self.lost, "quiet", on=not total)
        set_flag(self.lost, "alarm", on=total > 0)
        lines = [f"{each.count:,} {each.what}" for each in missing_of(lost)]
        lines += [f"{each.count:,} {each.what}, refused" for each in refused_of(lost)]
        self.lost.setToolTip(tip("\n".join(lines)) if lines else "Nothing was lost")
        self.lost.setAccessibleName(f"Lost {total:,}. " + ", ".join(lines))

    def _show_cost(self, snapshot: Snapshot) -> None:
        cost = snapshot.cost
        if snapshot.target.from_outside:
            self.cost.setText("costs the target nothing")
            self.cost.setToolTip("Nothing of the inspector is loaded into the target or runs in it")
            return
        share = wording.UNKNOWN_TEXT if math.isnan(cost.share) else f"{cost.share * 100:.1f} %"
        self.cost.setText(f"costs the target {share} CPU, {wording.size(cost.segment_bytes)}")
        self.cost.setToolTip(
            f"Cost for the target: {share} of one core over the last interval, "
            f"{wording.size(cost.segment_bytes)} of shared memory, sampling took "
            f"{wording.duration(cost.sample_secs)}"
        )
