"""The two plots of the timeline on one time axis. GUI thread only.

Live handles are above, births up and deaths down below.

Repaints are limited to 60 a second, and to half the time when one takes long. Lines are a pixel
wide: wider lines cost ten times as much.
"""

from __future__ import annotations

import math
import time
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from inspector.model.churn import ChurnHistory
from inspector.model.snapshot import Floats
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.timeline.birth_shade import BirthShade
from inspector.ui.panes.timeline.canvas import BIRTHS, TimelineCanvas
from inspector.ui.panes.timeline.change_mode import ChangeMode
from inspector.ui.panes.timeline.curves import PlotCurves
from inspector.ui.panes.timeline.gestures import ZOOM_STEP, Keyed, PlotGestures, keyed
from inspector.ui.panes.timeline.lines import ChurnFrame, ceiling, compute_frame
from inspector.ui.panes.timeline.marks import MarkLines
from inspector.ui.panes.timeline.moment_line import MomentLine
from inspector.ui.panes.timeline.range_bands import RangeBands
from inspector.ui.panes.timeline.time_window import TimeWindow

FRAME_SECS: Final = 0.015
"""From one repaint to the next at least: just less than a frame of 60 Hz, so that a reading that
comes a little early is not left out."""
SLOWEST_FRAME_SECS: Final = 0.1
GRAB_PIXELS: Final = 6
"""So near the line of the moment a drag moves it, and marks no range."""


