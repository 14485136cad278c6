"""A search in a target that takes its time: the caller gets its progress, and may give it up.

Any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from inspector.model.holders import SearchProgress
from inspector.wire.messages import Answer

SEARCH_SECS: Final = 120.0
"""How long a search may take before it is given up by itself."""


def ignore_progress(progress: SearchProgress) -> None:
    """Ignores the progress."""


class Search:
    """One search. Give it to the session's question; ``give_up`` ends it, also in the target."""

    def __init__(self, on_progress: Callable[[SearchProgress], None] = ignore_progress) -> None:
        """``on_progress`` is called on a thread of the session, some times a second."""
        self._on_progress = on_progress
        self._given_up = threading.Event()
        self._hearing = threading.RLock()

    def give_up(self) -> None:
        """The caller waits for the answer no longer, and hears of no progress from now on."""
        with self._hearing:
            self._given_up.set()

    @property
    def is_given_up(self) -> bool:
        """It was given up."""
        return self._given_up.is_set()

    def hear(self, answer: Answer) -> None:
        """A line of progress; nonsense is skipped."""
        looked_at, found = answer.fields.get("looked_at"), answer.fields.get("found")
        if isinstance(looked_at, int) and isinstance(found, int):
            with self._hearing:
                if not self.is_given_up:
                    self._on_progress(SearchProgress(looked_at, found))
