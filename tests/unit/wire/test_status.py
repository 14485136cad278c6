"""A status of the C interface becomes an error with the message that came with it."""

from __future__ import annotations

import pytest

from inspector import errors
from inspector.wire import ffi
from inspector.wire.status import Status, check, message_of, new_error


def failed(message: bytes) -> object:
    error = new_error()
    ffi.memmove(error.message, message, len(message))
    error.length = len(message)
    return error


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.ZERO_HANDLE, errors.ZeroHandleError),
        (Status.STALE_HANDLE, errors.StaleHandleError),
        (Status.WRONG_TYPE, errors.WrongTypeError),
        (Status.UNKNOWN_HANDLE, errors.UnknownHandleError),
        (Status.CLOSED, errors.ClosedError),
        (Status.CLOSE_FAILED, errors.CloseError),
        (Status.PANIC, errors.NativePanicError),
        (Status.BAD_SEGMENT, errors.SegmentError),
        (Status.IO, errors.InspectorError),
    ],
)
def test_each_status_raises_the_error_of_its_name_with_the_message(
    status: Status, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="cause first") as caught:
        check(status, failed(b"cause first"))
    assert type(caught.value) is kind


def test_ok_raises_nothing() -> None:
    check(Status.OK, new_error())


def test_a_status_without_a_message_is_named() -> None:
    with pytest.raises(errors.InspectorError, match="table full"):
        check(Status.TABLE_FULL, new_error())
    with pytest.raises(errors.InspectorError, match="native status 999"):
        check(999, ffi.NULL)


def test_a_message_that_is_not_utf8_or_claims_to_be_longer_than_it_can_be_is_still_read() -> None:
    error = new_error()
    error.message[0] = 0xFF
    error.length = 60_000
    assert message_of(error).startswith("\N{REPLACEMENT CHARACTER}")
