"""The part of a history that is looked at.

It follows the newest reading, stands still, or lies where a person put it.

Without Qt; one thread, the window's.
"""

from __future__ import annotations

import math
from typing import Final

from inspector.model.churn import ChurnHistory

AUTO_SPANS_SECS: Final = (10.0, 20.0, 30.0, 60.0)
"""What a short history is shown in: the first that holds it all, at last the newest minute."""
MIN_SPAN_SECS: Final = 1.0
LEAD_SHARE: Final = 0.01
"""Of the span, left free at the right of the newest reading."""


class TimeWindow:
    """Two moments over a ``ChurnHistory``. Times are seconds since the Unix epoch."""

    def __init__(self, history: ChurnHistory) -> None:
        """Follows, as wide as the readings."""
        self._history = history
        self._begin = 0.0
        self._span_secs = AUTO_SPANS_SECS[0]
        self._is_auto = True
        self._following = True
        self._paused = False
        self._held_at = math.inf

    @property
    def newest_at(self) -> float:
        """The newest reading to show: while paused the newest of that moment.

        ``nan`` when there is none.
        """
        return min(self._history.last_at, self._held_at)

    @property
    def following(self) -> bool:
        """It moves along with time."""
        return self._following

    @property
    def span_secs(self) -> float:
        """Its width."""
        return self._span_secs

    @property
    def visible_range(self) -> tuple[float, float]:
        """First and last moment."""
        if self._following and not self._paused and len(self._history):
            if self._is_auto:
                self._span_secs = auto_span(self._history.last_at - self._history.first_at)
            self._begin = self._history.last_at - self._span_secs * (1 - LEAD_SHARE)
        return self._begin, self._begin + self._span_secs

    def set_span(self, span_secs: float | None) -> None:
        """Be that wide; the right edge stays.

        ``None``: everything while it is short, then the newest minute.
        """
        end = self.visible_range[1]
        self._is_auto = span_secs is None
        self._span_secs = max(span_secs or AUTO_SPANS_SECS[-1], MIN_SPAN_SECS)
        self._begin = end - self._span_secs

    def set_following(self, following: bool) -> bool:
        """Move along with time, or stay. Whether that is a change."""
        self._begin = self.visible_range[0]
        changed = following != self._following
        self._following = following
        return changed

    def set_paused(self, paused: bool) -> None:
        """Stand still without losing the place."""
        self._begin = self.visible_range[0]
        if paused != self._paused:
            self._held_at = self._history.last_at if paused and len(self._history) else math.inf
        self._paused = paused

    def pan_to(self, begin: float) -> None:
        """Begin there, but not where there is nothing to see. It should not be following."""
        earliest = min(
            self._history.first_at - self._span_secs * 0.5, self._history.last_at - self._span_secs
        )
        self._begin = min(max(begin, earliest), self._history.last_at - self._span_secs * 0.1)

    def zoom(self, factor: float, around: float | None) -> None:
        """Grow by ``factor`` around a moment.

        Around the right edge for ``None`` and while following.
        """
        begin, end = self.visible_range
        known = self._history.last_at - self._history.first_at if len(self._history) else 0.0
        span = min(
            max(self._span_secs * factor, MIN_SPAN_SECS), max(known, AUTO_SPANS_SECS[-1]) * 1.1
        )
        pivot = end if self._following or around is None else around
        self._begin = pivot - (pivot - begin) * span / self._span_secs
        self._span_secs, self._is_auto = span, False

    def is_empty(self) -> bool:
        """There is no reading to look at."""
        return math.isnan(self._history.last_at)


def auto_span(history_secs: float) -> float:
    """Width for a history of that length."""
    return next(
        (span for span in AUTO_SPANS_SECS if history_secs <= span * (1 - 2 * LEAD_SHARE)),
        AUTO_SPANS_SECS[-1],
    )
