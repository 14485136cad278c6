"""The two state machines of a handle in words.

Apart from the panes because filter, sorting, tables and commands need the same words. Pure; any
thread.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import Codes, Handles
from inspector.vocabulary import PENDING, Reference, Resource

REFERENCE_WORDS: Final = {
    Reference.FREE: "free",
    Reference.LIVE: "live",
    Reference.RELEASE_REQUESTED: "release requested",
    Reference.RELEASED: "released",
    Reference.DROPPED: "dropped",
}
RESOURCE_WORDS: Final = {
    Resource.NONE: "",
    Resource.OPEN: "open",
    Resource.CLOSE_REQUESTED: "close requested",
    Resource.DRAINING: "draining",
    Resource.WAITING_OWNER: "waits for owner",
    Resource.CLOSING: "closing",
    Resource.CLOSED: "closed",
    Resource.CLOSE_FAILED: "close failed",
    Resource.NEVER_CLOSED: "never closed",
    Resource.POISONED: "poisoned",
    Resource.UNKNOWN: "closed or not: unknown",
    Resource.FREED: "freed, still held",
}
ALIVE: Final = (Reference.LIVE, Reference.RELEASE_REQUESTED)
"""Reference states of rows that are no tombstones."""


class Standing(StrEnum):
    """The visual meaning of a row's states: it chooses icon and colour."""

    NORMAL = "normal"
    WAITING = "waiting"
    CLOSED = "closed"
    FAILED = "failed"
    DEAD = "dead"


def state_words(reference: int, resource: int) -> str:
    """The state column: ``live``, ``open``, ``draining``, ``dropped, never closed``.

    Unknown codes are named by number.
    """
    if reference not in REFERENCE_WORDS or resource not in RESOURCE_WORDS:
        return f"state {reference}/{resource}"
    first = REFERENCE_WORDS[Reference(reference)]
    second = RESOURCE_WORDS[Resource(resource)]
    if reference == Reference.LIVE:
        return second or first
    return f"{first}, {second}" if second and resource != Resource.OPEN else first


def standing(reference: int, resource: int) -> Standing:
    """The meaning of both states together."""
    if reference not in ALIVE:
        return Standing.DEAD
    if resource in PENDING or reference == Reference.RELEASE_REQUESTED:
        return Standing.WAITING
    if resource in (Resource.CLOSE_FAILED, Resource.POISONED, Resource.FREED):
        return Standing.FAILED
    return Standing.CLOSED if resource == Resource.CLOSED else Standing.NORMAL


def search_words(reference: int, resource: int) -> str:
    """All words that ``state:`` finds.

    The state column's words come first, then ``live`` or ``dead``, then ``pending``.
    """
    words = [state_words(reference, resource), "live" if reference in ALIVE else "dead"]
    if reference in ALIVE and resource in PENDING:
        words.append("pending")
    return " ".join(words)


def alive(handles: Handles) -> npt.NDArray[np.bool_]:
    """Rows that are no tombstones."""
    return among(handles.references, ALIVE)


def ended(handles: Handles) -> npt.NDArray[np.bool_]:
    """Rows that were released, or whose resource is closed."""
    gone: npt.NDArray[np.bool_] = ~alive(handles) | (handles.resources == Resource.CLOSED)
    return gone


def pending(handles: Handles) -> npt.NDArray[np.bool_]:
    """Rows with a close that was asked for and has not run."""
    return alive(handles) & among(handles.resources, PENDING)


def among(codes: Codes, wanted: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Marks the ``codes`` that are ``wanted``; a table look-up, not a search."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(wanted)] = True
    return table[codes]
