"""The canvas of the timeline: two plots above each other with axes, captions and pointer.

GUI thread only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QGraphicsRectItem, QGraphicsSimpleTextItem, QWidget

from inspector.ui.kit.theme import Theme, ui_font
from inspector.ui.panes.timeline.count_axis import CountAxis
from inspector.ui.panes.timeline.time_axis import TimeAxis

AXIS_WIDTH: Final = 56
CAPTION_INSET: Final = 6
MIN_CAPTION_PIXELS: Final = 36
BIRTHS: Final = "births/s"
BAND_HEIGHT: Final = 16
TIME_HEIGHT: Final = 20
BAND_BELOW: Final = 200
NO_BAND_BELOW: Final = 70
"""Heights of the canvas, in pixels."""
UNLIMITED: Final = 16_777_215
"""Qt's largest height."""
PLOT_SPACING: Final = 10
"""So that the 0 of the upper scale and the top of the lower one are two labels."""


class TimelineCanvas(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """``live`` above, ``rates`` below; values on the axis of time are seconds since ``base``."""

    def __init__(self, base: Callable[[], float], parent: QWidget | None = None) -> None:
        """Empty; ``base`` is the zero of the axis of time, seconds since the Unix epoch."""
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.ci.layout.setContentsMargins(0, 4, 8, 0)
        self.ci.layout.setSpacing(PLOT_SPACING)
        self.is_band = False
        """Births and deaths are a band of a few pixels."""
        self._axis = TimeAxis(base)
        self.live = self.addPlot(row=0, col=0, axisItems={"left": CountAxis()})
        self.rates = self.addPlot(
            row=1, col=0, axisItems={"left": CountAxis(), "bottom": self._axis}
        )
        self.plots = (self.live, self.rates)
        self.ci.layout.setRowStretchFactor(0, 3)
        self.ci.layout.setRowStretchFactor(1, 2)
        for plot in self.plots:
            _shape(plot)
        self.live.hideAxis("bottom")
        for axis in (self.live.getAxis("bottom"), *_unused_axes(self.plots)):
            axis.unlinkFromView()  # a hidden axis would lay out its label for each frame
        self._zero = pg.InfiniteLine(0, angle=0)
        self.rates.addItem(self._zero, ignoreBounds=True)
        self._pointers = [pg.InfiniteLine(0, angle=90) for _ in self.plots]
        self._captions = [
            Caption(plot, text)
            for plot, text in ((self.live, "live"), (self.rates, BIRTHS), (self.rates, "deaths/s"))
        ]
        self.births_caption = self._captions[1]
        for plot, pointer in zip(self.plots, self._pointers, strict=True):
            pointer.hide()
            plot.addItem(pointer, ignoreBounds=True)

    @property
    def pixels(self) -> float:
        """Width of the plots."""
        return float(self.live.getViewBox().width())

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.setBackground(theme.color("surface"))
        for axis in (*(plot.getAxis("left") for plot in self.plots), self._axis):
            axis.setTextPen(theme.color("text_quiet"))
            axis.setPen(theme.color("line"))
        for line in (*self._pointers, self._zero):
            line.setPen(pg.mkPen(theme.color("text_quiet" if line in self._pointers else "line")))
        for caption in self._captions:
            caption.set_theme(theme)

    def suit(self, height: int) -> None:
        """Births and deaths as a plot; in a low canvas as a band without a scale, or not at all."""
        layout, is_band = self.ci.layout, height < BAND_BELOW
        self.is_band = is_band
        band = TIME_HEIGHT + (BAND_HEIGHT if height >= NO_BAND_BELOW else 1)
        layout.setRowMaximumHeight(1, band if is_band else UNLIMITED)
        layout.setRowMinimumHeight(1, band if is_band else 0)
        layout.setSpacing(2 if is_band else PLOT_SPACING)
        self.rates.getAxis("left").setStyle(showValues=not is_band)

    def show_part(
        self, times: tuple[float, float], live: tuple[float, float], rates: float
    ) -> None:
        """Show the part between two times, and between two values of ``live``.

        ``rates`` is the highest value of births, and of deaths.
        """
        tops = (live[1], rates)
        self.live.setRange(xRange=times, yRange=live, padding=0)
        self.rates.setRange(xRange=times, yRange=(-tops[1], tops[1]), padding=0)
        for plot in self.plots:
            # else it is found out of date while painting, and all is painted twice
            plot.getViewBox().updateMatrix()

    def place_captions(self) -> None:
        """In the corners, where the plots are high enough for them."""
        height = self.rates.getViewBox().height()
        for caption in self._captions:
            caption.ground.setVisible(height >= MIN_CAPTION_PIXELS)
        deaths = self._captions[2].ground
        deaths.setPos(CAPTION_INSET, height - deaths.rect().height() - CAPTION_INSET / 3)

    def point_at(self, time: float) -> None:
        """A line across both plots; ``nan``: none."""
        for pointer in self._pointers:
            pointer.setVisible(not math.isnan(time))
            if not math.isnan(time):
                pointer.setValue(time)

    def share_of(self, position: QPointF) -> float:
        """The position between the left edge of the plots, 0, and the right edge, 1."""
        box = self.live.getViewBox()
        share: float = (position.x() - box.mapToScene(QPointF(0, 0)).x()) / max(box.width(), 1)
        return share


class Caption:
    """Words in a plot's corner, on a ground of their own so that lines do not cross them."""

    def __init__(self, plot: Any, text: str) -> None:
        """In the upper left corner."""
        self.ground = QGraphicsRectItem(plot.getViewBox())
        self._words = QGraphicsSimpleTextItem(text, self.ground)
        self._words.setFont(ui_font(8.5))
        self.ground.setPen(pg.mkPen(None))
        self.ground.setPos(CAPTION_INSET, CAPTION_INSET / 3)
        self.ground.setZValue(10)
        self.set_text(text)

    @property
    def text(self) -> str:
        """The words."""
        return self._words.text()

    def set_text(self, text: str) -> None:
        """Other words."""
        self._words.setText(text)
        self.ground.setRect(self._words.boundingRect().adjusted(-3, 0, 3, 0))

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._words.setBrush(theme.color("text_quiet"))
        self.ground.setBrush(theme.color("surface", 210))


def _unused_axes(plots: tuple[Any, ...]) -> list[Any]:
    return [plot.getAxis(side) for plot in plots for side in ("top", "right")]


def _shape(plot: Any) -> None:
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setMouseEnabled(x=False, y=False)
    plot.getViewBox().setDefaultPadding(0)
    plot.disableAutoRange()
    left = plot.getAxis("left")
    left.setWidth(AXIS_WIDTH)
    left.enableAutoSIPrefix(False)
    for axis in (left, plot.getAxis("bottom")):
        axis.setStyle(tickFont=ui_font(8.5), tickLength=-4, maxTickLevel=0)
    plot.getAxis("bottom").setHeight(TIME_HEIGHT)


class ViewCurve(pg.PlotCurveItem):  # type: ignore[misc]  # pyqtgraph has no types
    """A curve of a plot whose scale is set elsewhere.

    The ready-made one looks through all its points for its size, many times a frame. Here that size
    is not needed: points outside the view are cut off anyway.
    """

    def boundingRect(self) -> QRectF:
        """The view's, in the curve's coordinates."""
        box = self.getViewBox()
        return QRectF() if box is None else box.viewRect()
