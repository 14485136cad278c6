"""Times of day as they are typed and shown, ``14:03:20.5``, and the moments that they mean.

A time of day means its nearest past. Local time. Apart from the filter because the timeline writes
the text that the filter reads. Pure; any thread.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import Final

DAY_SECS: Final = 86_400.0
AHEAD_SECS: Final = 60.0
"""A time that is later by less than this is of today: what is being looked at may be a little older
than what was chosen."""
_TIME: Final = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d{1,9})?))?"
)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From one time of day to another, seconds since midnight; ``None``: open."""

    begin_secs: float | None
    end_secs: float | None

    def moments(self, now: float) -> tuple[float, float]:
        """Begin and end as seconds since the Unix epoch, seen from ``now``.

        An open end is infinite.

        The end follows the begin.

        Seen from a moment that is not known (``nan``) none is between.
        """
        if math.isnan(now):
            return math.inf, -math.inf
        if self.begin_secs is None:
            return -math.inf, math.inf if self.end_secs is None else _past(self.end_secs, now)
        begin = _past(self.begin_secs, now)
        if self.end_secs is None:
            return begin, math.inf
        return begin, begin + (self.end_secs - self.begin_secs) % DAY_SECS


def parse_range(text: str) -> TimeRange | None:
    """``14:03:20..14:03:25.5``; either end may be missing, seconds too.

    ``None``: it is no such range.
    """
    first, dots, last = text.partition("..")
    begin, end = _seconds(first), _seconds(last)
    if (
        not dots
        or (first and begin is None)
        or (last and end is None)
        or (begin is None and end is None)
    ):
        return None
    return TimeRange(begin, end)


def range_text(begin: float, end: float) -> str:
    """The text of two moments for ``parse_range``, to a hundredth of a second.

    Moments are seconds since the Unix epoch.
    """
    return f"{_text(begin)}..{_text(end)}"


def _text(at: float) -> str:
    whole, hundredths = divmod(round(at * 100), 100)
    return time.strftime("%H:%M:%S", time.localtime(whole)) + (
        f".{hundredths:02d}" if hundredths else ""
    )


def _seconds(text: str) -> float | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = int(found["hour"]), int(found["minute"]), float(found["second"] or 0)
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 60 else None


def _past(day_secs: float, now: float) -> float:
    """The newest moment with that time of day that is not after ``now``, by the local calendar."""
    at = _on_day(day_secs, now, 0)
    return at if at <= now + AHEAD_SECS else _on_day(day_secs, now, -1)


def _on_day(day_secs: float, now: float, days: int) -> float:
    today = time.localtime(now)
    hour, minute = int(day_secs // 3600), int(day_secs % 3600 // 60)
    return (
        time.mktime((today.tm_year, today.tm_mon, today.tm_mday + days, hour, minute, 0, 0, 0, -1))
        + day_secs % 60
    )
