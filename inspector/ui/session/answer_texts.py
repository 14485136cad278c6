"""The target's answers, in one sentence each. Pure; any thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from inspector.errors import InspectorError
from inspector.model import wording
from inspector.session.protocol import CloseAnswer, DrainReport, GcReport

NOTHING_FREED: Final = "Nothing was garbage: all live handles are still referenced"


def freed_nothing(report: GcReport) -> bool:
    """The collection found no garbage, as far as the runtime says what it found."""
    if report.collected is None:
        return False
    found = report.collected or report.handles_released or report.closes_queued
    return not found and not report.uncollectable


def gc_sentence(report: GcReport) -> str:
    """``Collection freed 312 objects, released 40 handles, …, took 38 ms``."""
    if freed_nothing(report):
        return NOTHING_FREED
    released = f"released {wording.plural(report.handles_released, 'handle')}"
    parts = (
        *(
            (f"Collection {released}",)
            if report.collected is None
            else (f"Collection freed {wording.plural(report.collected, 'object')}", released)
        ),
        f"{wording.plural(report.closes_queued, 'close')} queued",
        f"{report.still_pending:,} still pending",
        f"took {wording.duration(report.took_secs)}",
    )
    text = ", ".join(parts)
    return text + (
        (f"; {wording.plural(report.uncollectable, 'object')} cannot be collected")
        if report.uncollectable
        else ""
    )


def close_sentence(answers: Sequence[CloseAnswer]) -> str:
    """``Closed 2 resources, 1 pending (2 calls in flight), 1 refused``."""
    by = {
        outcome: [a for a in answers if a.outcome == outcome]
        for outcome in ("closed", "pending", "refused", "failed")
    }
    parts = [f"Closed {wording.plural(len(by['closed']), 'resource')}"]
    for outcome in ("pending", "refused", "failed"):
        if by[outcome]:
            reasons = sorted({a.reason for a in by[outcome] if a.reason})
            parts.append(
                f"{len(by[outcome]):,} {outcome}"
                + (f" ({'; '.join(reasons[:2])})" if reasons else "")
            )
    return ", ".join(parts)


def drain_sentence(report: DrainReport) -> str:
    """``Ran 2 closes; 3 still wait for calls or for a thread that lives``."""
    ran = (
        f"Ran {wording.plural(report.ran, 'close')}"
        if report.ran
        else ("No close could be run from here")
    )
    if not report.still_pending:
        return f"{ran}; nothing waits any more"
    waits = "waits" if report.still_pending == 1 else "wait"
    return (
        f"{ran}; {report.still_pending:,} still {waits} for a call to end, or for the owner "
        "thread to run it"
    )


def error_sentence(error: BaseException) -> str:
    """One line, cause first; errors that are not the package's own are named."""
    text = (str(error) or type(error).__name__).splitlines()[0]
    return (
        text[:1].upper() + text[1:]
        if isinstance(error, InspectorError)
        else f"{type(error).__name__}: {text}"
    )
