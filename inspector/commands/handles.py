"""``arc-inspector handles PID``: one snapshot as a table."""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
import typer
from rich.console import Console

from inspector.commands.opening import ReadOnly, settled_session
from inspector.commands.output import add_row, console, new_table, print_json, printable
from inspector.commands.rows import row_value, snapshot_value
from inspector.errors import UsageError
from inspector.model.filter import Filter, FilterError, parse, quoted
from inspector.model.grouping import Arrangement, Column, Query, arrange
from inspector.model.losses import losses_of, notes_of, refused_of
from inspector.model.snapshot import Snapshot
from inspector.ui.wording import age, plural

DEFAULT_LIMIT: Final = 100
_NUMBERS: Final = ("strong", "weak", "proxies", "native_refs", "in_flight")


def handles(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    kind: Annotated[str, typer.Option("--type", help="Only types whose name contains this.")] = "",
    filter_text: Annotated[str, typer.Option("--filter", help='As in the window: "state:open strong>1 thread:worker".')] = "",
    tombstones: Annotated[bool, typer.Option("--tombstones", help="Also handles that are gone, as far as they can be read.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Rows to print, 0: all.")] = DEFAULT_LIMIT,
    read_only: ReadOnly = False,
) -> None:
    """Print the live handles of a process."""
    wanted = chosen_filter(kind, filter_text)
    with settled_session(pid, read_only=read_only) as (_, snapshot):
        arranged = arrange(snapshot, Query(filter=wanted, column=Column.AGE, tombstones=tombstones, moment_secs=0.0))
    if as_json:
        print_json(snapshot_value(snapshot, np.sort(arranged.order).tolist()))
    else:
        print_handles(snapshot, arranged, limit)


def chosen_filter(kind: str, filter_text: str) -> Filter:
    """Both options as one filter. Raises ``UsageError``."""
    try:
        return parse(" ".join(part for part in (kind and f"type:{quoted(kind)}", filter_text) if part))
    except FilterError as error:
        raise UsageError(f"the filter is not understood: {error}") from error


def print_handles(snapshot: Snapshot, arranged: Arrangement, limit: int) -> None:
    """A line on the target, a summary by type, then the rows."""
    out = console()
    out.print(printable(headline(snapshot)), soft_wrap=True, markup=False)
    _print_summary(out, snapshot, arranged)
    _print_rows(out, snapshot, arranged, limit)
    for title, counted in (("Lost", losses_of(snapshot.lost)), ("Refused", refused_of(snapshot.lost)), ("Note", notes_of(snapshot.lost))):
        if counted:
            out.print(f"{title}: " + ", ".join(f"{each.count:,} {each.what}" for each in counted), soft_wrap=True, markup=False)
    for note in snapshot.notes:
        out.print(f"Note: {printable(note)}", soft_wrap=True, markup=False)


def headline(snapshot: Snapshot) -> str:
    """``app.py (4711) · live · CPython 3.11.7 · level history``."""
    target = snapshot.target
    state = f"{target.state}: {target.reason}" if target.reason else str(target.state)
    how = "looked at from outside, read only (fallback)" if target.from_outside else f"level {target.level.name.lower()}"
    return " · ".join(part for part in (f"{target.name} ({target.pid})", state, target.runtime, how) if part)


def _print_summary(out: Console, snapshot: Snapshot, arranged: Arrangement) -> None:
    if not arranged.groups:
        out.print("No handles." if not snapshot.live_count() else "No handles match.")
        return
    table = new_table("Type", "Handles", "Objects", "Pending", "Oldest", right=frozenset({"Handles", "Objects", "Pending", "Oldest"}))
    for group in arranged.groups:
        oldest = age(snapshot.taken_at - group.oldest_at)
        add_row(table, group.name, f"{group.handles:,}", f"{group.objects:,}", f"{group.pending:,}", oldest)
    out.print(table)


def _print_rows(out: Console, snapshot: Snapshot, arranged: Arrangement, limit: int) -> None:
    if not len(arranged):
        return
    titles = ("Strong", "Weak", "Proxies", "Native", "In flight", "Age")
    table = new_table("Handle", "Type", "State", *titles, "Thread", "Site", right=frozenset(titles))
    shown = arranged.order[: limit or None].tolist()
    for row in shown:
        value = row_value(snapshot, row)
        numbers = ["–" if value[name] is None else f"{value[name]:,}" for name in _NUMBERS]
        born = age(snapshot.taken_at - float(snapshot.handles.created_at[row]))
        thread = value["owner_thread"] or value["created_thread"] or "–"
        add_row(table, value["id"], value["type"] or "–", value["state"], *numbers, born, thread, value["site"] or "–")
    out.print()
    out.print(table)
    if len(shown) < len(arranged):
        out.print(f"… and {plural(len(arranged) - len(shown), 'more row')} (--limit 0 shows all)")
