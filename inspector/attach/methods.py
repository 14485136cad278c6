"""The ways into a process."""

from __future__ import annotations

from enum import StrEnum


class Way(StrEnum):
    """How a process is attached."""

    AGENT = "agent"
    """Its agent runs already."""
    REMOTE = "remote"
    """CPython's own interface, from 3.14 on: the main thread brings the agent in when it comes by."""
    INJECT = "inject"
    """A thread of the target is borrowed for a moment: with consent only."""
