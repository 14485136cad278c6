"""Options that several commands read.

They are files that are replaced only on request, and spans of time.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.errors import UsageError

Force = Annotated[bool, typer.Option("--force", help="Replace an existing file.")]
"""The option of commands that write a file."""
_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
LONGEST_SECS: Final = 366 * 86_400.0
"""Longer ones cannot be waited for on every system."""
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def require_absent(path: Path, *, force: bool) -> None:
    """Raises ``UsageError`` when an existing file may not be replaced.

    It is called before a process is touched for the file.
    """
    try:
        is_there = path.is_symlink() or path.exists()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the file cannot be written: {getattr(error, 'strerror', None) or error}: {path}"
        ) from error
    if is_there and not force:
        raise UsageError(f"the file is there already, --force replaces it: {path}")


def parse_span(text: str) -> float:
    """Seconds of ``500ms``, ``10s``, ``2min`` or ``1h``. Raises ``UsageError``."""
    found = _SPAN.fullmatch(text.strip().casefold())
    if found is None or found[2] not in _UNITS or float(found[1]) <= 0:
        raise UsageError(f"a span of time is written 500ms, 10s, 2min or 1h: {text}")
    secs = float(found[1]) * _UNITS[found[2]]
    if secs > LONGEST_SECS:
        raise UsageError(f"a span of time is at most a year: {text}")
    return secs
