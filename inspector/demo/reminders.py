"""The leak, made on purpose: reminders are remembered and never forgotten."""

from __future__ import annotations

from typing import Final

from inspector.runtime import TodoItem

# Module-level on purpose: this is the mistake that the demo lets one find.
REMEMBERED: Final[list[TodoItem]] = []


def remember_for_ever(item: TodoItem) -> None:
    """Keep a handle of our own, and never let go of it."""
    REMEMBERED.append(item.clone())
