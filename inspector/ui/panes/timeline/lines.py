"""The timeline's drawing at one moment, computed from the history.

It has lines per type, totals, the rest, and the scales.

Without Qt, so that it is tested as numbers. GUI thread; about a millisecond.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.churn import ChurnHistory
from inspector.model.churn_lines import Line, nice_secs
from inspector.model.snapshot import Floats

MIN_RATE_WIDTH_SECS: Final = 0.5
"""A step of births and deaths is never shorter: less is noise."""
PIXELS_PER_STEP: Final = 3
CEILINGS: Final = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
TOTAL: Final = -1
REST: Final = -2
"""Keys of the two lines that are no type's."""


@dataclass(frozen=True, slots=True)
class SeriesLines:
    """One type's lines, or the total's, or the rest's."""

    key: int
    """Index of the type, ``TOTAL`` or ``REST``."""
    live: Line
    births: Line
    """Per second, upwards."""
    deaths: Line
    """Per second, as negative numbers: downwards."""


@dataclass(frozen=True, slots=True)
class ChurnFrame:
    """Everything that is drawn between two moments."""

    begin: float
    end: float
    series: tuple[SeriesLines, ...]
    """The total last, on top of the others."""
    width_secs: float
    """Of a step of births and deaths."""
    highest_live: float
    highest_rate: float

    def of(self, key: int) -> SeriesLines | None:
        """The lines with ``key``."""
        return next((each for each in self.series if each.key == key), None)


def compute_frame(
    history: ChurnHistory,
    begin: float,
    end: float,
    *,
    pixels: int,
    types: tuple[int, ...],
    until: float = math.inf,
) -> ChurnFrame:
    """The lines between two moments, for a plot ``pixels`` wide.

    They are of ``types``, of the rest and of the total.

    Readings after ``until`` are left out; they change no scale and no step.
    """
    width = max(nice_secs((end - begin) * PIXELS_PER_STEP / max(pixels, 1)), MIN_RATE_WIDTH_SECS)

    def lines(type_index: int | None) -> tuple[Line, Line, Line]:
        live = history.live_line(begin, end, points=pixels, type_index=type_index)
        births, deaths = history.rate_line(begin, end, width_secs=width, type_index=type_index)
        return _cut(live, until), _cut(births, until), _cut(Line(deaths.at, -deaths.values), until)

    total = SeriesLines(TOTAL, *lines(None))
    each = tuple(SeriesLines(index, *lines(index)) for index in types)
    rest_live = _left_of(total.live, [series.live for series in each])
    rest = SeriesLines(
        REST,
        Line(rest_live.at, np.maximum(rest_live.values, 0)),
        _left_of(total.births, [series.births for series in each]),
        _left_of(total.deaths, [series.deaths for series in each]),
    )
    return ChurnFrame(
        begin=begin,
        end=end,
        series=(rest, *each, total),
        width_secs=width,
        highest_live=highest(total.live.values),
        highest_rate=max(highest(total.births.values), highest(-total.deaths.values)),
    )


def ceiling(peak: float, present: float) -> float:
    """Top of a scale: a round number with some air.

    It stays while ``peak`` fills at least 40 % of it, so it does not jump.
    """
    if present > 0 and 0.4 * present <= max(peak, 4.0) <= 0.96 * present:
        return present
    wanted = max(peak, 4.0) * 1.06
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(factor * power for factor in CEILINGS if factor * power >= wanted)


def _cut(line: Line, until: float) -> Line:
    kept = int(np.searchsorted(line.at, until, side="right"))
    return line if kept == len(line.at) else Line(line.at[:kept], line.values[:kept])


def _left_of(total: Line, parts: list[Line]) -> Line:
    """The rest of the total without the parts, at the total's points.

    Their points are the same unless thinning made them differ.
    """
    values = total.values.copy()
    for part in parts:
        if len(part.at) == len(total.at):
            values = values - part.values
        elif len(part.at):
            places = np.clip(np.searchsorted(part.at, total.at, side="right") - 1, 0, None)
            values = values - part.values[places]
    return Line(total.at, values)


def highest(values: Floats) -> float:
    """The largest value that is known, 0 when none is."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else 0.0
