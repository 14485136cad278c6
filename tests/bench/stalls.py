"""Counts the times when a window's thread stood still.

A timer of the window's thread notes when it ran. A watching thread looks at that note, and takes
the stack of the window's thread once it is late.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer

BEAT_MILLIS: Final = 5
LATE_SECS: Final = 0.03
"""The watching thread looks for the cause of a stall that lasts longer."""
LONG_SECS: Final = 0.05
"""A person sees a stall that lasts longer."""
SCHEDULED: Final = Path("/proc/thread-self/schedstat")
STACK_LINES: Final = 12
CAUSES: Final = 6
"""Stacks kept, of the longest stalls."""


@dataclass
class Stalls:
    """The stalls since the last request."""

    longest_secs: float = 0.0
    long: int = 0
    """Stalls longer than ``LONG_SECS``."""
    beats: int = 0
    worked_secs: float = 0.0
    """The longest time for which the thread itself worked without coming back."""
    waited_secs: float = 0.0
    """The longest time for which the thread could run and had no core. Stalls do not count it:
    other programs cause it."""
    causes: list[tuple[float, str]] = field(default_factory=list)
    """The longest stalls in seconds, each with the stack when it was noticed."""


class StallWatch(QObject):
    """Watches the thread that makes it, from ``begin`` to ``take``."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Watches nothing yet, and costs nothing."""
        super().__init__(parent)
        self._beat_at = 0.0
        self._used = 0.0, 0.0
        self._late = ""
        self._stalls = Stalls()
        self._watched = threading.get_ident()
        self._running = threading.Event()
        self._timer = QTimer(self, interval=BEAT_MILLIS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._watcher = threading.Thread(target=self._watch, name="stall watch", daemon=True)
        self._watcher.start()

    def begin(self) -> None:
        """Count from now on."""
        self._stalls, self._late, self._used = Stalls(), "", _used_secs()
        self._beat_at = time.perf_counter()
        self._timer.start()
        self._running.set()

    def take(self) -> Stalls:
        """The stalls since ``begin``; ends the watch."""
        self._note(time.perf_counter())
        self._running.clear()
        self._timer.stop()
        self._stalls.causes = sorted(self._stalls.causes, reverse=True)[:CAUSES]
        return self._stalls

    def _beat(self) -> None:
        self._note(time.perf_counter())

    def _note(self, at: float) -> None:
        (worked, waited), self._used = self._used, _used_secs()
        stall, self._beat_at = max(at - self._beat_at - BEAT_MILLIS / 1000, 0.0), at
        waited = min(self._used[1] - waited, stall)
        stall -= waited
        late, self._late = self._late, ""
        found = self._stalls
        found.beats += 1
        found.longest_secs = max(found.longest_secs, stall)
        found.worked_secs = max(found.worked_secs, self._used[0] - worked)
        found.waited_secs = max(found.waited_secs, waited)
        if stall > LATE_SECS:
            found.long += stall > LONG_SECS
            found.causes.append((stall, late or "not seen: the watching thread waited too"))

    def _watch(self) -> None:
        while self._running.wait():
            time.sleep(BEAT_MILLIS / 1000)
            if time.perf_counter() - self._beat_at > LATE_SECS and not self._late:
                self._late = _stack_of(sys._current_frames().get(self._watched))


def _used_secs() -> tuple[float, float]:
    """Since its start, how long this thread ran, and how long it could run and had no core."""
    ran, waited, _ = SCHEDULED.read_text().split()
    return int(ran) / 1e9, int(waited) / 1e9


def _stack_of(frame: FrameType | None) -> str:
    """The innermost lines, on one line of text."""
    if frame is None:
        return ""
    found = traceback.extract_stack(frame)[-STACK_LINES:]
    return " > ".join(
        f"{line.filename.rsplit('/', 1)[-1]}:{line.lineno} {line.name}" for line in found
    )
