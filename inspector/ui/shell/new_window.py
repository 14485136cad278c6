"""Starts another window in a process of its own."""

from __future__ import annotations

import sys

from PySide6.QtCore import QProcess


def open_another() -> bool:
    """Whether it could be started. It outlives this process."""
    started = QProcess.startDetached(sys.executable, ["-m", "inspector"])
    return bool(started[0]) if isinstance(started, tuple) else bool(started)
