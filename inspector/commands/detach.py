"""``arc-inspector detach PID``: take the agent out of a process."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from inspector.attach import linux, procfs
from inspector.attach.discovery import FoundProcess, find_target
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_private_json
from inspector.errors import AttachError, ControlError, TargetBusyError
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.session.leaving import Departure, take_out

REFUSED_STATUS: Final = 1


@keeps_parts
def detach(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help=("Also an agent that the program started itself, or that another viewer uses."),
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Take the agent out of a process: its hooks, threads, socket and segment.

    The program runs on.
    """
    found = _with_agent(pid)
    assert found.segment is not None  # noqa: S101 - it is attachable
    try:
        departure = take_out(found.segment, pid, only_unused=not force)
    except TargetBusyError as error:
        nothing = "nothing was taken out: hooks, threads, socket and segment stay"
        raise TargetBusyError(f"{_stuck(error)}; {nothing} (process {pid})") from error
    if as_json:
        print_private_json(departure_value(pid, departure), pid, kept)
    elif departure.stays:
        raise ControlError(
            f"{departure.stays}: the agent stays; --force takes it out all the same (process {pid})"
        )
    elif not departure.failures and not departure.remains:
        say(f"The agent has left {found.name} ({pid})")
    else:
        raise ControlError(
            f"the agent has left but for {', '.join(_left(departure))} (process {pid})"
        )
    if departure.stays or _left(departure):
        raise typer.Exit(REFUSED_STATUS)


def departure_value(pid: int, departure: Departure) -> dict[str, object]:
    """As JSON."""
    return {
        "pid": pid,
        "detached": not departure.stays,
        "reason": departure.stays or None,
        "failures": list(departure.failures),
        "remains": list(departure.remains),
    }


def _with_agent(pid: int) -> FoundProcess:
    """The process, whose agent runs.

    Raises ``AttachError``, and ``ControlError`` when there is no agent to take out.
    """
    try:
        found = find_target(pid)
    except AttachError as error:
        has_published = any(path.name.startswith(f"{pid}-") for path in linux.segment_files())
        if procfs.process_stat(pid) is not None and not has_published:
            raise ControlError(f"there is no agent to take out (process {pid})") from error
        raise
    if not found.alive:
        raise ControlError(f"the process is gone, and its agent with it (process {pid})")
    return found


def _stuck(error: TargetBusyError) -> str:
    return str(error).partition(";")[0]


def _left(departure: Departure) -> list[str]:
    return [*(f"a hook ({each})" for each in departure.failures), *departure.remains]
