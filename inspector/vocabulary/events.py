"""Kinds of events. Values are those of the layout; a test compares them."""

from __future__ import annotations

from enum import IntEnum


class EventKind(IntEnum):
    """What an event says."""

    GAP = 0
    """Not in the layout: here events were overwritten before they were read, and the count says how many."""
    CREATE = 1
    CLONE = 2
    BORROW = 3
    RETURN = 4
    RELEASE = 5
    CLOSE_REQUEST = 6
    CLOSE = 7
    DROP = 8
    MISUSE = 9
