"""The sample target as a whole: its parts, and its end."""

from __future__ import annotations

import gc
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from inspector.demo.archive import CALM_MILLIS, Archivist, Reader
from inspector.demo.planning import Planner, leave_garbage
from inspector.demo.reminders import REMEMBERED
from inspector.runtime import Churn, Journal, TodoItem, TodoList

PLANNERS: Final = 3
NATIVE_THREADS: Final = 3
NATIVE_ROUNDS_PER_SEC: Final = 150
GARBAGE_SECS: Final = 2.0
GARBAGE_LISTS: Final = 8
CALM_ROUNDS: Final = 60
# As long-running services do. The interpreter would otherwise collect the cycles before a viewer
# can see them.
GC_THRESHOLDS: Final = (100_000, 50, 100)


@dataclass(frozen=True, slots=True)
class Options:
    """How the demo runs."""

    seconds: float | None = None
    """End after so long; ``None``: when it is told."""
    calm: bool = False
    """A fixed sequence that then stands still, for screenshots."""


class Demo:
    """Runs the whole application. ``run`` returns when ``stopping`` is set or the time is over."""

    def __init__(self, options: Options, stopping: threading.Event) -> None:
        """Nothing runs yet."""
        self._options = options
        self._stopping = stopping

    def run(self, ready: threading.Event) -> None:
        """Start everything, set ``ready``, run, and let everything go."""
        gc.set_threshold(*GC_THRESHOLDS)
        with ExitStack() as stack:
            folder = Path(
                stack.enter_context(
                    TemporaryDirectory(prefix="arc-inspector-demo-", ignore_cleanup_errors=True)
                )
            )
            stack.callback(REMEMBERED.clear)
            # It has no other holder and no use: a viewer can close it without harm. Closed there,
            # it is left alone here.
            notes = stack.enter_context(Journal(folder / "notes.txt"))
            notes.append("to be closed by the viewer")
            stack.callback(self._stopping.set)
            if self._options.calm:
                self._run_calm(folder, ready)
            else:
                self._run_busy(folder, ready)

    def _run_busy(self, folder: Path, ready: threading.Event) -> None:
        """Planners, native threads, archives and garbage."""
        planners = [
            Planner(f"planner-{number + 1}", number, self._stopping) for number in range(PLANNERS)
        ]
        reader = Reader(folder, self._stopping)
        threads = [*(planner.thread for planner in planners), reader.thread]
        churn = Churn(threads=NATIVE_THREADS, per_second=NATIVE_ROUNDS_PER_SEC)
        for thread in (*threads, Archivist(folder, self._stopping).thread):
            thread.start()
        reader.close_from_outside()
        leave_garbage(GARBAGE_LISTS)
        ready.set()
        self._wait(garbage=True)
        churn.stop()
        for thread in threads:
            thread.join()

    def _run_calm(self, folder: Path, ready: threading.Event) -> None:
        """The same each time: a backlog, a leak, garbage, and two closes that wait.

        One close drains, the other waits for its owner.

        Then nothing moves.
        """
        planner, inbox = Planner("planner-1", 1, self._stopping), TodoList()
        for _ in range(CALM_ROUNDS):
            planner.plan(inbox)
        kept = TodoItem("held by two")
        shared = kept.clone()
        reader, archivist = (
            Reader(folder, self._stopping),
            Archivist(folder, self._stopping, slow_millis=CALM_MILLIS),
        )
        reader.thread.start()
        archivist.thread.start()
        reader.close_from_outside()
        archivist.close_waits.wait()
        leave_garbage(GARBAGE_LISTS)
        ready.set()
        self._wait(garbage=False)
        shared.release()
        reader.thread.join()

    def _wait(self, *, garbage: bool) -> None:
        """Until the end, leaving garbage now and then."""
        left_secs = self._options.seconds
        while left_secs is None or left_secs > 0:
            pause_secs = GARBAGE_SECS if left_secs is None else min(GARBAGE_SECS, left_secs)
            if self._stopping.wait(pause_secs):
                break
            if garbage:
                leave_garbage(GARBAGE_LISTS)
            if left_secs is not None:
                left_secs -= pause_secs
        self._stopping.set()
