"""Faults in hooks, kept for a report: a hook never fails the program."""

from __future__ import annotations


class Faults:
    """Exceptions of hooks, kept until the worker asks. Any thread."""

    def __init__(self) -> None:
        """None yet."""
        self._first: BaseException | None = None
        self.count = 0
        """All of them, since ``take``."""

    def add(self, error: BaseException) -> None:
        """Keep the first, count the rest."""
        self.count += 1
        if self._first is None:
            self._first = error

    def take(self) -> BaseException | None:
        """The first since the last ``take``."""
        first, self._first, self.count = self._first, None, 0
        return first
