"""``arc-inspector handles PID``: one snapshot as a table."""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
import typer

from inspector.commands.support.opening import ReadOnly, coverage_of
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import PlainRow, snapshot_value
from inspector.commands.support.sources import Source, opened_source
from inspector.commands.support.tables import Column as TableColumn
from inspector.commands.support.tables import Table
from inspector.errors import UsageError
from inspector.model.columns import PRINTED_COLUMNS
from inspector.model.exports.headlines import headline, losses
from inspector.model.filter import Filter, FilterError, parse, quoted
from inspector.model.findings.judge import why_empty
from inspector.model.findings.leads import Coverage, Hidden, Lead
from inspector.model.grouping import Arrangement, Query, arrange
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot
from inspector.model.wording import age, plural
from inspector.vocabulary import Kind, kind_named

DEFAULT_LIMIT: Final = 100
_SUMMARY_COLUMNS: Final = (
    TableColumn("Type"),
    TableColumn("Handles", is_number=True),
    TableColumn("Objects", 2, is_number=True),
    TableColumn("Pending", 1, is_number=True),
    TableColumn("Oldest", 1, is_number=True),
)
_ROW_COLUMNS: Final = tuple(
    TableColumn(
        column.printed_title or column.title,
        column.printed_rank or 0,
        is_number=column.kind.is_number,
    )
    for column in PRINTED_COLUMNS
)


@keeps_parts
def handles(
    source: Source,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    kind: Annotated[str, typer.Option("--type", help="Only types whose name contains this.")] = "",
    filter_text: Annotated[
        str,
        typer.Option("--filter", help=('As in the window: "state:open strong>1 thread:worker".')),
    ] = "",
    tombstones: Annotated[
        bool,
        typer.Option(
            "--tombstones", help=("Also handles that are gone, as far as they can be read.")
        ),
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Rows to print, 0: all.")
    ] = DEFAULT_LIMIT,
    read_only: ReadOnly = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print the live handles of a process or a file."""
    wanted = chosen_filter(kind, filter_text)
    with opened_source(source, read_only=read_only) as (session, snapshot):
        is_asked = not as_json or holds_callbacks(snapshot)
        coverage = coverage_of(session) if is_asked else Coverage()
        arranged = arrange(
            snapshot, Query(filter=wanted, column="age", tombstones=tombstones, moment_secs=0.0)
        )
    if as_json:
        rows = np.sort(arranged.order).tolist()
        print_redacted(snapshot, kept, lambda shown: rows_value(shown, rows, coverage))
    else:
        print_handles(snapshot, arranged, limit)
        for failed in coverage.failed or ():
            say(f"Failed: {failed.headline}")
        if coverage.lead is not None:
            say_lead(coverage.lead, snapshot.target.pid, in_full=not snapshot.live_count())
        say_hidden(coverage.hidden, snapshot.target.pid)


def rows_value(snapshot: Snapshot, rows: list[int], coverage: Coverage) -> PlainRow:
    """The object that ``--json`` prints."""
    value = snapshot_value(snapshot, rows)
    for row, each in zip(rows, value["handles"], strict=True):
        if is_held_by_native_code(snapshot, row):
            each["failed_callbacks"] = coverage.failures_of(int(snapshot.handles.ids[row]))
    return value


def holds_callbacks(snapshot: Snapshot) -> bool:
    """Whether native code holds Python objects whose calls an agent may have seen fail."""
    return any(kind_named(row.kind) is Kind.UNIFFI_FOREIGN for row in snapshot.types.values())


def is_held_by_native_code(snapshot: Snapshot, row: int) -> bool:
    """Whether a row is of a Python object that native code holds and calls."""
    kind = snapshot.types.get(int(snapshot.handles.types[row]))
    return kind is not None and kind_named(kind.kind) is Kind.UNIFFI_FOREIGN


def say_lead(lead: Lead, pid: int, *, in_full: bool = True) -> None:
    """The libraries that are not followed, and how to follow them; may be empty.

    ``in_full``: all of them, otherwise one line.
    """
    if not lead.first:
        return
    if in_full:
        for line in (lead.headline, *lead.evidence):
            say(line.replace("adapters PID", f"adapters {pid}"))
        return
    module = next((each.module for each in lead.libraries if each.module), "")
    how = f": arc-inspector adapters {pid} --follow {module}" if module else ""
    say(f"{lead.headline}{how}")


def say_hidden(hidden: Hidden, pid: int) -> None:
    """The classes of which no row is shown; may be none."""
    if hidden.headline:
        say(f"{hidden.headline}: arc-inspector adapters {pid} --constants lists them")
    for each in hidden.refused:
        say(f"Refused: {each}")


def chosen_filter(kind: str, filter_text: str) -> Filter:
    """Both options as one filter. Raises ``UsageError``."""
    try:
        return parse(
            " ".join(part for part in (kind and f"type:{quoted(kind)}", filter_text) if part)
        )
    except FilterError as error:
        raise UsageError(f"the filter is not understood: {error}") from error


def print_handles(snapshot: Snapshot, arranged: Arrangement, limit: int) -> None:
    """A line on the target, a summary by type, then the rows."""
    say(headline(snapshot))
    _print_summary(snapshot, arranged)
    _print_rows(snapshot, arranged, limit)
    for line in losses(snapshot):
        say(line)


def _print_summary(snapshot: Snapshot, arranged: Arrangement) -> None:
    if not arranged.groups:
        # a look from outside may miss handles
        none = "" if snapshot.target.from_outside else "No handles. "
        say("No handles match." if snapshot.live_count() else f"{none}{why_empty(snapshot)}.")
        return
    table = Table(*_SUMMARY_COLUMNS)
    for group in arranged.groups:
        oldest = age(snapshot.taken_at - group.oldest_at)
        table.add(
            group.name, f"{group.handles:,}", f"{group.objects:,}", f"{group.pending:,}", oldest
        )
    table.print()


def _print_rows(snapshot: Snapshot, arranged: Arrangement, limit: int) -> None:
    if not len(arranged):
        return
    table = Table(*_ROW_COLUMNS)
    shown = arranged.order[: limit or None].tolist()
    for row in shown:
        table.add(*(column.cell(snapshot, row) for column in PRINTED_COLUMNS))
    say()
    table.print()
    if len(shown) < len(arranged):
        say(f"… and {plural(len(arranged) - len(shown), 'more row')} (--limit 0 shows all)")
