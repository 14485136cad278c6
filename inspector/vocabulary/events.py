"""Kinds of events. Values are the layout's; a test compares them."""

from __future__ import annotations

from enum import IntEnum


class EventKind(IntEnum):
    """The kind of an event."""

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
