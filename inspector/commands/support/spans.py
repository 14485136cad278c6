"""Spans of time as they are written on the command line."""

from __future__ import annotations

import re
from typing import Final

from inspector.errors import UsageError

_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
LONGEST_SECS: Final = 366 * 86_400.0
"""Longer ones cannot be waited for on every system."""
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def parse_span(text: str) -> float:
    """Seconds of ``500ms``, ``10s``, ``2min`` or ``1h``. Raises ``UsageError``."""
    found = _SPAN.fullmatch(text.strip().casefold())
    if found is None or found[2] not in _UNITS or float(found[1]) <= 0:
        raise UsageError(f"a span of time is written 500ms, 10s, 2min or 1h: {text}")
    secs = float(found[1]) * _UNITS[found[2]]
    if secs > LONGEST_SECS:
        raise UsageError(f"a span of time is at most a year: {text}")
    return secs
