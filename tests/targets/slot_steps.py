"""A target whose agent gets adapters that fail on request.

Steps: ``start NAME[:attach|:detach]…``, ``start_in DIRECTORY``, ``stop``, ``state``.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from stepping import serve

from inspector import agent
from inspector.agent.adapters.protocol import CloseVerdict
from inspector.wire import lib

BEFORE = len(gc.callbacks), dict(vars(threading.Thread)), threading.active_count()


class NotingAdapter:
    """Notes when it is attached and detached; fails on request."""

    def __init__(self, name: str, notes: list[str], fails_to: str) -> None:
        self.name = name
        self._notes = notes
        self._fails_to = fails_to

    def attach(self) -> None:
        self._note("attach")

    def detach(self) -> None:
        self._note("detach")

    def scan(self) -> Iterator[int]:
        return iter(())

    def poll(self) -> None:
        pass

    def owns(self, row: int) -> bool:
        return False

    def close(
        self,
        row: int,
        *,
        although_held: bool,
        preview: bool,
        withdraw_after_secs: float | None = None,
    ) -> CloseVerdict:
        return CloseVerdict("refused", "never")

    def referrers(self, row: int) -> Sequence[str]:
        return []

    def _note(self, what: str) -> None:
        self._notes.append(f"{self.name} {what}")
        if what == self._fails_to:
            raise ValueError(f"{self.name} cannot {what}")


class Steps:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, *adapters: str) -> str:
        parts = [adapter.partition(":") for adapter in adapters]
        return agent.start(
            adapters=[NotingAdapter(name, self.notes, fails_to) for name, _, fails_to in parts]
        )

    def start_in(self, directory: str) -> str:
        return agent.start(directory=directory)

    def stop(self) -> None:
        agent.stop()

    def state(self) -> dict[str, Any]:
        now = len(gc.callbacks), dict(vars(threading.Thread)), threading.active_count()
        return {
            "notes": self.notes,
            "running": agent.is_running() or bool(lib.ai_is_running()),
            "as_before": now == BEFORE,
        }


if __name__ == "__main__":
    steps = Steps()
    serve(
        {"start": steps.start, "start_in": steps.start_in, "stop": steps.stop, "state": steps.state}
    )
