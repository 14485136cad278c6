"""The moment that the panes show, as a line across each plot. GUI thread only."""

from __future__ import annotations

from typing import Any, Final

import pyqtgraph as pg

from inspector.ui.kit.theme import Theme

WIDTH = 2
STEP_SHARE: Final = 0.01
"""Of the visible time, that a key moves the moment by."""
LEAST_STEP: Final = 0.1
"""Seconds."""


class MomentLine:
    """One line a plot, none while the panes show what is now."""

    def __init__(self, theme: Theme, plots: tuple[Any, ...]) -> None:
        """Nothing is shown."""
        self._at: float | None = None
        self._lines = [pg.InfiniteLine(0, angle=90) for _ in plots]
        for line, plot in zip(self._lines, plots, strict=True):
            line.setZValue(5)  # over the curves, below the captions
            line.hide()
            plot.addItem(line, ignoreBounds=True)
        self.set_theme(theme)

    @property
    def at(self) -> float | None:
        """Seconds since the Unix epoch."""
        return self._at

    def is_near(self, at: float, secs: float) -> bool:
        """A moment is at most so far from the line."""
        return self._at is not None and abs(at - self._at) <= secs

    def beside(self, newest_at: float, span_secs: float, direction: float) -> float:
        """The moment a key's step before (-1) or after (1) the line, or the newest."""
        here = newest_at if self._at is None else self._at
        return here + direction * max(span_secs * STEP_SHARE, LEAST_STEP)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        for line in self._lines:
            line.setPen(pg.mkPen(theme.color("accent"), width=WIDTH))

    def show_moment(self, at: float | None, base: float) -> None:
        """Stand there; ``base`` is the zero of the axis.

        ``None``: the panes show what is now.
        """
        self._at = at
        for line in self._lines:
            if at is not None:
                line.setValue(at - base)
            line.setVisible(at is not None)
