"""Chooses the thread of a process that is stopped next. Stops nothing. One thread.

If possible, no wait of the program fails because of the stop.

The kernel begins most waits again after a stop, where they were. Some end with ``EINTR``:
``epoll``, semaphores of System V, and sockets with a timeout of their own. Native code begins these
again too, with their full timeout; so such a thread comes last and is stopped once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from inspector.attach import procfs
from inspector.wire import lib

RUNNING_FIRST: Final = 10
"""Stops of running threads before one that waits on a socket is stopped: they may soon be in the
interpreter's own code."""
READ: Final = 0
"""Number of ``read`` on x86-64."""


class Bearing(IntEnum):
    """The effect of a stop on a thread; the best first."""

    RESTARTS = 0
    """It waits, and the kernel begins that again where it was."""
    RUNS = 1
    """It waits for nothing."""
    BEGUN_AGAIN = 2
    """Its wait may end with ``EINTR`` and is begun again by us, its timeout anew."""


MOST_STOPS: Final = {Bearing.RESTARTS: 3, Bearing.RUNS: 40, Bearing.BEGUN_AGAIN: 1}
"""Of one thread."""


class Threads:
    """The threads of a process, and how often each was stopped."""

    def __init__(self, pid: int, among: Sequence[int] | None = None) -> None:
        """``among``: the threads that may be stopped; ``None``: all."""
        self._pid = pid
        self._among = among
        self._stops: Counter[tuple[int, Bearing]] = Counter()

    def next(self) -> int:
        """The thread that is to be stopped now; 0: none may be."""
        found: list[tuple[int, int, int, int, Bearing]] = []
        for tid in procfs.tasks(self._pid):
            bearing = (
                bearing_of(self._pid, tid) if self._among is None or tid in self._among else None
            )
            if bearing is not None and self._stops[tid, bearing] < MOST_STOPS[bearing]:
                found.append(
                    (self._rank(bearing), self._stops[tid, bearing], len(found), tid, bearing)
                )
        if not found:
            return 0
        *_, tid, bearing = min(found)
        self._stops[tid, bearing] += 1
        return tid

    def _rank(self, bearing: Bearing) -> int:
        """The order of choice: the lowest number comes first."""
        running = sum(count for (_, each), count in self._stops.items() if each is Bearing.RUNS)
        return (
            Bearing.BEGUN_AGAIN + 1
            if bearing is Bearing.RUNS and running >= RUNNING_FIRST
            else bearing
        )


def bearing_of(pid: int, tid: int) -> Bearing | None:
    """The effect of a stop on a thread; ``None``: it must not be stopped."""
    waits = procfs.system_call(pid, tid)
    if waits is None or waits.number < 0:
        return Bearing.RUNS if procfs.thread_state(pid, tid) == "R" else None
    kind = int(lib.ai_inject_wait(waits.number, waits.arguments[1]))
    if kind == 0:
        return None
    if kind == 1 or (waits.number == READ and not procfs.is_socket(pid, waits.arguments[0])):
        return Bearing.RESTARTS
    return Bearing.BEGUN_AGAIN
