"""Kinds of events, one line a kind. Values are those of the layout; a test compares them."""

from __future__ import annotations

from enum import IntEnum


class EventKind(IntEnum):
    """The meaning of an event."""

    word: str
    """For people."""
    tells_count: bool
    """The event has the strong count after it; of a gap the number of lost events."""

    def __new__(cls, code: int, word: str = "", tells_count: bool = False) -> EventKind:
        """``code`` as in the layout."""
        kind = int.__new__(cls, code)
        kind._value_ = code
        kind.word = word
        kind.tells_count = tells_count
        return kind

    GAP = 0, "gap", True
    """Not in the layout: here events were overwritten before they were read, and the count says how
    many."""
    CREATE = 1, "created", True
    CLONE = 2, "cloned", True
    BORROW = 3, "call began"
    RETURN = 4, "call ended"
    RELEASE = 5, "released", True
    CLOSE_REQUEST = 6, "close requested"
    CLOSE = 7, "closed"
    DROP = 8, "dropped"
    MISUSE = 9, "use refused"
