"""A target with many handles that are replaced all the time.

Arguments: the level to start the agent at (default ``count``).

Steps: ``many COUNT`` (live handles from now on), ``replace COUNT`` (so many random handles at once:
as many births as deaths), ``churn PER_SECOND`` (replaces on a thread until ``calm``), ``forget``.
"""

from __future__ import annotations

import random
import sys
import threading
import time

from stepping import serve

from inspector import agent
from inspector.runtime import TodoList

TURN_SECS = 0.01


class Program:
    """The handles of the steps."""

    def __init__(self) -> None:
        self._kept: list[TodoList] = []
        self._random = random.Random(7)  # noqa: S311 - chooses handles, no secret
        self._calm = threading.Event()
        self._thread: threading.Thread | None = None

    def many(self, count: str) -> int:
        while len(self._kept) < int(count):
            self._kept.append(TodoList())
        del self._kept[int(count) :]
        return len(self._kept)

    def replace(self, count: str) -> int:
        for _ in range(int(count)):
            self._kept[int(self._random.random() * len(self._kept))] = TodoList()
        return int(count)

    def churn(self, per_second: str) -> None:
        self._calm.clear()
        self._thread = threading.Thread(
            target=self._run, args=(int(per_second),), name="churn", daemon=True
        )
        self._thread.start()

    def calm(self) -> None:
        if self._thread is not None:
            self._calm.set()
            self._thread.join()
            self._thread = None

    def forget(self) -> None:
        self.calm()
        self._kept.clear()

    def _run(self, per_second: int) -> None:
        began, replaced = time.monotonic(), 0
        while not self._calm.wait(TURN_SECS):
            due = int((time.monotonic() - began) * per_second) - replaced
            self.replace(str(due))
            replaced += due


def main() -> None:
    """Start the agent and serve the steps."""
    segment = str(agent.start(level=sys.argv[1] if len(sys.argv) > 1 else "count"))
    program = Program()
    steps = {
        name: getattr(program, name) for name in ("many", "replace", "churn", "calm", "forget")
    }
    serve(steps, forget=program.forget, segment=segment)


if __name__ == "__main__":
    main()
