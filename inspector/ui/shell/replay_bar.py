"""The bar of a moment that has passed: its place in time, and the way to another moment.

GUI thread only.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QWidget,
)

from inspector.model.snapshot import Floats
from inspector.model.wording import age, clock
from inspector.ui.kit.assets import icon
from inspector.ui.kit.labels import quiet_label, text_label
from inspector.ui.kit.theme import Theme

STEPS: Final = 1000
PLAY_MILLIS: Final = 100


class MomentSlider(QSlider):
    """A slider over time, with the marks that were set."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """From 0 to ``STEPS``."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._marks: tuple[float, ...] = ()
        self.setRange(0, STEPS)
        self.setPageStep(STEPS // 10)

    def set_marks(self, shares: tuple[float, ...]) -> None:
        """The places of marks, as shares of the whole time."""
        self._marks = shares
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The slider, and a tick a mark."""
        super().paintEvent(event)
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        handle = self.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength, option, self)
        painter = QPainter(self)
        painter.setPen(self._theme.color("accent"))
        for share in self._marks:
            x = handle / 2 + share * (self.width() - handle)
            painter.drawLine(QPointF(x, 1), QPointF(x, 6))
        painter.end()


class ReplayBar(QWidget):
    """Hidden unless a recording or an earlier moment of a target is shown."""

    moment_wanted = Signal(float)
    """Go to this moment, seconds since the Unix epoch."""
    now_wanted = Signal()
    """Go back to what is now."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No recording."""
        super().__init__(parent)
        self.setObjectName("pane_head")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._moments: list[float] = []
        self._at = 0.0
        self._is_live = False
        self._timer = QTimer(self, interval=PLAY_MILLIS)
        self._timer.timeout.connect(self._advance)
        self._build(theme)
        self.hide()

    def show_recording(self, moments: Floats, marks: tuple[tuple[float, str], ...]) -> None:
        """A recording was opened; it stands at its end."""
        self._is_live = False
        self._now.hide()
        self._begin(moments, marks)
        self.show_moment(self._moments[-1])

    def show_past(self, moments: Floats, marks: tuple[tuple[float, str], ...], at: float) -> None:
        """An earlier moment of a target is shown; the moments to choose from are its readings."""
        if self.isHidden():
            self._is_live = True
            self._now.show()
            self._begin(moments, marks)
        self.show_moment(at)

    def note_missing(self, missing: int) -> None:
        """Handles that lived at the moment and have no row any more."""
        noun = "handle has" if missing == 1 else "handles have"
        self._missing.setText(f"{missing:,} {noun} no row any more" if missing else "")

    def _begin(self, moments: Floats, marks: tuple[tuple[float, str], ...]) -> None:
        self._moments = [float(at) for at in moments]
        self._missing.setText("")
        span = max(self._moments[-1] - self._moments[0], 1e-9)
        self.slider.set_marks(tuple((at - self._moments[0]) / span for at, _ in marks))
        self.show()

    def show_moment(self, at: float) -> None:
        """The recording stands there now."""
        if not self._moments:
            return
        self._at = at
        place = bisect_right(self._moments, at)
        began = self._moments[0]
        passed = (
            f"{age(max(self._moments[-1] - at, 0))} before you looked back"
            if self._is_live
            else f"{age(at - began)} of {age(self._moments[-1] - began)}  ·  "
            f"moment {place} of {len(self._moments)}"
        )
        self._label.setText(f"{clock(at)[:-2]}  ·  {passed}")
        # or the slider would tremble while it plays
        self._label.setMinimumWidth(self._label.sizeHint().width())
        if not self.slider.isSliderDown():
            self.slider.blockSignals(True)
            self.slider.setValue(round((at - began) / max(self._moments[-1] - began, 1e-9) * STEPS))
            self.slider.blockSignals(False)

    def clear(self) -> None:
        """No recording is shown any more."""
        self._stop()
        self._moments = []
        self._label.setMinimumWidth(0)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.slider.set_theme(theme)
        self._show_play()

    def _build(self, theme: Theme) -> None:
        self._play, self._back, self._on = QToolButton(), QToolButton(), QToolButton()
        self._play.clicked.connect(self.toggle)
        self._back.setText("Earlier")
        self._back.clicked.connect(lambda: self._step(-1))
        self._on.setText("Later")
        self._on.clicked.connect(lambda: self._step(1))
        for button, name in (
            (self._play, "Play"),
            (self._back, "Moment before"),
            (self._on, "Moment after"),
        ):
            button.setAccessibleName(name)
            button.setToolTip(name)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider = MomentSlider(theme)
        self.slider.setAccessibleName("Moment that is shown")
        self.slider.valueChanged.connect(self._slid)
        self._now = QPushButton("Back to live")
        self._now.setToolTip("Show what is now (End in the timeline)")
        self._now.setProperty("small", True)
        self._now.clicked.connect(self.now_wanted)
        self._now.hide()
        self._missing = quiet_label("")
        self._missing.setObjectName("Handles without a row")
        self._label = text_label()
        self._label.setObjectName("Moment")
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 4, 12, 4)
        line.setSpacing(8)
        for widget in (self._play, self._back, self._on):
            line.addWidget(widget)
        line.addWidget(self.slider, 1)
        line.addWidget(self._label)
        line.addWidget(self._missing)
        line.addWidget(self._now)
        self._show_play()

    def _slid(self, value: int) -> None:
        if self._moments and self._is_live and value == STEPS:
            self.now_wanted.emit()
        elif self._moments:
            self._stop()
            self.moment_wanted.emit(
                self._moments[0] + value / STEPS * (self._moments[-1] - self._moments[0])
            )

    def _step(self, by: int) -> None:
        place = min(max(bisect_right(self._moments, self._at) - 1 + by, 0), len(self._moments) - 1)
        self._go(self._moments[place])

    def _go(self, at: float) -> None:
        self._at = at
        self.moment_wanted.emit(at)

    def toggle(self) -> None:
        """Play, or stand still."""
        if self._timer.isActive():
            self._stop()
            return
        if self._at >= self._moments[-1]:
            self._go(self._moments[0])
        self._timer.start()
        self._show_play()

    def _advance(self) -> None:
        """As fast as it was recorded."""
        self._go(min(self._at + PLAY_MILLIS / 1000, self._moments[-1]))
        self.show_moment(self._at)
        if self._at >= self._moments[-1]:
            self._stop()
            if self._is_live:
                self.now_wanted.emit()

    def _stop(self) -> None:
        self._timer.stop()
        self._show_play()

    def _show_play(self) -> None:
        is_playing = self._timer.isActive()
        self._play.setIcon(icon("pause" if is_playing else "resume", self._theme))
        self._play.setToolTip("Stand still" if is_playing else "Play at the speed of the recording")
