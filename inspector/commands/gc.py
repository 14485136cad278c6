"""``arc-inspector gc PID``: force a collection and print what it freed."""

from __future__ import annotations

from typing import Annotated

import typer

from inspector.commands.support.opening import Running, open_session, say_notices
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_private_json
from inspector.commands.support.rows import gc_value
from inspector.errors import ControlError
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import TargetState
from inspector.model.wording import duration, plural
from inspector.session.protocol import GcReport


@keeps_parts
def gc(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Force a garbage collection in a process and print the freed objects."""
    report = _collect(pid)
    if as_json:
        print_private_json(gc_value(report), pid, kept)
    else:
        say(sentence(report))


def _collect(pid: int) -> GcReport:
    """Have what this viewer declares followed, then collect.

    Raises ``AttachError`` or ``ControlError``.

    No snapshot is waited for: where nothing collects, the target refuses at once.
    """
    session = open_session(pid)
    try:
        say_notices(session)
        latest, can = session.latest, session.capabilities
        if latest is not None and latest.target.state is TargetState.HUNG and not can.act:
            raise ControlError(can.reason)
        return session.force_gc().result()
    finally:
        session.end()
        if isinstance(session, Running):
            session.join()


def sentence(report: GcReport) -> str:
    """``freed 312 objects, released 40 handles, 2 closes queued, 4 still pending, took 38 ms``."""
    parts = [] if report.collected is None else [f"freed {plural(report.collected, 'object')}"]
    parts += [
        f"released {plural(report.handles_released, 'handle')}",
        f"{plural(report.closes_queued, 'close')} queued",
        f"{report.still_pending:,} still pending",
        f"took {duration(report.took_secs)}",
    ]
    if report.uncollectable:
        parts.append(f"{plural(report.uncollectable, 'object')} cannot be collected")
    return ", ".join(parts)
