"""Answers of the control socket as the session's own types.

The target's answer is checked: it may be any process.

Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from inspector.errors import ControlError, TargetBusyError
from inspector.model.fields import COUNT_LIMIT, FLOAT_LIMIT
from inspector.plain_text import one_line
from inspector.session.protocol import AuditedAct, AuditLog, CloseAnswer, DrainReport, GcReport
from inspector.vocabulary import Level
from inspector.wire.messages import Answer

NANOS_PER_SEC: Final = 1_000_000_000
_OUTCOMES: Final = frozenset(
    {"would_close", "would_wait", "closed", "pending", "refused", "failed"}
)
_BUSY_STATUSES: Final = frozenset({"GivenUp", "Busy"})

Result = TypeVar("Result")


def require_ok(answer: Answer) -> Answer:
    """The answer itself; raises ``ControlError`` for a refusal.

    Raises ``TargetBusyError`` when the target gave up.
    """
    if answer.ok:
        return answer
    message = answer.error or "the target refused without a reason"
    if answer.status in _BUSY_STATUSES:
        raise TargetBusyError(message)
    raise ControlError(message)


def gc_report(answer: Answer) -> GcReport:
    """The effect of a collection. Raises ``ControlError`` for a malformed answer."""
    return _checked(answer, _gc_report)


def close_answers(answer: Answer) -> tuple[CloseAnswer, ...]:
    """The outcome for each handle. Raises ``ControlError`` for a malformed answer."""
    return _checked(answer, lambda fields: tuple(_close_answer(each) for each in fields["answers"]))


def drain_report(answer: Answer) -> DrainReport:
    """The result of a drain. Raises ``ControlError`` for a malformed answer."""
    return _checked(
        answer,
        lambda fields: DrainReport(
            ran=whole(fields["ran"]), still_pending=whole(fields["still_pending"])
        ),
    )


def was_taken_back(answer: Answer) -> bool:
    """Whether a close was taken back before it ran; otherwise its event loop is to cancel it.

    Raises ``ControlError`` for a refusal and for a malformed answer.
    """
    outcome = _checked(answer, lambda fields: str(fields["outcome"]))
    if outcome not in ("taken_back", "cancelling"):
        raise ControlError("the target's answer is not understood")
    return outcome == "taken_back"


def audit_log(answer: Answer) -> AuditLog:
    """The acts of viewers. Raises ``ControlError`` for a malformed answer."""
    return _checked(answer, _audit_log)


def level_in(answer: Answer) -> int:
    """The level in force. Raises ``ControlError`` for an answer that is none."""
    return _checked(answer, lambda fields: int(Level(fields["level"])))


def _checked(answer: Answer, read: Callable[[Mapping[str, Any]], Result]) -> Result:
    fields = require_ok(answer).fields
    try:
        return read(fields)
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ControlError("the target's answer is not understood") from error


def whole(value: object, *, most: int = COUNT_LIMIT) -> int:
    """A number of things, from 0 to ``most``. Raises ``ValueError`` for anything else."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("not a number of things")
    return value


def handle(value: object) -> int:
    """The number of a handle. Raises ``ValueError`` for anything else."""
    return whole(value, most=2**64 - 1)


def text(value: object) -> str:
    """A text as one line. Raises ``TypeError`` for anything else."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return one_line(value)


def moment(value: object) -> float:
    """Seconds since the Unix epoch that a calendar has. Raises ``ValueError`` for anything else."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= FLOAT_LIMIT
    ):
        raise ValueError("not a time")
    return float(value)


def _gc_report(fields: Mapping[str, Any]) -> GcReport:
    return GcReport(
        collected=whole(fields["collected"]) if "collected" in fields else None,
        handles_released=whole(fields["released"]),
        closes_queued=whole(fields["closes_queued"]),
        still_pending=whole(fields["still_pending"]),
        took_secs=whole(fields["took_nanos"]) / NANOS_PER_SEC,
        uncollectable=whole(fields.get("uncollectable", 0)),
    )


def _close_answer(fields: Mapping[str, Any]) -> CloseAnswer:
    outcome = fields["outcome"]
    if outcome not in _OUTCOMES:
        raise ValueError(outcome)
    return CloseAnswer(
        handle=handle(fields["handle"]),
        outcome=outcome,
        reason=text(fields.get("reason", "")),
        holders=tuple(map(text, fields.get("holders", ()))),
        first=tuple(map(handle, fields.get("first", ()))),
    )


def _audit_log(fields: Mapping[str, Any]) -> AuditLog:
    acts = tuple(_act(each) for each in fields["acts"])
    return AuditLog(acts, whole(fields["dropped"]), text(fields.get("trouble") or ""))


def _act(fields: Mapping[str, Any]) -> AuditedAct:
    return AuditedAct(
        at=moment(fields["at"]),
        op=text(fields["op"]),
        pid=whole(fields["pid"]),
        uid=whole(fields["uid"]),
        handles=tuple(map(handle, fields["handles"])),
        handle_count=whole(fields["handle_count"]),
        outcome=text(fields["outcome"]),
        result=_result(fields.get("result")),
        wish=_flat(fields.get("wish")),
    )


def _result(value: object) -> Any:
    """For a close an outcome for each of the first handles; else a text, figures or nothing."""
    if not isinstance(value, list):
        return _flat(value)
    return [{"handle": handle(each["handle"]), "outcome": text(each["outcome"])} for each in value]


def _flat(value: object) -> Any:
    """A text, a number, a flag or nothing, or such by name.

    Deeper things no target tells of an act.
    """
    if isinstance(value, dict):
        return {text(name): _scalar(each) for name, each in value.items()}
    return _scalar(value)


def _scalar(value: object) -> str | int | float | bool | None:
    if isinstance(value, str):
        return text(value)
    if (
        value is None
        or isinstance(value, bool)
        or (isinstance(value, int | float) and abs(value) <= COUNT_LIMIT)
    ):
        return value
    raise ValueError("neither a text nor a number in range")
