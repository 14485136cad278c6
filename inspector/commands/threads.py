"""``arc-inspector threads PID|FILE``: the handles that each thread makes, owns and waits for."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from inspector.commands.support.opening import ReadOnly
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import PlainRow, about_value, count, seconds
from inspector.commands.support.shapes import CallShape, ThreadShape
from inspector.commands.support.sources import Source, opened_source
from inspector.commands.support.tables import Column, Table
from inspector.model.exports.headlines import headline
from inspector.model.fields import to_plain
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import CallInFlight, Snapshot
from inspector.model.threads import ThreadTable, thread_table
from inspector.model.wording import UNKNOWN_TEXT, age, number
from inspector.vocabulary import handle_text

_COLUMNS: Final = (
    Column("Thread"),
    Column("State", 1),
    Column("Live", is_number=True),
    Column("Owns", 1, is_number=True),
    Column("Waiting", is_number=True),
    Column("Calls", 1, is_number=True),
    Column("Oldest call", 2, is_number=True),
    Column("Created", 3, is_number=True),
    Column("Released", 3, is_number=True),
)


@keeps_parts
def threads(
    source: Source,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    read_only: ReadOnly = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print the threads that touched a handle: handles made, owned, and closes that wait."""
    with opened_source(source, read_only=read_only) as (_, snapshot):
        pass
    if as_json:
        print_redacted(snapshot, kept, threads_value)
    else:
        _print(snapshot)


def threads_value(snapshot: Snapshot) -> PlainRow:
    """The object that ``--json`` prints."""
    table = thread_table(snapshot)
    rows = [to_plain(_shape(snapshot, table, index)) for index in range(len(table))]
    return about_value(snapshot) | {"threads": rows}


def _shape(snapshot: Snapshot, table: ThreadTable, index: int) -> ThreadShape:
    row = table.threads[index]
    return ThreadShape(
        tid=row.tid,
        name=row.name or None,
        alive=row.alive,
        started_at=seconds(row.started_at),
        ended_at=seconds(row.ended_at),
        created=count(row.created),
        released=count(row.released),
        living=int(table.living[index]),
        owned=int(table.owned[index]),
        waiting=int(table.waiting[index]),
        stuck=bool(table.stuck[index]),
        calls=tuple(_call(snapshot, each) for each in row.calls),
        deeper_calls=row.deeper_calls,
    )


def _call(snapshot: Snapshot, call: CallInFlight) -> CallShape:
    handles = snapshot.handles
    found = (handles.ids == call.handle).nonzero()[0]
    kind = snapshot.types.get(int(handles.types[found[0]])) if len(found) else None
    return CallShape(handle_text(call.handle), kind.name if kind else None, seconds(call.began_at))


def _print(snapshot: Snapshot) -> None:
    say(headline(snapshot))
    found = thread_table(snapshot)
    if not len(found):
        say("No thread has touched a handle.")
        return
    table = Table(*_COLUMNS)
    for index, row in enumerate(found.threads):
        state = "alive" if row.alive else "ended, stuck" if found.stuck[index] else "ended"
        oldest = float(found.oldest_call_at[index])
        table.add(
            row.label,
            state,
            number(int(found.living[index])),
            number(int(found.owned[index])),
            number(int(found.waiting[index])),
            number(int(found.calls[index])),
            age(snapshot.taken_at - oldest) if oldest == oldest else UNKNOWN_TEXT,
            number(row.created),
            number(row.released),
        )
    table.print()
