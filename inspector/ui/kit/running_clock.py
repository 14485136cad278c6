"""The target's time between its snapshots: ages grow on while nothing new arrives.

GUI thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from inspector.model.snapshot import Snapshot, TargetState

TICK_MILLIS: Final = 500
MAX_AHEAD_SECS: Final = 3.0
"""The slowest refresh is one in 2 s; what is older than this is frozen, and so are its ages."""


class RunningClock(QObject):
    """The target's wall clock: the newest snapshot's time and the time since."""

    ticked = Signal()
    """The time moved on though no snapshot came; GUI thread, twice a second while the clock
    runs."""

    def __init__(
        self, parent: QObject | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Stands still until the first snapshot. ``monotonic`` gives seconds."""
        super().__init__(parent)
        self._monotonic = monotonic
        self._taken_at = float("nan")
        self._heard_at = 0.0
        self._runs = False
        self._paused = False
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MILLIS)
        self._timer.timeout.connect(self.ticked)

    @property
    def now(self) -> float:
        """Seconds since the Unix epoch in the target; ``nan`` before the first snapshot."""
        if not self.running:
            return self._taken_at
        return self._taken_at + min(self._monotonic() - self._heard_at, MAX_AHEAD_SECS)

    @property
    def running(self) -> bool:
        """Time passes: the target lives and the person has not paused."""
        return self._runs and not self._paused

    def hear(self, snapshot: Snapshot) -> None:
        """A snapshot arrived just now."""
        self._taken_at = snapshot.taken_at
        self._heard_at = self._monotonic()
        self._runs = snapshot.target.state in (TargetState.LIVE, TargetState.HUNG)
        self._run_timer()

    def set_paused(self, paused: bool) -> None:
        """Stand still at the newest snapshot, or go on."""
        self._paused = paused
        self._run_timer()

    def stop(self) -> None:
        """There is no target any more."""
        self._taken_at = float("nan")
        self._runs = False
        self._run_timer()

    def _run_timer(self) -> None:
        if self.running and not self._timer.isActive():
            self._timer.start()
        elif not self.running:
            self._timer.stop()
