"""How much a target records, and the two state machines of a handle.

Values are the layout's; a test compares them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Level(IntEnum):
    """How much a target records."""

    OFF = 0
    COUNT = 1
    HISTORY = 2
    STACKS = 3


class Reference(IntEnum):
    """The reference's life: ``ReferenceState`` in the layout."""

    FREE = 0
    LIVE = 1
    RELEASE_REQUESTED = 2
    RELEASED = 3
    DROPPED = 4


class Resource(IntEnum):
    """The resource's life: ``ResourceState`` in the layout."""

    NONE = 0
    OPEN = 1
    CLOSE_REQUESTED = 2
    DRAINING = 3
    WAITING_OWNER = 4
    CLOSING = 5
    CLOSED = 6
    CLOSE_FAILED = 7
    NEVER_CLOSED = 8
    POISONED = 9
    """A call panicked inside the object, which may be half changed: it can only be released."""
    UNKNOWN = 10
    """Dropped while it could not be asked whether it had been closed."""
    FREED = 11
    """The proxy's finaliser has released the reference, and Python still has the proxy."""


PENDING: Final = (
    Resource.CLOSE_REQUESTED,
    Resource.DRAINING,
    Resource.WAITING_OWNER,
    Resource.CLOSING,
)
"""Resource states that make a pending close."""
