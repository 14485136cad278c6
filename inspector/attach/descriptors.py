"""How many file descriptors a process has open, and how many it may. Linux; any thread."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_LIMIT_LINE: Final = "Max open files"


def open_descriptors(pid: int) -> tuple[int, int] | None:
    """Open descriptors and the soft limit; ``None`` where ``/proc`` does not say, or there is no limit."""
    try:
        open_now = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 a list of names, no paths
        text = Path(f"/proc/{pid}/limits").read_text()
    except OSError:
        return None
    line = next((each for each in text.splitlines() if each.startswith(_LIMIT_LINE)), "")
    soft = line.removeprefix(_LIMIT_LINE).split()[:1]
    return (open_now, int(soft[0])) if soft and soft[0].isdecimal() else None
