"""The timeline's mode *Change*: each line from its count at a moment. GUI thread."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from inspector.model.churn import ChurnHistory
from inspector.model.churn_lines import Line
from inspector.ui.panes.timeline.lines import TOTAL, ChurnFrame, SeriesLines, compute_frame

NEAR_SECS: Final = 5.0
"""A count at a moment is looked up among the readings so long before and after it."""
LEAST: Final = 4.0
"""Handles that the scale shows at least."""
AIR: Final = 1.12


class ChangeMode:
    """The moment that changes are measured from, and the counts at it."""

    def __init__(self, history: ChurnHistory) -> None:
        """Off: lines are counts."""
        self._history = history
        self._since: float | None = None
        self._bases: dict[int, float] = {}
        self._scale = (0.0, 0.0)

    @property
    def is_on(self) -> bool:
        """Lines are changes."""
        return self._since is not None

    def set_since(self, since: float | None) -> bool:
        """Measure from another moment; ``None``: show counts. Whether that is another mode."""
        if since == self._since:
            return False
        self._since, self._scale = since, (0.0, 0.0)
        self._bases.clear()
        return True

    def of(self, series: SeriesLines, types: tuple[int, ...]) -> Line:
        """The line as it is drawn."""
        base = self.base_of(series.key, types)
        return series.live if not base else Line(series.live.at, series.live.values - base)

    def base_of(self, key: int, types: tuple[int, ...]) -> float:
        """The count that a line's change is measured from; 0 for counts."""
        if self._since is None:
            return 0.0
        if key not in self._bases:
            self._bases[key] = self._count_at(self._since, key, types)
        return self._bases[key]

    def forget_rest(self) -> None:
        """Other types have lines now, so the rest of them is another sum."""
        self._bases = {key: base for key, base in self._bases.items() if key >= TOTAL}

    def scale(
        self, frame: ChurnFrame, hidden: frozenset[int], types: tuple[int, ...]
    ) -> tuple[float, float] | None:
        """The lowest and the highest change that is drawn; ``None`` for counts.

        The scale stays while the lines fill a good part of it.
        """
        if self._since is None:
            return None
        lines = [
            self.of(series, types).values
            for series in frame.series
            if series.key != TOTAL and series.key not in hidden
        ]
        values = np.concatenate(lines) if lines else np.empty(0)
        values = values[np.isfinite(values)]
        low = min(float(values.min()) if len(values) else 0.0, 0.0)
        high = max(float(values.max()) if len(values) else 0.0, LEAST)
        before_low, before_high = self._scale
        fits = before_low <= low and high <= before_high
        if not fits or high - low < 0.5 * (before_high - before_low):
            self._scale = (low * AIR, high * AIR)
        return self._scale

    def _count_at(self, at: float, key: int, types: tuple[int, ...]) -> float:
        """Live handles at a moment; of the first reading for an earlier moment."""
        at = max(at, self._history.first_at)
        frame = compute_frame(
            self._history, at - NEAR_SECS, at + NEAR_SECS, pixels=1_000, types=types
        )
        series = frame.of(key)
        if series is None or not len(series.live.at):
            return 0.0
        value = series.live.value_at(at)
        if math.isnan(value):
            known = series.live.values[np.isfinite(series.live.values)]
            value = float(known[0]) if len(known) else 0.0
        return value
