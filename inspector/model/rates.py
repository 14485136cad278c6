"""Births and deaths per second over a short window, from cumulative counters.

Pure; used on one thread at a time. Exact at any sampling rate: only the first and last counters of
the window count.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from inspector.model.snapshot import Ints, Vitals

WINDOW_SECS: Final = 2.0
"""The span that a rate in the table averages."""


class RateWindow:
    """The vitals of the last ``WINDOW_SECS``."""

    def __init__(self, window_secs: float = WINDOW_SECS) -> None:
        """Start empty: every rate is unknown."""
        self.window_secs = window_secs
        self._seen: deque[Vitals] = deque()

    def __len__(self) -> int:
        """Readings."""
        return len(self._seen)

    def add(self, vitals: Vitals) -> None:
        """Take newer counters; older counters than the newest are ignored."""
        if self._seen and vitals.at <= self._seen[-1].at:
            return
        self._seen.append(vitals)
        while len(self._seen) > 2 and self._seen[1].at <= vitals.at - self.window_secs:
            self._seen.popleft()

    def copy(self) -> RateWindow:
        """A window with the same readings that takes no new readings with this window."""
        copied = RateWindow(self.window_secs)
        copied._seen.extend(self._seen)
        return copied

    def per_type(self, type_index: int) -> tuple[float, float]:
        """Births and deaths per second; ``nan`` until there are two readings."""
        if len(self._seen) < 2:
            return float("nan"), float("nan")
        first, last = self._seen[0], self._seen[-1]
        span_secs = last.at - first.at
        births = _at(last.created, type_index) - _at(first.created, type_index)
        deaths = _at(last.released, type_index) - _at(first.released, type_index)
        return births / span_secs, deaths / span_secs


def _at(counters: Ints, index: int) -> int:
    """0 beyond the end: the type was not there yet."""
    return int(counters[index]) if index < len(counters) else 0
