"""A marked range of time, as a band over each plot with a line at each end. GUI thread only."""

from __future__ import annotations

from typing import Any, Final

import pyqtgraph as pg

from inspector.ui.kit.theme import Theme

FAR_SECS: Final = 1e9
"""Beyond any axis: where an open range ends."""
ALPHA: Final = 40


class RangeBands:
    """One band a plot, none while there is no range."""

    def __init__(self, theme: Theme, plots: tuple[Any, ...]) -> None:
        """Nothing is marked."""
        self._bands = [pg.LinearRegionItem(movable=False) for _ in plots]
        for band, plot in zip(self._bands, plots, strict=True):
            band.setZValue(-0.5)  # over the areas, below the lines
            band.hide()
            plot.addItem(band, ignoreBounds=True)
        self.set_theme(theme)

    @property
    def is_shown(self) -> bool:
        """A range is marked."""
        return bool(self._bands[0].isVisible())

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        for band in self._bands:
            band.setBrush(theme.color("accent", ALPHA))
            for line in band.lines:
                line.setPen(pg.mkPen(theme.color("accent")))

    def show_range(self, moments: tuple[float, float] | None, base: float) -> None:
        """Mark the time between two moments; ``base`` is the zero of the axis."""
        for band in self._bands:
            if moments is not None:
                band.setRegion([min(max(at - base, -FAR_SECS), FAR_SECS) for at in moments])
            band.setVisible(moments is not None)
