"""``arc-inspector drain PID``: run the waiting closes that nothing blocks any more."""

from __future__ import annotations

from typing import Annotated

import typer

from inspector.commands.support.asking import ask_target
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_private_json
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.wording import plural
from inspector.session.answers import drain_report


@keeps_parts
def drain(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Run the closes of a process whose owner thread has ended.

    Closes with a living owner thread go on waiting.
    """
    report = drain_report(ask_target(pid, "drain"))
    if as_json:
        value = {"ran": report.ran, "still_pending": report.still_pending}
        print_private_json(value, pid, kept)
    else:
        say(f"ran {plural(report.ran, 'close')}, {report.still_pending:,} still pending")