class TimelinePlot(QWidget):
    """Draws a ``ChurnHistory``; follows the newest reading until a person looks elsewhere."""

    pointed = Signal(object)
    """``float``: the moment under the pointer, seconds since the Unix epoch; ``nan`` when it
    left."""
    following_changed = Signal(bool)
    """Whether the plot moves along with time."""
    range_selected = Signal(float, float)
    """A person dragged over the time between two moments, seconds since the Unix epoch."""
    range_dropped = Signal()
    """A person clicked while a range was marked: it is not wanted any more."""
    moment_wanted = Signal(float)
    """All panes are to show this moment, seconds since the Unix epoch."""
    now_wanted = Signal()
    """All panes are to show what is now."""
    zoomed = Signal()
    """A person chose another width of the time axis by wheel or key."""
    painted = Signal(object)
    """``ChurnFrame`` that was just drawn."""

    def __init__(self, theme: Theme, history: ChurnHistory, parent: QWidget | None = None) -> None:
        """An empty time axis until the history has readings."""
        super().__init__(parent)
        self._history = history
        self._theme = theme
        self._types: tuple[int, ...] = ()
        self._pens: dict[int, QPen] = {}
        self._hidden: frozenset[int] = frozenset()
        self._window = TimeWindow(history)
        self._tops = [0.0, 0.0]
        self.change = ChangeMode(history)
        """Whether the lines are counts, or the change since a moment."""
        self._pressed_at = (0.0, 0.0)
        self._drags_moment = False
        self._selecting: tuple[float, float] | None = None
        self._range: tuple[float, float] | None = None
        self._drawn_at = 0.0
        self.frame_secs = 0.0
        """The time that the newest repaint took to compute and hand over."""
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._draw)
        self.set_theme(theme)

    @property
    def curves(self) -> dict[int, tuple[Any, Any, Any]]:
        """Live handles, births and deaths by type, ``TOTAL`` or ``REST``, as they are drawn."""
        return self._drawn.curves

    @property
    def following(self) -> bool:
        """The plot moves along with time."""
        return self._window.following

    @property
    def span_secs(self) -> float:
        """Width of the time axis."""
        return self._window.span_secs

    @property
    def newest_at(self) -> float:
        """The newest reading that is drawn; while paused the newest reading of that moment."""
        return self._window.newest_at

    @property
    def visible_range(self) -> tuple[float, float]:
        """First and last moment shown, seconds since the Unix epoch."""
        return self._window.visible_range

    def set_since(self, since: float | None) -> None:
        """Show the change since a moment, seconds since the Unix epoch; ``None``: counts."""
        if self.change.set_since(since):
            self.request_draw()

    def moment_at(self, position: QPointF) -> float:
        """The moment under a point of the canvas, seconds since the Unix epoch."""
        return self.visible_range[0] + self.canvas.share_of(position) * self.span_secs

    @property
    def is_draw_due(self) -> bool:
        """A draw was requested and has not been done."""
        return self._timer.isActive()

    def request_draw(self) -> None:
        """Draw soon; many requests make one frame."""
        self._draw_within(0.0)

    def advance(self) -> None:
        """Draw new readings once a whole pixel of time has passed.

        Before that the picture would be the same.
        """
        pixel_secs = self.span_secs / max(self.canvas.pixels, 1.0)
        self._draw_within(min(pixel_secs, SLOWEST_FRAME_SECS))

    def set_types(self, types: tuple[int, ...], pens: dict[int, QPen]) -> None:
        """Set the types that have lines of their own, and how each line is drawn.

        ``TOTAL`` and ``REST`` are drawn too.
        """
        if types == self._types and pens == self._pens:
            return
        others = types != self._types or pens.keys() != self._pens.keys()
        self._types, self._pens = types, pens
        if others:
            self._drawn.rebuild(types, pens)
            self.change.forget_rest()
        self._drawn.set_pens(pens)
        self.request_draw()

    def set_hidden(self, keys: frozenset[int]) -> None:
        """Lines that a person switched off."""
        self._hidden = keys
        self.request_draw()

    def set_span(self, span_secs: float | None) -> None:
        """Show that many seconds; the right edge stays.

        ``None``: everything while it is short, then the newest minute.
        """
        self._window.set_span(span_secs)
        self.request_draw()

    def show_range(self, moments: tuple[float, float] | None) -> None:
        """Mark the part between two moments, seconds since the Unix epoch; either may be infinite.

        ``None``: nothing is marked.
        """
        self._range = moments
        self._show_range(moments)

    def show_survivors(self, born: Floats, until: str) -> None:
        """Shade the births of handles that lived on ``until`` a mark; no times: shade nothing."""
        self.shade.set_births(born)
        self.canvas.births_caption.set_text(
            f"{BIRTHS}, shaded: alive at {until}" if self.shade.curve.isVisible() else BIRTHS
        )
        self.request_draw()

    def show_moment(self, at: float | None) -> None:
        """The panes show that moment, seconds since the Unix epoch; ``None``: what is now."""
        self.moment.show_moment(at, self._history.first_at)

    def set_following(self, following: bool) -> None:
        """Move along with time, or stay."""
        if self._window.set_following(following):
            self.following_changed.emit(following)
        self.request_draw()

    def set_paused(self, paused: bool) -> None:
        """Stand still without losing the place; readings still arrive."""
        self._window.set_paused(paused)
        self.request_draw()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.canvas.set_theme(theme)
        self.marks.set_theme(theme)
        self.ranges.set_theme(theme)
        self.moment.set_theme(theme)
        self.shade.set_theme(theme)
        self._drawn.set_theme(theme)
        self.request_draw()

    def reset(self) -> None:
        """Another target: follow it, forget the scales."""
        self._tops = [0.0, 0.0]
        self.change.set_since(None)
        self._types = ()
        self._pens = {}
        self._drawn.rebuild((), {})
        self.show_range(None)
        self.show_moment(None)
        self.show_survivors(np.empty(0), "")
        self.set_following(True)

    def frame_of(self, pixels: int) -> ChurnFrame:
        """All lines of the visible time, for a picture ``pixels`` wide; draws nothing."""
        begin, end = self.visible_range
        return compute_frame(
            self._history, begin, end, pixels=pixels, types=self._types, until=self.newest_at
        )

    def draw_now(self) -> None:
        """Draw at once, for a picture."""
        self._timer.stop()
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        """Readings that came while it was hidden."""
        super().showEvent(event)
        self.request_draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines are computed for the pixels there are."""
        super().resizeEvent(event)
        self.canvas.suit(self.height())
        self._drawn.set_band(self.canvas.is_band)
        self.request_draw()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line around the plots while they have the keyboard."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(self._theme.color("accent" if self.hasFocus() else "surface"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Looking elsewhere by keys, see ``gestures.keyed``."""
        act, amount = keyed(event)
        if act is Keyed.STEP:
            self.moment_wanted.emit(self.moment.beside(self.newest_at, self.span_secs, amount))
        elif act is Keyed.PAN:
            self._pan_to(self.visible_range[0] + self.span_secs * amount)
        elif act is Keyed.ZOOM:
            self._zoom(amount, None)
        elif act is Keyed.BEGINNING:
            self._pan_to(self._history.first_at)
        elif act is Keyed.NOW:
            self._go_to_now()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Timeline of live handles, births and deaths")
        self.canvas = TimelineCanvas(lambda: self._history.first_at, self)
        self._drawn = PlotCurves(self._theme, self.canvas)
        _, self._rates = self.canvas.plots
        self.marks = MarkLines(self._theme, self.canvas.plots)
        self.shade = BirthShade(self._theme, self._rates)
        self.ranges = RangeBands(self._theme, self.canvas.plots)
        self.moment = MomentLine(self._theme, self.canvas.plots)
        self._connect(PlotGestures(self.canvas.viewport()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self.canvas)

    def _connect(self, gestures: PlotGestures) -> None:
        gestures.pointed.connect(self._point_at)
        gestures.pressed.connect(self._press)
        gestures.panned.connect(self._pan)
        gestures.dragged.connect(self._select)
        gestures.dropped.connect(self._selected)
        gestures.clicked.connect(self._click)
        gestures.double_clicked.connect(self._go_to_now)
        gestures.wheeled.connect(
            lambda notches, place: self._zoom(ZOOM_STEP**-notches, self.moment_at(place))
        )

    def _draw_within(self, secs: float) -> None:
        """Draw that long after the frame before, but not sooner than the limit.

        A draw that is due earlier stays.
        """
        due_secs = self._drawn_at + max(FRAME_SECS, 2 * self.frame_secs, secs) - time.perf_counter()
        due_millis = max(0, math.ceil(due_secs * 1e3))
        if not self._timer.isActive() or self._timer.remainingTime() > due_millis:
            self._timer.start(due_millis)

    def _draw(self) -> None:
        if not len(self._history):
            return
        started = self._drawn_at = time.perf_counter()
        begin, end = self.visible_range
        frame = self.frame_of(pixels := max(int(self.canvas.pixels), 100))
        base = self._history.first_at
        for series in frame.series:
            shown = self.change.of(series, self._types)
            self._drawn.set_lines(series.key, (shown, series.births, series.deaths), base)
            self._drawn.show(
                series,
                frame.highest_rate,
                is_on=series.key not in self._hidden,
                is_change=self.change.is_on,
            )
        self.shade.draw(frame.series[-1].births, base)
        self._scale(frame, base)
        self.canvas.place_captions()
        self.marks.show_marks(
            self._history.marks.between(begin, min(end, self.newest_at)),
            base,
            pixels / self.span_secs,
        )
        self.frame_secs = time.perf_counter() - started
        self.painted.emit(frame)

    def _scale(self, frame: ChurnFrame, base: float) -> None:
        self._tops = [
            ceiling(frame.highest_live, self._tops[0]),
            ceiling(frame.highest_rate, self._tops[1]),
        ]
        live = self.change.scale(frame, self._hidden, self._types) or (0.0, self._tops[0])
        self.canvas.show_part((frame.begin - base, frame.end - base), live, self._tops[1])

    @property
    def _secs_a_pixel(self) -> float:
        return self.span_secs / max(self.canvas.pixels, 1.0)

    def _press(self, place: QPointF) -> None:
        self._pressed_at = (self.moment_at(place), self.visible_range[0])
        self._drags_moment = self.moment.is_near(
            self._pressed_at[0], GRAB_PIXELS * self._secs_a_pixel
        )
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def _pan(self, moved: float) -> None:
        self._pan_to(self._pressed_at[1] - moved * self._secs_a_pixel)

    def _select(self, place: QPointF) -> None:
        """From the place of the press to here, but within the visible part."""
        if self._drags_moment:
            self.moment_wanted.emit(self.moment_at(place))
        elif not self._window.is_empty():
            begin, end = self.visible_range
            here = min(max(self.moment_at(place), begin), end)
            self._selecting = min(here, self._pressed_at[0]), max(here, self._pressed_at[0])
            self._show_range(self._selecting)

    def _selected(self) -> None:
        selecting, self._selecting = self._selecting, None
        if selecting is not None:
            self.range_selected.emit(*selecting)

    def _click(self) -> None:
        """The first click takes a marked range away; else it chooses the moment."""
        if self._range is not None:
            self.range_dropped.emit()
        elif not self._window.is_empty():
            self.moment_wanted.emit(self._pressed_at[0])

    def _go_to_now(self) -> None:
        self.set_following(True)
        self.now_wanted.emit()

    def _show_range(self, moments: tuple[float, float] | None) -> None:
        self.ranges.show_range(None if self._window.is_empty() else moments, self._history.first_at)
        self.request_draw()

    def _pan_to(self, begin: float) -> None:
        if not self._window.is_empty():
            self.set_following(False)
            self._window.pan_to(begin)

    def _zoom(self, factor: float, around: float | None) -> None:
        self._window.zoom(factor, around)
        self.zoomed.emit()
        self.request_draw()

    def _point_at(self, position: QPointF | None) -> None:
        at = float("nan") if position is None else self.moment_at(position)
        inside = not math.isnan(at) and at >= self.visible_range[0] and len(self._history) > 0
        self.canvas.point_at(at - self._history.first_at if inside else float("nan"))
        self.pointed.emit(at if inside else float("nan"))
