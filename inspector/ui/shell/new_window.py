"""Starts another window in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QProcess


def open_another(path: Path | None = None) -> bool:
    """Whether it could be started, with the file ``path`` in it. It outlives this process."""
    words = ["-m", "inspector", *(["open", str(path)] if path is not None else [])]
    started = QProcess.startDetached(sys.executable, words)
    return bool(started[0]) if isinstance(started, tuple) else bool(started)
