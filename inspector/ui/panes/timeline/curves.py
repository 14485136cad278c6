"""The curves of the timeline's plots: one of live handles and two of rates for each line.

GUI thread only.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen

from inspector.model.churn_lines import Line
from inspector.model.snapshot import Floats
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.timeline.canvas import TimelineCanvas, ViewCurve
from inspector.ui.panes.timeline.lines import REST, TOTAL, SeriesLines, highest

DASHES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
"""Types whose names got the same colour differ by these."""
FLAT_SHARE: Final = 0.015


class PlotCurves:
    """Keeps the curves, and the lines that they show."""

    def __init__(self, theme: Theme, canvas: TimelineCanvas) -> None:
        """No curve."""
        self._theme = theme
        self._live, self._rates = canvas.plots
        self.curves: dict[int, tuple[Any, Any, Any]] = {}
        """Live handles, births and deaths by type, ``TOTAL`` or ``REST``."""
        self._lines: dict[Any, tuple[Line, float]] = {}
        self._pens: dict[int, QPen] = {}
        self._is_band = False

    def set_pens(self, pens: dict[int, QPen]) -> None:
        """How each line is drawn."""
        self._pens = pens
        self._draw_with_pens()

    def set_band(self, is_band: bool) -> None:
        """Show rates as areas without lines: in a band of a few pixels lines are one dark bar."""
        if is_band != self._is_band:
            self._is_band = is_band
            self._draw_with_pens()

    def _draw_with_pens(self) -> None:
        for key, curves in self.curves.items():
            curves[0].setPen(self._pens[key])
            for curve in curves[1:]:
                curve.setPen(pg.mkPen(None) if self._is_band else self._pens[key])

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self._fill_totals()

    def set_lines(self, key: int, lines: tuple[Line, Line, Line], base: float) -> None:
        """The points of a line's curves; times are seconds since ``base``."""
        for curve, line in zip(self.curves.get(key, ()), lines, strict=False):
            self._set_line(curve, line, base)

    def show(
        self, series: SeriesLines, highest_rate: float, *, is_on: bool, is_change: bool
    ) -> None:
        """Show lines that are on.

        Rates that would lie on the zero line are left out, many of them there are one thick bar; in
        a band of a few pixels all rates but the sums are. A
        change of all types together would hide the change of each, and is left out too.
        """
        for curve, line in zip(
            self.curves.get(series.key, ()), (None, series.births, series.deaths), strict=False
        ):
            flat = (
                line is not None
                and series.key != TOTAL
                and (self._is_band or highest(np.abs(line.values)) < FLAT_SHARE * highest_rate)
            )
            is_sum = line is None and series.key == TOTAL and is_change
            curve.setVisible(is_on and not flat and not is_sum)

    def rebuild(self, types: tuple[int, ...], pens: dict[int, QPen]) -> None:
        """Curves for these types, for ``TOTAL`` and ``REST``, where they have pens."""
        for curves in self.curves.values():
            self._live.removeItem(curves[0])
            for curve in curves[1:]:
                self._rates.removeItem(curve)
        self.curves, self._pens = {}, pens
        self._lines.clear()
        for key in (REST, *types, TOTAL):
            if key in pens:
                first, second, third = (
                    ViewCurve(pen=pens[key], antialias=False, skipFiniteCheck=True)
                    for _ in range(3)
                )
                self._live.addItem(first)
                self._rates.addItem(second)
                self._rates.addItem(third)
                self.curves[key] = first, second, third
        self._fill_totals()
        self._draw_with_pens()

    def _fill_totals(self) -> None:
        """Births and deaths of all types are areas too: the eye compares them."""
        for curve, token in zip(
            self.curves.get(TOTAL, ())[1:], ("born_fill", "dying_fill"), strict=False
        ):
            curve.setFillLevel(0)
            curve.setBrush(self._theme.color(token))
            curve.setZValue(-1)

    def _set_line(self, curve: Any, line: Line, base: float) -> None:
        """A line that is the same as before keeps its path."""
        before = self._lines.get(curve)
        if (
            before is None
            or before[1] != base
            or not (np.array_equal(before[0].at, line.at) and _same(before[0].values, line.values))
        ):
            self._lines[curve] = line, base
            broken = bool(np.isnan(line.values).any())
            curve.setData(line.at - base, line.values, connect="finite" if broken else "all")


def _same(first: Floats, second: Floats) -> bool:
    return np.array_equal(first, second, equal_nan=True)
