"""Turns a status of the C interface into the error class of its name.

Any thread; the fast path is one comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final, NoReturn

from inspector._native import ffi, lib
from inspector.errors import (
    ClosedError,
    CloseError,
    ControlError,
    HandleError,
    InspectorError,
    NativePanicError,
    PoisonedError,
    SegmentError,
    StaleHandleError,
    UnknownHandleError,
    WrongTypeError,
    ZeroHandleError,
)


class Status(IntEnum):
    """Result of a call of the C interface."""

    OK = lib.AiStatus_Ok
    ZERO_HANDLE = lib.AiStatus_ZeroHandle
    STALE_HANDLE = lib.AiStatus_StaleHandle
    WRONG_TYPE = lib.AiStatus_WrongType
    UNKNOWN_HANDLE = lib.AiStatus_UnknownHandle
    CLOSED = lib.AiStatus_Closed
    CLOSE_REFUSED = lib.AiStatus_CloseRefused
    CLOSE_FAILED = lib.AiStatus_CloseFailed
    PENDING = lib.AiStatus_Pending
    """Not an error: a close was queued and will run later."""
    WRONG_THREAD = lib.AiStatus_WrongThread
    BAD_ARGUMENT = lib.AiStatus_BadArgument
    PANIC = lib.AiStatus_Panic
    UNAVAILABLE = lib.AiStatus_Unavailable
    IO = lib.AiStatus_Io
    BAD_SEGMENT = lib.AiStatus_BadSegment
    VERSION_MISMATCH = lib.AiStatus_VersionMismatch
    NOT_RUNNING = lib.AiStatus_NotRunning
    TABLE_FULL = lib.AiStatus_TableFull
    POISONED = lib.AiStatus_Poisoned


ERRORS: Final[Mapping[int, type[InspectorError]]] = MappingProxyType(
    {
        Status.ZERO_HANDLE: ZeroHandleError,
        Status.STALE_HANDLE: StaleHandleError,
        Status.WRONG_TYPE: WrongTypeError,
        Status.UNKNOWN_HANDLE: UnknownHandleError,
        Status.CLOSED: ClosedError,
        Status.CLOSE_REFUSED: CloseError,
        Status.CLOSE_FAILED: CloseError,
        Status.PENDING: CloseError,
        Status.WRONG_THREAD: HandleError,
        Status.PANIC: NativePanicError,
        Status.BAD_SEGMENT: SegmentError,
        Status.VERSION_MISMATCH: SegmentError,
        Status.NOT_RUNNING: ControlError,
        Status.POISONED: PoisonedError,
    }
)
"""Statuses that are not named here raise ``InspectorError`` itself."""

_NEW_ERROR: Final = ffi.typeof("AiError *")


def new_error() -> Any:
    """An empty ``AiError`` for one call."""
    return ffi.new(_NEW_ERROR)


def message_of(error: Any) -> str:
    """The text of an ``AiError``: one line, cause first; ``""`` when there is none."""
    if error == ffi.NULL:
        return ""
    length = min(error.length, ffi.sizeof(error.message))
    return bytes(ffi.buffer(error.message, length)).decode(errors="replace")


def raise_status(status: int, error: Any) -> NoReturn:
    """Raise the error class of a status, with the message that the call left."""
    message = message_of(error) or _name(status)
    raise ERRORS.get(status, InspectorError)(message)


def raise_last(status: int) -> NoReturn:
    """Raise the error class of a status, with the message of the newest call.

    It is this thread's newest call that got ``NULL`` for its error.
    """
    error = new_error()
    lib.ai_last_error(error)
    raise_status(status, error)


def check(status: int, error: Any) -> None:
    """Raise unless the status is ``OK``."""
    if status:
        raise_status(status, error)


def _name(status: int) -> str:
    """A message for a status without a message."""
    try:
        return Status(status).name.lower().replace("_", " ")
    except ValueError:
        return f"native status {status}"
