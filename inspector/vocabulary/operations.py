"""The operations of the control socket, one line each.

The native half has the same list; a test compares both.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class Place(Enum):
    """The code of the agent that carries an operation out."""

    NATIVE = "native"
    """Its native threads."""
    INTERPRETER = "interpreter"
    """Its worker thread, with the interpreter's lock."""
    BOTH = "both"
    """Its native threads; for handles of adapters the worker thread."""


class Operation(NamedTuple):
    """A question or an order that a viewer sends to a target."""

    name: str
    """As requests have it."""
    place: Place
    changes: bool = False
    """It changes the target, or has it run code of its program: a target does it only on a
    connection that said ``armed`` in its hello."""
    is_long: bool = False
    """The worker thread does it in slices and tells how far it is."""


OPERATIONS: Final = (
    Operation("hello", Place.NATIVE),
    Operation("ping", Place.NATIVE),
    Operation("level", Place.NATIVE),
    Operation("type_level", Place.NATIVE),
    Operation("interval", Place.NATIVE),
    Operation("audit", Place.NATIVE),
    Operation("threads", Place.INTERPRETER),
    Operation("scan", Place.INTERPRETER, is_long=True),
    Operation("adapters", Place.INTERPRETER),
    Operation("preview", Place.BOTH),
    Operation("referrers", Place.INTERPRETER),
    Operation("holders", Place.NATIVE),
    Operation("retainers", Place.INTERPRETER, is_long=True),
    Operation("cycles", Place.INTERPRETER, is_long=True),
    Operation("gc", Place.INTERPRETER, changes=True),
    Operation("close", Place.BOTH, changes=True),
    Operation("cancel", Place.NATIVE, changes=True),
    Operation("withdraw", Place.INTERPRETER, changes=True),
    Operation("drain", Place.NATIVE, changes=True),
    Operation("detach", Place.INTERPRETER, changes=True),
    Operation("declare", Place.INTERPRETER, changes=True),
)

_BY_NAME: Final = {each.name: each for each in OPERATIONS}


def operation_named(name: str) -> Operation:
    """The operation with this name. Raises ``KeyError``."""
    return _BY_NAME[name]
