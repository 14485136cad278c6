"""The wall clock as it was when a session began, running on steadily. Any thread.

A target's own times run on like that too. When the system's clock is set, the times of a session
would otherwise go back or leap, and ages with them.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def running_secs() -> float:
    """Seconds of a clock that is never set, and that runs while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class SteadyClock:
    """Gives seconds since the Unix epoch that never go back."""

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        running: Callable[[], float] = running_secs,
    ) -> None:
        """Read the wall clock once."""
        self._running = running
        self._ahead = wall() - running()

    def now(self) -> float:
        """The time now."""
        return self._ahead + self._running()
