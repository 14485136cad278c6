"""The time axis of the plots: clock times at round moments, at any zoom. GUI thread only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final

import pyqtgraph as pg

STEPS_SECS: Final = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    21600,
    43200,
    86400,
)
LABEL_PIXELS: Final = 96


class TimeAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph ships no types
    """Values are seconds since ``base``, which keeps them small enough to be exact on screen."""

    def __init__(self, base: Callable[[], float]) -> None:
        """Take ``base``, which gives seconds since the Unix epoch.

        It gives ``nan`` while there is nothing to show.
        """
        super().__init__(orientation="bottom")
        self._base = base
        self.enableAutoSIPrefix(False)

    def tickValues(
        self, lowest: float, highest: float, pixels: float
    ) -> list[tuple[float, list[float]]]:
        """Round local times, far enough apart for their labels."""
        base = self._base()
        if math.isnan(base) or highest <= lowest or pixels <= 0:
            return []
        step = step_secs(highest - lowest, pixels)
        shift = base + time.localtime(base).tm_gmtoff
        first = math.ceil((lowest + shift) / step)
        last = math.floor((highest + shift) / step)
        return [(step, [number * step - shift for number in range(first, last + 1)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """``14:03``, ``14:03:20`` or ``14:03:20.5``, as the spacing needs."""
        del scale
        base = self._base()
        return [clock_label(base + value, spacing) for value in values]

    def drawPicture(self, painter: Any, axis: Any, ticks: Any, texts: Any) -> None:
        """Labels and ticks, without the line along the axis: the plot has a grid line there."""
        super().drawPicture(painter, (self._invisible(axis[0]), *axis[1:]), ticks, texts)

    @staticmethod
    def _invisible(pen: Any) -> Any:
        hidden = pg.mkPen(pen)
        hidden.setColor(pg.mkColor(0, 0, 0, 0))
        return hidden


def step_secs(span_secs: float, pixels: float) -> float:
    """The smallest step of the list whose labels do not touch; whole days beyond it."""
    smallest = span_secs * LABEL_PIXELS / pixels
    for step in STEPS_SECS:
        if step >= smallest:
            return step
    return math.ceil(smallest / 86400) * 86400.0


def clock_label(at: float, spacing: float) -> str:
    """Local time, as exact as ``spacing`` asks."""
    if spacing >= 60:
        return time.strftime("%H:%M", time.localtime(at + 1e-3))
    if spacing >= 1:
        return time.strftime("%H:%M:%S", time.localtime(at + 1e-3))
    digits = 2 if spacing < 0.1 else 1
    rounded = round(at, digits)
    whole = math.floor(rounded)
    return time.strftime("%H:%M:%S", time.localtime(whole)) + f"{rounded - whole:.{digits}f}"[1:]
