"""The numbers of the verdict strip: live, objects, born, died, net, lost. GUI thread only."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from inspector.model.churn import ChurnHistory
from inspector.model.losses import history_of, missing_count, missing_of
from inspector.model.objects import object_count
from inspector.model.rates import WINDOW_SECS
from inspector.model.snapshot import Lost, Snapshot, TargetState, Vitals
from inspector.model.wording import UNKNOWN_TEXT, number, plural, rate
from inspector.ui.kit.labels import quiet_label, set_flag, text_label
from inspector.ui.kit.spark import SPARK_WIDTH, SparkLine
from inspector.ui.kit.theme import Theme
from inspector.ui.shell.vital_cell import Sign, VitalCell
from inspector.vocabulary import EventKind

SPARK_SECS: Final = 60.0
"""The newest minute; a shorter history takes the whole width."""
SPARK_POINTS: Final = 2 * SPARK_WIDTH
NOTABLE_NET: Final = 1.0
"""Handles a second from which on the net growth is marked."""
READINGS: Final = 4096
CALM_SECS: Final = 0.09
"""Numbers change ten times a second at most, so that a person can read them."""
LOST_NAMES: Final = 8
"""Kinds of loss that the tooltip lists."""
LOST_LATER: Final = "The amount that was lost up to this moment is not known"
UNKNOWN_SIGN: Final = Sign(UNKNOWN_TEXT, tint="text_quiet")


class VitalSigns(QWidget):
    """Live handles, objects, births and deaths, net growth, losses."""

    filter_wanted = Signal(str)
    """Filter that shows the rows behind the number."""
    events_wanted = Signal(object)
    """``EventKind``: a rate was clicked; these events are behind it."""
    losses_wanted = Signal()
    """The losses were clicked."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """All unknown until the first counters."""
        super().__init__(parent)
        self.setObjectName("vital_signs")
        self._history = ChurnHistory(capacity=READINGS)
        self._from_outside = False
        self._target: tuple[int, int] | None = None
        self._shown_at = -math.inf
        self.past: ChurnHistory | None = None
        """All counters of the session that are known, for a moment that has passed."""
        self._build(theme)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Objects, ages and losses; its counters count as a reading too."""
        target = (snapshot.target.pid, snapshot.target.start_time)
        if target != self._target:
            self.clear()
            self._target = target
        self._from_outside = snapshot.target.from_outside
        self._show_objects(snapshot)
        if snapshot.is_past:
            self._lost.show_sign(Sign(UNKNOWN_TEXT, tint="text_quiet", tooltip=LOST_LATER))
        else:
            self._show_lost(snapshot.lost)
        state = snapshot.target.state
        if snapshot.is_past or state is TargetState.RECORDED:
            self._show_past(snapshot)
        elif state not in (TargetState.LIVE, TargetState.HUNG):
            self._show_last(snapshot.vitals.live, state)
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
        self._show_rates(vitals.live, self._history, self._history.last_at)

    def _show_rates(self, live: int, history: ChurnHistory, at: float) -> None:
        """Live count, and the rates at a moment of a history."""
        window = history.rates(WINDOW_SECS, until=at)
        over = (
            "two readings are needed"
            if math.isnan(window.window_secs)
            else f"over the last {window.window_secs:.1f} s"
        )
        about = "≈" if self._from_outside else ""
        if about:
            over += "; handles that came and went between two looks are not counted"
        self._live.show_sign(
            Sign(number(live), tooltip=("Handles that are valid now. Click to show them"))
        )
        self._births.show_sign(
            _rate_sign(f"{about}+", window.births, (f"Handles created, {over}. Click to list them"))
        )
        self._deaths.show_sign(
            _rate_sign(f"{about}−", window.deaths, f"Handles released, {over}. Click to list them")
        )
        self._show_net(window.births, window.deaths)
        begin = max(at - SPARK_SECS, history.first_at)
        self._spark.show_line(history.live_line(begin, at, points=SPARK_POINTS))

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        for part in (*self._cells, self._spark):
            part.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._history.clear()
        self._shown_at = -math.inf
        self._target = None
        for cell in self._cells:
            cell.show_sign(UNKNOWN_SIGN)
        self._spark.show_line(self._history.live_line(0, 1, points=1))
        self._net.clear()
        self._line.clear()

    def set_compact(self, *, compact: bool) -> None:
        """One line of text where there is little room."""
        self._is_compact = compact
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        for cell in self._cells:
            cell.setVisible(not compact)
        self._below.setVisible(not compact)
        self._line.setVisible(compact)

    # inside ---------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        self._is_compact = False
        self._live = VitalCell(theme, "Live")
        self._objects = VitalCell(theme, "Objects")
        self._births = VitalCell(theme, "Born")
        self._deaths = VitalCell(theme, "Died")
        self._lost = VitalCell(theme, "Lost")
        self._cells = (self._live, self._objects, self._births, self._deaths, self._lost)
        self._spark = SparkLine(theme)
        self._net = text_label("")
        self._net.setObjectName("Net growth")
        self._line = quiet_label("")
        self._line.setObjectName("Numbers")
        row = QHBoxLayout()
        row.setSpacing(4)
        for cell in self._cells:
            row.addWidget(cell)
        row.addStretch(1)
        self._below = QWidget()
        below = QHBoxLayout(self._below)
        below.setContentsMargins(12, 0, 0, 0)
        below.setSpacing(12)
        below.addWidget(self._spark)
        below.addWidget(self._net)
        below.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._below)
        layout.addWidget(self._line)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._live.clicked.connect(lambda: self.filter_wanted.emit("state:live"))
        self._objects.clicked.connect(lambda: self.filter_wanted.emit("state:live"))
        self._births.clicked.connect(lambda: self.events_wanted.emit(EventKind.CREATE))
        self._deaths.clicked.connect(lambda: self.events_wanted.emit(EventKind.RELEASE))
        self._lost.clicked.connect(self.losses_wanted)
        self.set_compact(compact=False)

    def _show_past(self, snapshot: Snapshot) -> None:
        """The numbers of a moment that has passed, as far as the counters reach back."""
        past, at = self.past, snapshot.taken_at
        if past is None or not len(past) or not snapshot.target.ran or at < past.first_at:
            self._show_last(snapshot.vitals.live, snapshot.target.state)
        else:
            self._show_rates(snapshot.vitals.live, past, at)

    def _show_last(self, live: int, state: TargetState) -> None:
        """The target changes no more: its counts are the last ones, and it has no rates."""
        is_file = state is TargetState.RECORDED
        when = "the file was written" if is_file else "the target ended"
        self._live.show_sign(Sign(number(live), tooltip=f"Live handles when {when}"))
        for cell in (self._births, self._deaths):
            cell.show_sign(
                Sign(UNKNOWN_TEXT, tint="text_quiet", tooltip="Nothing changes any more")
            )
        self._show_net(math.nan, math.nan)

    def _show_net(self, births: float, deaths: float) -> None:
        """Births without deaths, a second."""
        net = births - deaths
        text = f"net {_signed(net)}"
        self._net.setText(text)
        set_flag(self._net, "suspect", on=net >= NOTABLE_NET)
        set_flag(self._net, "quiet", on=not net >= NOTABLE_NET)
        signs = (self._live.sign.value, self._births.sign.value, self._deaths.sign.value)
        live, born, died = signs
        self._line.setText(
            f"live {live} · {text} · born {born} · died {died} · lost {self._lost.sign.value}"
        )

    def _show_objects(self, snapshot: Snapshot) -> None:
        if snapshot.missing:
            tip = f"{number(snapshot.missing)} handles of this moment have no row any more"
            self._objects.show_sign(Sign(UNKNOWN_TEXT, tint="text_quiet", tooltip=tip))
            return
        objects, handles = snapshot.fact(object_count), snapshot.live_count()
        self._objects.show_sign(
            Sign(
                number(objects),
                tooltip=(
                    f"{number(handles)} live handles name {number(objects)} different objects"
                ),
            )
        )

    def _show_lost(self, lost: Lost) -> None:
        total, refused = missing_count(lost), lost.refused()
        beside = f"{number(refused)} refused" if refused else ""
        history = "".join(
            f"\n{number(each.count)} {each.what}. {each.meaning}" for each in history_of(lost)
        )
        if not total:
            also = (
                f". {plural(refused, 'use')} refused: click to read which"
                if refused
                else ": all that happened is counted"
            )
            tooltip = f"Nothing was lost{also}{history}"
            self._lost.show_sign(Sign("0", beside, "text_quiet", tooltip=tooltip))
            return
        lines = [f"{number(each.count)} {each.what}" for each in missing_of(lost)[:LOST_NAMES]]
        tooltip = (
            "\n".join(["Lost, so numbers may be short. Click to read the meaning:", *lines])
            + history
        )
        self._lost.show_sign(Sign(number(total), beside, "alarm", "failed", tooltip))


def _signed(per_sec: float) -> str:
    """``+8.0/s``, ``−3.0/s``, ``0/s``."""
    if math.isnan(per_sec) or not per_sec:
        return rate(per_sec)
    return f"{'+' if per_sec > 0 else '−'}{rate(abs(per_sec))}"


def _rate_sign(direction: str, per_sec: float, tooltip: str) -> Sign:
    """A rate with its direction; unknown and zero have none, and are quiet."""
    if math.isnan(per_sec) or per_sec == 0:
        return Sign(rate(per_sec), tint="text_quiet", tooltip=tooltip)
    return Sign(direction + rate(per_sec), tooltip=tooltip)
