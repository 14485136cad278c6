"""How numbers, times and unknowns are written, in the window, in findings and by commands.

Pure functions, any thread. Unknown is ``–`` and never 0.
"""

from __future__ import annotations

import math
import re
import time
from typing import Final

UNKNOWN_TEXT: Final = "–"
LONGEST_NAME: Final = 60
_STEPS: Final = ((86_400 * 2, 86_400, "d"), (7_200, 3_600, "h"), (120, 60, "min"))
_BYTE_UNITS: Final = ("B", "KB", "MB", "GB")


def number(value: int | float | None) -> str:
    """``12,408``; ``–`` for ``None``, ``nan`` and negative integers (``UNKNOWN``)."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value < 0:
        return UNKNOWN_TEXT
    return f"{value:,.0f}"


def estimated(value: int) -> str:
    """``≈3``: a count that was not read but follows from others; ``–`` when not known."""
    return UNKNOWN_TEXT if value < 0 else f"≈{value:,}"


def signed(value: int) -> str:
    """``1,204`` or ``−3``, for counts that may be negative."""
    return f"{value:,}".replace("-", "−")


def age(secs: float) -> str:
    """``41 s``, ``4 min``, ``3 h``, ``2 d``; below ten seconds with a tenth; ``–`` for ``nan``."""
    if math.isnan(secs):
        return UNKNOWN_TEXT
    secs = max(secs, 0.0)
    for limit, unit_secs, unit in _STEPS:
        if secs >= limit:
            return f"{secs / unit_secs:.0f} {unit}"
    return f"{secs:.1f} s" if secs < 9.95 else f"{secs:.0f} s"


def duration(secs: float) -> str:
    """A short span: ``40 µs``, ``3 ms``, ``1.2 s``; ``–`` for ``nan``."""
    if math.isnan(secs):
        return UNKNOWN_TEXT
    if secs < 0.0009995:
        return f"{secs * 1e6:.0f} µs"
    if secs < 0.9995:
        return f"{secs * 1e3:.0f} ms"
    return age(secs)


def rate(per_sec: float) -> str:
    """``1,240/s``; below ten with a tenth; ``–`` for ``nan``."""
    if math.isnan(per_sec):
        return UNKNOWN_TEXT
    return f"{per_sec:,.1f}/s" if 0 < per_sec < 9.95 else f"{per_sec:,.0f}/s"


def size(count_bytes: int) -> str:
    """``3.1 MB``; ``–`` when not known."""
    if count_bytes < 0:
        return UNKNOWN_TEXT
    value = float(count_bytes)
    unit = 0
    while value >= 1000 and unit < len(_BYTE_UNITS) - 1:
        value /= 1000
        unit += 1
    return f"{value:.1f} {_BYTE_UNITS[unit]}" if unit else f"{count_bytes} B"


def clock(at: float) -> str:
    """Local time of day with milliseconds, ``14:03:22.417``; ``–`` for ``nan``."""
    if math.isnan(at):
        return UNKNOWN_TEXT
    whole = math.floor(at)
    return f"{time.strftime('%H:%M:%S', time.localtime(whole))}.{int((at - whole) * 1000):03d}"


def short(name: str) -> str:
    """A name of at most ``LONGEST_NAME`` characters.

    It is for places where nothing else bounds it: buttons, sentences, files.
    """
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def file_name(target: str, suffix: str) -> str:
    """Name of a new file about a target, with the time of day.

    It has no folder, is not hidden, and is no longer than files may be.
    """
    plain = re.sub(r"[^\w.-]+", "_", short(target)[:40]).lstrip(".") or "target"
    return f"{plain}-{time.strftime('%Y%m%d-%H%M%S')}{suffix}"


def moment(at: float, *, now: float = math.nan) -> str:
    """A day and the time of day: ``30 Nov 2026 08:15:12``; ``–`` for ``nan``.

    ``now``: seconds since the Unix epoch; a moment of the same year is written without the year.
    """
    if math.isnan(at):
        return UNKNOWN_TEXT
    day = time.localtime(at)
    same = not math.isnan(now) and time.localtime(now).tm_year == day.tm_year
    year = "" if same else f" {day.tm_year}"
    return f"{day.tm_mday} {MONTHS[day.tm_mon - 1]}{year} {time.strftime('%H:%M:%S', day)}"


def plural(count: int, one: str, many: str = "") -> str:
    """``1 handle``, ``1,204 handles``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
