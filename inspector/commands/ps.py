"""``arc-inspector ps``: processes, attachable or why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from inspector.attach.discovery import FoundProcess, find_processes
from inspector.attach.leftovers import Extent, sweep
from inspector.attach.linux import require_support
from inspector.commands.support.output import print_json, say
from inspector.commands.support.redacting import keeps_parts
from inspector.commands.support.rows import PlainRow, count, seconds
from inspector.commands.support.shapes import ProcessShape
from inspector.commands.support.tables import Column, Table
from inspector.model.fields import to_plain
from inspector.model.private_texts import NAMES
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.session.private_facts import private_facts

MOST_DEAD: Final = 5
"""Dead processes in the table, the newest ones: what is looked for is seldom an old one."""
_COLUMNS: Final = (
    Column("PID", is_number=True),
    Column("Name"),
    Column("Runtime", 3),
    Column("Handles", 2, is_number=True),
    Column("Attachable"),
    Column("What helps", 1),
)


@keeps_parts
def ps(
    as_json: Annotated[
        bool, typer.Option("--json", help=("Print one JSON object, always with all processes."))
    ] = False,
    show_all: Annotated[
        bool, typer.Option("--all", help=("List every dead process whose last state is left."))
    ] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """List the processes that can be inspected, and why others cannot.

    Dead processes whose last state is left are listed too.
    """
    require_support()
    # as agents do when they start: here is where the last states of dead processes are looked at
    sweep(Extent.OVERDUE)
    found = find_processes()
    if as_json:
        print_json({"processes": [_value(each, kept) for each in found]})
        return
    if not found:
        say("No Python process and no process with an agent runs here; try: arc-inspector demo")
        return
    table = Table(*_COLUMNS)
    shown, left_out = (found, 0) if show_all else without_old_dead(found)
    for each in shown:
        handles = "–" if each.live_handles < 0 else f"{each.live_handles:,}"
        table.add(
            str(each.pid), each.name, each.runtime or "–", handles, _attachable(each), each.fix
        )
    table.print()
    if left_out:
        say(f"and {left_out:,} more: arc-inspector ps --all")


def without_old_dead(found: Sequence[FoundProcess]) -> tuple[list[FoundProcess], int]:
    """The list with its first ``MOST_DEAD`` dead processes only, and how many were left out."""
    dead = [each for each in found if not each.alive]
    shown = [each for each in found if each.alive] + dead[:MOST_DEAD]
    return shown, len(found) - len(shown)


def _attachable(found: FoundProcess) -> str:
    if found.attachable:
        return found.reason or "yes"
    return f"no: {found.reason}"


def _value(found: FoundProcess, kept: Kept) -> PlainRow:
    """One process; its segment is named whole, because other commands read it."""
    redactor = Redactor(private_facts(found.pid), kept)
    value = redactor.json(to_plain(_shape(found, with_user=NAMES in kept)))
    return {**value, "segment": str(found.segment) if found.segment else None}


def _shape(found: FoundProcess, *, with_user: bool) -> ProcessShape:
    return ProcessShape(
        pid=found.pid,
        name=found.name,
        command=found.command or None,
        runtime=found.runtime or None,
        user=(found.user or None) if with_user else None,
        alive=found.alive,
        attachable=found.attachable,
        readable=found.attachable or found.readable,
        reason=found.reason or None,
        fix=found.fix or None,
        live_handles=count(found.live_handles),
        started_at=seconds(found.started_at),
        segment=None,
    )
