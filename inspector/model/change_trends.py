"""Live counts of the rows of the table of change over time, for their small lines.

Bounded: after ``CAPACITY`` observations every second observation of the older half is dropped.
Owned by the thread that computes the table, one thread at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.churn_lines import Line

CAPACITY: Final = 120
MIN_GAP_SECS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Observed:
    """Live counts of the rows of the table of change at one moment."""

    at: float
    """Seconds since the Unix epoch."""
    counts: Mapping[str, float]
    """By the key of a row."""


class ChangeTrends:
    """Observations of one grouping, oldest first."""

    def __init__(self, *, min_gap_secs: float = MIN_GAP_SECS) -> None:
        """Nothing was observed yet."""
        self._min_gap_secs = min_gap_secs
        self._grouping = ""
        self._seen: list[tuple[float, Mapping[str, float]]] = []

    def observe(self, grouping: str, at: float, counts: Mapping[str, float]) -> None:
        """Take the live counts by the key of a row.

        Another grouping, or an earlier moment of a recording, starts again.
        """
        if grouping != self._grouping or (self._seen and at < self._seen[-1][0]):
            self._grouping, self._seen = grouping, []
        is_known = bool(self._seen) and at == self._seen[-1][0]
        if is_known or (len(self._seen) > 1 and at - self._seen[-2][0] < self._min_gap_secs):
            self._seen[-1] = (at, counts)  # the newest is always there
        else:
            self._seen.append((at, counts))
        if len(self._seen) > CAPACITY:
            half = CAPACITY // 2
            self._seen = self._seen[:half:2] + self._seen[half:]

    def observed(self) -> tuple[Observed, ...]:
        """All observations, for a file."""
        return tuple(Observed(at, dict(counts)) for at, counts in self._seen)

    def restore(self, grouping: str, observed: Sequence[Observed]) -> None:
        """Take the observations of an earlier window."""
        self._grouping = grouping
        self._seen = [(each.at, each.counts) for each in observed[-CAPACITY:]]

    def until(self, at: float) -> ChangeTrends:
        """The observations up to a moment, apart from these."""
        copied = ChangeTrends(min_gap_secs=self._min_gap_secs)
        copied._grouping = self._grouping
        copied._seen = [each for each in self._seen if each[0] <= at]
        return copied

    def __len__(self) -> int:
        """Observations."""
        return len(self._seen)

    def line(self, key: str) -> Line:
        """Live handles of that row; a row that was not there yet had none."""
        at = np.array([moment for moment, _ in self._seen])
        return Line(at, np.array([float(counts.get(key, 0)) for _, counts in self._seen]))
