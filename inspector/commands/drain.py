"""``arc-inspector drain PID``: run the waiting closes that nothing blocks any more."""

from __future__ import annotations

from typing import Annotated

import typer

from inspector.commands.support.asking import ask_target
from inspector.commands.support.output import print_json, say
from inspector.model.wording import plural
from inspector.session.answers import drain_report


def drain(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run the closes of a process whose owner thread has ended.

    Closes with a living owner thread go on waiting.
    """
    report = drain_report(ask_target(pid, "drain"))
    if as_json:
        print_json({"ran": report.ran, "still_pending": report.still_pending})
    else:
        say(f"ran {plural(report.ran, 'close')}, {report.still_pending:,} still pending")
