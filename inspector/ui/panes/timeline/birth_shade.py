"""The part of the timeline's births that still lived at a mark. GUI thread only.

It is an area within the area of all births.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyqtgraph as pg

from inspector.model.churn_lines import Line
from inspector.model.snapshot import Floats
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.timeline.canvas import ViewCurve

ALPHA: Final = 130


class BirthShade:
    """One area in the plot of rates; none while no marks are compared."""

    def __init__(self, theme: Theme, plot: Any) -> None:
        """Nothing is compared."""
        self._born: Floats = np.empty(0)
        self.curve = ViewCurve(antialias=False, skipFiniteCheck=True)
        self.curve.setFillLevel(0)
        self.curve.setZValue(-0.7)  # over the area of all births, below the range and the lines
        self.curve.hide()
        plot.addItem(self.curve)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.curve.setPen(pg.mkPen(None))
        self.curve.setBrush(theme.color("accent", ALPHA))

    def set_births(self, born: Floats) -> None:
        """Times of birth of the survivors, seconds since the Unix epoch, in any order.

        Unknown times are left out.
        """
        self._born = np.sort(born[np.isfinite(born)])
        self.curve.setVisible(len(self._born) > 0)

    def draw(self, births: Line, base: float) -> None:
        """Fill the share of ``births`` (all of them, per second, two points a step) that survived.

        ``base`` is the zero of the axis.
        """
        if self.curve.isVisible():
            values = surviving(births, self._born)
            self.curve.setData(
                births.at - base, values, connect="finite" if np.isnan(values).any() else "all"
            )


def surviving(births: Line, born: Floats) -> Floats:
    """Births per second at the points of ``births`` that are among ``born``.

    ``born`` is sorted. The number is never more than were born.
    """
    edges = np.unique(births.at)
    if len(edges) < 2:
        return np.zeros(len(births.at))
    rates = np.diff(np.searchsorted(born, edges)) / np.diff(edges)
    ends = np.minimum(np.arange(len(births.at)) // 2, len(rates) - 1)
    kept: Floats = np.minimum(rates[ends], births.values)
    return kept
