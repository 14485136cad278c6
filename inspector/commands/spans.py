"""Spans of time as they are written on the command line."""

from __future__ import annotations

import re
from typing import Final

from inspector.errors import UsageError

_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def parse_span(text: str) -> float:
    """Seconds of ``500ms``, ``10s``, ``2min`` or ``1h``. Raises ``UsageError``."""
    found = _SPAN.fullmatch(text.strip().casefold())
    if found is None or found[2] not in _UNITS or float(found[1]) <= 0:
        raise UsageError(f"a span of time is written 500ms, 10s, 2min or 1h: {text}")
    return float(found[1]) * _UNITS[found[2]]
