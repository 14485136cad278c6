"""The strip of numbers that is read first. GUI thread only.

Is something growing, is something stuck, was something lost?
"""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from inspector.model.churn import ChurnHistory
from inspector.model.findings.judge import Report
from inspector.model.losses import losses_of
from inspector.model.objects import object_count
from inspector.model.pending import PendingCloses, empty_pending_closes, pending_closes
from inspector.model.rates import WINDOW_SECS
from inspector.model.snapshot import Lost, Snapshot, TargetState, Vitals
from inspector.model.wording import UNKNOWN_TEXT, age, number, plural, rate
from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.kit.theme import Theme
from inspector.ui.shell.vital_cell import SPARK_WIDTH, Sign, VitalCell
from inspector.vocabulary import EventKind

SPARK_SECS: Final = 60.0
"""The newest minute; what there is of it takes the whole width."""
SPARK_POINTS: Final = 2 * SPARK_WIDTH
READINGS: Final = 4096
CALM_SECS: Final = 0.09
"""Numbers change ten times a second at most, however often counters arrive: nobody reads more."""
COMPACT_WIDTH: Final = 980
LOST_NAMES: Final = 8
"""Kinds of loss that the tooltip lists."""
UNKNOWN_SIGN: Final = Sign(UNKNOWN_TEXT, tint="text_quiet")


