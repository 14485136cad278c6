"""The upright axis of the plots. GUI thread only.

It shows round numbers, no more than have room, without a sign below 0.
"""

from __future__ import annotations

import math
from typing import Final

import pyqtgraph as pg

LABEL_PIXELS: Final = 14
STEPS: Final = (1.0, 2.0, 5.0, 10.0)


class CountAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph ships no types
    """Counts, and rates whose direction the plot shows.

    Deaths lie below 0 and are positive numbers.
    """

    def __init__(self) -> None:
        """At the left."""
        super().__init__(orientation="left")
        self.enableAutoSIPrefix(False)

    def tickValues(
        self, lowest: float, highest: float, pixels: float
    ) -> list[tuple[float, list[float]]]:
        """Multiples of a round step; 0 is always among them."""
        if highest <= lowest or pixels <= 0:
            return []
        step = step_of(highest - lowest, pixels)
        first, last = math.ceil(lowest / step), math.floor(highest / step)
        return [(step, [number * step for number in range(first, last + 1)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """``12,000``."""
        del scale, spacing
        return [f"{abs(value):,.0f}" for value in values]


def step_of(span: float, pixels: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 … whose labels do not touch."""
    smallest = max(span * LABEL_PIXELS / pixels, 1.0)
    power = 10.0 ** math.floor(math.log10(smallest))
    return next(factor * power for factor in STEPS if factor * power >= smallest * (1 - 1e-9))
