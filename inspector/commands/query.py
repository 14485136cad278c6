"""``arc-inspector query PID|FILE "select …"``: SQL over handles, stacks, counts and events."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from inspector.commands.support.opening import ReadOnly
from inspector.commands.support.options import Force, parse_span, require_absent
from inspector.commands.support.output import print_json, say, say_aside, write_text
from inspector.commands.support.parquet import write_answer
from inspector.commands.support.redacting import (
    Preview,
    keeps_parts,
    preview_of,
    say_left_out,
    say_saved,
)
from inspector.commands.support.sources import Source, opened_source
from inspector.commands.support.tables import Column, Table
from inspector.errors import InspectorError, UsageError
from inspector.model.exports.lines import spreadsheet_cell
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.snapshot import Snapshot
from inspector.model.sql.engine import (
    SqlAnswer,
    answer,
    loaded_engine,
    lock,
    require_engine,
)
from inspector.model.sql.examples import EXAMPLES
from inspector.model.sql.tables import TABLES, Questioned
from inspector.model.wording import UNKNOWN_TEXT
from inspector.session.private_facts import private_facts
from inspector.session.protocol import Replay, Session
from inspector.vocabulary import Level

READ_SECS: Final = 10.0
"""How long reading the events may take."""
DEFAULT_LIMIT: Final = 1000
MORE: Final = "… and more rows (--limit 0 shows all)"


@keeps_parts
def query(
    source: Source,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A query; '' lists the tables.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a head and a line a row.")] = False,
    parquet: Annotated[
        Path | None,
        typer.Option("--parquet", metavar="FILE", help="Write all rows into a Parquet file."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Rows to print, 0: all.")
    ] = DEFAULT_LIMIT,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="SPAN", help="How long the query may take.")
    ] = "30s",
    force: Force = False,
    read_only: ReadOnly = False,
    preview: Preview = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Ask a process or a file in SQL.

    The query reads tables in memory; it reaches no file and no network.
    """
    if as_json + as_csv + (parquet is not None) > 1:
        raise UsageError("--json, --csv and --parquet exclude each other")
    if preview:
        preview_of(source, kept, read_only=read_only)
        return
    if parquet is not None:
        require_absent(parquet, force=force)
    timeout_secs = parse_span(timeout)
    require_engine("query")
    if not sql.strip():
        _print_tables()
        return
    with opened_source(source, level=Level.HISTORY, read_only=read_only) as (session, first):
        asked = _questioned(session, first)
    redactor = Redactor(private_facts(first.target.pid), kept)
    if as_json or as_csv or parquet is not None:
        shown = redactor.snapshot(asked.snapshot)
        asked = Questioned(shown, asked.course, asked.events)
    connection = loaded_engine(asked, query=sql)
    try:
        lock(connection)
        found = answer(
            connection,
            sql.strip().rstrip(";"),
            limit=0 if parquet is not None else limit,
            timeout_secs=timeout_secs,
            typed=parquet is not None,
        )
    finally:
        connection.close()
    if as_json:
        print_json(redactor.json(answer_value(found)))
        say_left_out(redactor)
    elif as_csv:
        write_text(answer_csv(found))
        say_left_out(redactor)
        if found.has_more:
            say_aside(MORE)
    elif parquet is not None:
        write_answer(found, parquet, may_replace=force)
        say_saved(parquet, redactor)
    else:
        _print(found)


def _questioned(session: Session, first: Snapshot) -> Questioned:
    """The newest state with its course and its events, as far as they are known."""
    try:
        events = session.read_events().result(READ_SECS).events
    except (InspectorError, TimeoutError):
        events = None
    course = session.vitals if isinstance(session, Replay) else ()
    return Questioned(session.latest or first, course, events)


def answer_value(found: SqlAnswer) -> dict[str, Any]:
    """The object that ``--json`` prints."""
    rows = [dict(zip(found.names, row, strict=True)) for row in found.rows]
    return {
        "columns": list(found.names),
        "rows": json.loads(json.dumps(rows, default=str)),
        "has_more": found.has_more,
    }


def answer_csv(found: SqlAnswer) -> str:
    """A head and a line a row; unknown is empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found.names)
    writer.writerows([spreadsheet_cell(each) for each in row] for row in found.rows)
    return out.getvalue()


def _print(found: SqlAnswer) -> None:
    if not found.names:
        say("The query has no answer.")
        return
    is_number = [
        all(isinstance(row[at], int | float) or row[at] is None for row in found.rows)
        for at in range(len(found.names))
    ]
    # the first columns of the query find room first
    table = Table(
        *(Column(name, at, is_number=is_number[at]) for at, name in enumerate(found.names))
    )
    for row in found.rows:
        table.add(*map(_cell, row))
    table.print()
    if found.has_more:
        say(MORE)


def _cell(value: Any) -> str:
    if value is None:
        return UNKNOWN_TEXT
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _print_tables() -> None:
    """The tables and their columns, and queries to begin with."""
    for table in TABLES:
        columns = ", ".join(f"{each.name} {each.kind}" for each in table.columns)
        say(f"{table.name}: {table.about}")
        say(f"    {columns}")
    for example in EXAMPLES:
        say(f"{example.title}:")
        say(f"    {example.sql}")