class VitalSigns(QWidget):
    """Live handles, objects, births and deaths, pending closes, losses."""

    filter_wanted = Signal(str)
    """Filter that shows what was clicked."""
    pane_wanted = Signal(str)
    """Key of the pane that shows what was clicked: ``pending`` or ``findings``."""
    events_wanted = Signal(object)
    """``EventKind``: a rate was clicked, this is what stands behind it."""
    losses_wanted = Signal()
    """The losses were clicked: what was lost and what it means."""
    handle_chosen = Signal(object)
    """``int``: the oldest pending close was clicked."""

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, clock: RunningClock | None = None
    ) -> None:
        """All unknown until the first counters.

        Ages are counted to ``clock``, the target's time.
        """
        super().__init__(parent)
        self.setObjectName("vital_signs")
        self._history = ChurnHistory(capacity=READINGS)
        self._pending: PendingCloses = empty_pending_closes()
        self._from_outside = False
        self._target: tuple[int, int] | None = None
        self._shown_at = -math.inf
        self._clock = clock or RunningClock(self)
        self._clock.ticked.connect(self._show_pending)
        self._build(theme)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Objects, ages and losses; its counters count as a reading too."""
        target = (snapshot.target.pid, snapshot.target.start_time)
        if target != self._target:
            self.clear()
            self._target = target
        self._clock.hear(snapshot)
        self._pending = pending_closes(snapshot)
        self._from_outside = snapshot.target.from_outside
        self._show_objects(snapshot)
        self._show_lost(snapshot.lost)
        self._show_pending()
        if snapshot.target.state is TargetState.RECORDED:
            self._live.show_sign(
                Sign(number(snapshot.vitals.live), tooltip="Live handles when the file was written")
            )
        else:
            self._shown_at = -math.inf
            self.show_vitals(snapshot.vitals)

    def keep_vitals(self, vitals: Vitals) -> bool:
        """Take newer counters, and show nothing; ``False``: they were not newer."""
        return self._history.add(vitals)

    def show_vitals(self, vitals: Vitals) -> None:
        """Live count and rates."""
        if not self.keep_vitals(vitals) and len(self._history) != 1:
            return
        if 0 <= vitals.at - self._shown_at < CALM_SECS:
            return
        self._shown_at = vitals.at
        window = self._history.rates(WINDOW_SECS)
        over = (
            "two readings are needed"
            if math.isnan(window.window_secs)
            else f"over the last {window.window_secs:.1f} s"
        )
        about = "≈" if self._from_outside else ""
        if about:
            over += "; handles that came and went between two looks are not counted"
        self._live.show_sign(
            Sign(number(vitals.live), tooltip=("Handles that are valid now. Click to show them"))
        )
        self._births.show_sign(
            _rate_sign(f"{about}+", window.births, (f"Handles created, {over}. Click to list them"))
        )
        self._deaths.show_sign(
            _rate_sign(f"{about}−", window.deaths, f"Handles released, {over}. Click to list them")
        )
        last = self._history.last_at
        self._live.show_spark(
            self._history.live_line(
                max(last - SPARK_SECS, self._history.first_at), last, points=SPARK_POINTS
            )
        )

    def show_report(self, report: Report) -> None:
        """How much deserves a look."""
        suspects = report.suspects()
        if math.isnan(report.at):
            self._findings.show_sign(UNKNOWN_SIGN)
        elif not suspects:
            muted = sum(bool(each.muted) for each in report.findings)
            also = f"; {plural(muted, 'finding')} muted" if muted else ""
            value = "0" if report.is_decided else UNKNOWN_TEXT
            tooltip = f"{report.conclusion()}{also}. Click to read the rules"
            self._findings.show_sign(Sign(value, tint="text_quiet", tooltip=tooltip))
        else:
            lines = [f"• {each.headline}" for each in suspects[:LOST_NAMES]]
            tooltip = "\n".join(["Deserves a look. Click to read why:", *lines])
            self._findings.show_sign(
                Sign(number(len(suspects)), "suspect", "suspect", "suspect", tooltip)
            )

    def set_paused(self, paused: bool) -> None:
        """Let ages stand still, or grow again."""
        self._clock.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        for cell in self._cells:
            cell.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._history.clear()
        self._shown_at = -math.inf
        self._clock.stop()
        self._target = None
        self._pending = empty_pending_closes()
        for cell in self._cells:
            cell.show_sign(UNKNOWN_SIGN)
        self._live.show_spark(self._history.live_line(0, 1, points=1))

    # Qt -------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Numbers before lines where there is little room."""
        super().resizeEvent(event)
        for cell in self._cells:
            cell.set_compact(self.width() < COMPACT_WIDTH)

    # inside ---------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        self._live = VitalCell(theme, "Live handles", spark=True)
        self._objects = VitalCell(theme, "Objects")
        self._births = VitalCell(theme, "Births")
        self._deaths = VitalCell(theme, "Deaths")
        self._waiting = VitalCell(theme, "Pending closes")
        self._lost = VitalCell(theme, "Lost")
        self._findings = VitalCell(theme, "Findings")
        self._cells = (
            self._live,
            self._objects,
            self._births,
            self._deaths,
            self._waiting,
            self._findings,
            self._lost,
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(8)
        for cell in self._cells:
            layout.addWidget(cell)
        layout.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._live.clicked.connect(lambda: self.filter_wanted.emit("state:live"))
        self._objects.clicked.connect(lambda: self.filter_wanted.emit("state:live"))
        self._births.clicked.connect(lambda: self.events_wanted.emit(EventKind.CREATE))
        self._deaths.clicked.connect(lambda: self.events_wanted.emit(EventKind.RELEASE))
        self._findings.clicked.connect(lambda: self.pane_wanted.emit("findings"))
        self._waiting.clicked.connect(self._open_pending)
        self._lost.clicked.connect(self.losses_wanted)

    def _open_pending(self) -> None:
        self.pane_wanted.emit("pending")
        if len(self._pending):
            self.handle_chosen.emit(int(self._pending.ids[0]))

    def _show_objects(self, snapshot: Snapshot) -> None:
        objects, handles = snapshot.fact(object_count), snapshot.live_count()
        self._objects.show_sign(
            Sign(
                number(objects),
                tooltip=(
                    f"{number(handles)} live handles name {number(objects)} different objects"
                ),
            )
        )

    def _show_pending(self) -> None:
        count = len(self._pending)
        if self._from_outside:
            self._waiting.show_sign(
                Sign(UNKNOWN_TEXT, tint="text_quiet", tooltip="From outside, closes are not known")
            )
            return
        if not count:
            self._waiting.show_sign(
                Sign("0", tint="text_quiet", tooltip="Nothing is waiting to close")
            )
            return
        oldest = self._clock.now - self._pending.oldest_since()
        stuck = int(self._pending.stuck.sum())
        beside = "" if math.isnan(oldest) else f"oldest {age(oldest)}"
        tooltip = "Closes that were asked for and have not run. Click to show why"
        if stuck:
            beside = f"{number(stuck)} stuck, {beside}" if beside else f"{number(stuck)} stuck"
            tooltip = (
                f"{number(stuck)} of these closes wait for an owner thread that has ended: "
                "a drain runs them. Click to show them"
            )
        token, icon = ("suspect", "failed") if stuck else ("waiting", "waiting")
        self._waiting.show_sign(Sign(number(count), beside, token, icon, tooltip))

    def _show_lost(self, lost: Lost) -> None:
        total, refused = lost.total(), lost.refused()
        beside = f"{number(refused)} refused" if refused else ""
        if not total:
            also = (
                f". {plural(refused, 'use')} refused: click to read which"
                if refused
                else ": all that happened is counted"
            )
            self._lost.show_sign(Sign("0", beside, "text_quiet", tooltip=f"Nothing was lost{also}"))
            return
        lines = [f"{number(each.count)} {each.what}" for each in losses_of(lost)[:LOST_NAMES]]
        tooltip = "\n".join(["Lost, so numbers may be short. Click to read the meaning:", *lines])
        self._lost.show_sign(Sign(number(total), beside, "alarm", "failed", tooltip))


def _rate_sign(direction: str, per_sec: float, tooltip: str) -> Sign:
    """A rate with its direction; unknown and zero have none, and are quiet."""
    if math.isnan(per_sec) or per_sec == 0:
        return Sign(rate(per_sec), tint="text_quiet", tooltip=tooltip)
    return Sign(direction + rate(per_sec), tooltip=tooltip)
