"""``arc-inspector events PID|FILE``: births, clones, releases and closes in their order."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from inspector.commands.close import full_number, parse_handle
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import PlainRow, about_value, count, seconds
from inspector.commands.support.shapes import EventShape
from inspector.commands.support.sources import Source, opened_source
from inspector.commands.support.tables import Column, Table
from inspector.errors import ControlError, UsageError
from inspector.model.event_rows import EventRows, EventWish, event_rows
from inspector.model.exports.headlines import headline
from inspector.model.fields import to_plain
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot
from inspector.model.wording import UNKNOWN_TEXT, clock, plural
from inspector.vocabulary import EventKind, Level, handle_text

DEFAULT_LIMIT: Final = 200
READ_SECS: Final = 10.0
"""How long reading the events may take."""
_COLUMNS: Final = (
    Column("Time"),
    Column("Event"),
    Column("Handle"),
    Column("Type", 1),
    Column("Strong", 2, is_number=True),
    Column("Thread", 3),
    Column("Site", 2),
)


@keeps_parts
def events(
    source: Source,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    handle: Annotated[str, typer.Option("--handle", help="Only of this handle.")] = "",
    kind: Annotated[
        str, typer.Option("--type", help="Only of types whose name contains this.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="The number of newest events to print, 0: all.")
    ] = DEFAULT_LIMIT,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print the newest events of handles, as far as they are still known.

    A process records events from level history on, to which this command raises it meanwhile.
    """
    number = parse_handle(handle) if handle else 0
    with opened_source(source, level=Level.HISTORY) as (session, snapshot):
        try:
            batch = session.read_events().result(READ_SECS)
        except TimeoutError:
            raise ControlError(f"the events could not be read in time: {source}") from None
        snapshot = session.latest or snapshot
    rows = event_rows(batch.events, snapshot, _wish(snapshot, number, kind))
    if as_json:
        print_redacted(snapshot, kept, lambda shown: events_value(shown, rows, limit))
    else:
        _print(snapshot, rows, limit)


def _wish(snapshot: Snapshot, handle: int, kind: str) -> EventWish:
    """The events that the options choose. Raises ``UsageError``."""
    handles = frozenset({full_number(handle, snapshot)}) if handle else frozenset[int]()
    if not kind:
        return EventWish(handles=handles)
    found = [row.index for row in snapshot.types.values() if kind.casefold() in row.name.casefold()]
    if len(found) != 1:
        names = ", ".join(sorted(snapshot.types[index].name for index in found)) or "none"
        raise UsageError(f"one type is wanted, and this names {names}: {kind}")
    return EventWish(type_index=found[0], handles=handles)


def events_value(snapshot: Snapshot, rows: EventRows, limit: int) -> PlainRow:
    """The object that ``--json`` prints."""
    named = EventRows(rows.events, rows.types, snapshot, rows.found, rows.known, rows.lost)
    return about_value(snapshot) | {
        "events": [to_plain(_shape(named, row)) for row in _newest(rows, limit)],
        "found": rows.found,
        "known": rows.known,
        "lost_events": rows.lost,
    }


def _newest(rows: EventRows, limit: int) -> range:
    return range(max(len(rows) - limit, 0) if limit else 0, len(rows))


def _shape(rows: EventRows, row: int) -> EventShape:
    found = rows.events
    is_gap = int(found.kinds[row]) == EventKind.GAP
    handle, number = int(found.handles[row]), int(found.counts[row])
    tells_count = rows.word(row) in _COUNTING and not is_gap
    return EventShape(
        at=seconds(float(found.at[row])),
        event=rows.word(row),
        handle=handle_text(handle) if handle else None,
        type=rows.type_name(row) or None,
        thread=rows.thread_name(row) or None,
        site=rows.site_text(row) or None,
        strong=count(number) if tells_count else None,
        lost=number if is_gap else None,
    )


_COUNTING: Final = frozenset(each.word for each in EventKind if each.tells_count)


def _print(snapshot: Snapshot, rows: EventRows, limit: int) -> None:
    say(headline(snapshot))
    shown = _newest(rows, limit)
    table = Table(*_COLUMNS)
    for row in shown:
        event = _shape(rows, row)
        word = event.event if event.lost is None else f"gap: {plural(event.lost, 'event')} lost"
        table.add(
            UNKNOWN_TEXT if event.at is None else clock(event.at),
            word,
            event.handle or UNKNOWN_TEXT,
            event.type or UNKNOWN_TEXT,
            UNKNOWN_TEXT if event.strong is None else f"{event.strong:,}",
            event.thread or UNKNOWN_TEXT,
            event.site or UNKNOWN_TEXT,
        )
    if len(shown):
        table.print()
    else:
        say("No event is known.")
    if len(shown) < len(rows):
        say(f"… and {plural(len(rows) - len(shown), 'older row')} (--limit 0 shows all)")
    if rows.lost:
        say(f"Lost: {plural(rows.lost, 'event')} that were overwritten before they were read")
