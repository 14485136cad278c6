"""Messages of the control socket, one JSON object a line; both sides use this, neither owns it.

A request has a nonce and a deadline; its answer repeats the nonce. Decoding takes any bytes: bytes
that are no message give a ``ControlError`` with one line, never another exception. Nothing here
does I/O. Any thread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from inspector.errors import ControlError
from inspector.plain_text import one_line

MAX_LINE_BYTES: Final = 1 << 20
"""A longer line ends the connection, on either side."""
SHOWN_BYTES: Final = 60
"""So much of a line that is not understood is quoted in the error."""

UNFINISHED: Final = "more"
"""Field of a line that says how far a request is; its answer follows."""

NO_FIELDS: Final[Mapping[str, Any]] = MappingProxyType({})


class Request(NamedTuple):
    """A viewer's request to a target."""

    nonce: int
    op: str
    deadline_ms: int
    """From its arrival; the target drops what is later."""
    fields: Mapping[str, Any] = NO_FIELDS
    """The fields that the operation takes."""


class Answer(NamedTuple):
    """A target's answer."""

    nonce: int
    ok: bool
    error: str
    """One line, cause first; ``""`` when ``ok``."""
    status: str
    """Name of the native status (``GivenUp``, ``VersionMismatch``); ``""`` when ``ok``."""
    fields: Mapping[str, Any]
    """Everything else."""


class Job(NamedTuple):
    """A job for the agent's worker thread: a command that needs the interpreter."""

    number: int
    op: str
    fields: Mapping[str, Any]


def encode_request(request: Request) -> bytes:
    """One line with its newline. Raises ``ControlError`` when it is too long to be accepted."""
    return _line(
        {
            "nonce": request.nonce,
            "op": request.op,
            "deadline_ms": request.deadline_ms,
            **request.fields,
        }
    )


def decode_answer(line: bytes) -> Answer:
    """The answer in a line (with or without newline). Raises ``ControlError``."""
    fields = _object(line)
    nonce, ok = fields.pop("nonce", 0), fields.pop("ok", None)
    error, status = fields.pop("error", ""), fields.pop("status", "")
    if not (
        type(nonce) is int
        and isinstance(ok, bool)
        and isinstance(error, str)
        and isinstance(status, str)
    ):
        raise ControlError(f"not an answer: {_shown(line)}")
    return Answer(nonce=nonce, ok=ok, error=one_line(error), status=status, fields=fields)


def decode_job(line: bytes) -> Job:
    """The job in a line. Raises ``ControlError``."""
    fields = _object(line)
    number, op = fields.pop("job", None), fields.pop("op", None)
    if not isinstance(number, int) or not isinstance(op, str):
        raise ControlError(f"not a job: {_shown(line)}")
    return Job(number=number, op=op, fields=fields)


def encode_success(fields: Mapping[str, Any]) -> bytes:
    """The reply to a job that was done."""
    return _line({"ok": True, **fields})[:-1]


def encode_failure(error: str, *, status: str = "") -> bytes:
    """The reply to a job that failed; the error becomes one line."""
    answer: dict[str, Any] = {"ok": False, "error": " ".join(error.split())}
    if status:
        answer["status"] = status
    return _line(answer)[:-1]


def _line(fields: Mapping[str, Any]) -> bytes:
    """Encode compactly, with a newline; within the limit."""
    line = json.dumps(fields, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise ControlError(
            f"a message of {len(line)} bytes is too long, {MAX_LINE_BYTES} are allowed"
        )
    return line


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object in a line."""
    if len(line) > MAX_LINE_BYTES:
        raise ControlError(
            f"a message of {len(line)} bytes is too long, {MAX_LINE_BYTES} are allowed"
        )
    try:
        found = json.loads(line.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ControlError(f"not JSON: {_shown(line)}") from error
    if not isinstance(found, dict):
        raise ControlError(f"not a message: {_shown(line)}")
    return found


def _refuse(constant: str) -> NoReturn:
    """No ``NaN`` and no infinity: JSON has none."""
    raise ValueError(constant)


def _shown(line: bytes) -> str:
    """The start of a line, safe to print."""
    text = ascii(line[:SHOWN_BYTES].decode(errors="replace").strip())
    return text if len(line) <= SHOWN_BYTES else f"{text} …"
