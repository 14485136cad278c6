"""Answers of the control socket as the session's own types. What the target says is checked: it may be any process.

Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from inspector.errors import ControlError, TargetBusyError
from inspector.session.protocol import AuditedAct, AuditLog, CloseAnswer, DrainReport, GcReport
from inspector.wire.messages import Answer

NANOS_PER_SEC: Final = 1_000_000_000
_OUTCOMES: Final = frozenset({"would_close", "closed", "pending", "refused", "failed"})
_BUSY_STATUSES: Final = frozenset({"GivenUp", "Busy"})

Result = TypeVar("Result")


def require_ok(answer: Answer) -> Answer:
    """The answer itself, unless it is a refusal: then ``ControlError``, or ``TargetBusyError`` when the target gave up."""
    if answer.ok:
        return answer
    message = answer.error or "the target refused without a reason"
    if answer.status in _BUSY_STATUSES:
        raise TargetBusyError(message)
    raise ControlError(message)


def gc_report(answer: Answer) -> GcReport:
    """What a collection did. Raises ``ControlError`` for an answer that is none."""
    return _checked(answer, _gc_report)


def close_answers(answer: Answer) -> tuple[CloseAnswer, ...]:
    """What became of each handle. Raises ``ControlError`` for an answer that is none."""
    return _checked(answer, lambda fields: tuple(_close_answer(each) for each in fields["answers"]))


def drain_report(answer: Answer) -> DrainReport:
    """What a drain came to. Raises ``ControlError`` for an answer that is none."""
    return _checked(answer, lambda fields: DrainReport(ran=int(fields["ran"]), still_pending=int(fields["still_pending"])))


def audit_log(answer: Answer) -> AuditLog:
    """What viewers did. Raises ``ControlError`` for an answer that is none."""
    return _checked(answer, _audit_log)


def level_in(answer: Answer) -> int:
    """The level in force. Raises ``ControlError`` for an answer that is none."""
    return _checked(answer, lambda fields: int(fields["level"]))


def _checked(answer: Answer, read: Callable[[Mapping[str, Any]], Result]) -> Result:
    fields = require_ok(answer).fields
    try:
        return read(fields)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ControlError("the target's answer is not understood") from error


def _gc_report(fields: Mapping[str, Any]) -> GcReport:
    return GcReport(
        collected=int(fields["collected"]),
        handles_released=int(fields["released"]),
        closes_queued=int(fields["closes_queued"]),
        still_pending=int(fields["still_pending"]),
        took_secs=int(fields["took_nanos"]) / NANOS_PER_SEC,
        uncollectable=int(fields.get("uncollectable", 0)),
    )


def _close_answer(fields: Mapping[str, Any]) -> CloseAnswer:
    outcome = fields["outcome"]
    if outcome not in _OUTCOMES:
        raise ValueError(outcome)
    return CloseAnswer(
        handle=int(fields["handle"]),
        outcome=outcome,
        reason=" ".join(str(fields.get("reason", "")).split()),
        holders=tuple(str(holder) for holder in fields.get("holders", ())),
        first=tuple(int(handle) for handle in fields.get("first", ())),
    )


def _audit_log(fields: Mapping[str, Any]) -> AuditLog:
    acts = tuple(_act(each) for each in fields["acts"])
    return AuditLog(acts, int(fields["dropped"]), _one_line(fields.get("trouble") or ""))


def _act(fields: Mapping[str, Any]) -> AuditedAct:
    return AuditedAct(
        at=float(fields["at"]),
        op=str(fields["op"]),
        pid=int(fields["pid"]),
        uid=int(fields["uid"]),
        handles=tuple(int(handle) for handle in fields["handles"]),
        handle_count=int(fields["handle_count"]),
        outcome=str(fields["outcome"]),
        result=fields.get("result"),
        wish=fields.get("wish"),
    )


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
