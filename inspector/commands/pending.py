"""``arc-inspector pending PID``: closes that were asked for and have not run, oldest first."""

from __future__ import annotations

import math
from typing import Annotated, Final

import typer

from inspector.commands.handles import headline
from inspector.commands.support.opening import coverage_of, settled_session
from inspector.commands.support.output import print_json, say
from inspector.commands.support.rows import PlainRow, count, row_value, seconds, snapshot_value
from inspector.commands.support.tables import Column, Table
from inspector.model.pending import PendingCloses, pending_closes
from inspector.model.snapshot import Snapshot
from inspector.model.wording import age, duration, plural

_COLUMNS: Final = (
    Column("Handle"),
    Column("Type"),
    Column("Age", 1, is_number=True),
    Column("In flight", 3, is_number=True),
    Column("Reason"),
    Column("Asked by", 4),
    Column("Asked at", 4),
    Column("Waits for", 2),
    Column("Withdrawn in", 5),
)


def pending(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the pending closes of a process, each with its reason."""
    with settled_session(pid) as (session, snapshot):
        closes = pending_closes(snapshot)
        if closes.untold:
            closes = pending_closes(snapshot, coverage_of(session).awaited)
    if as_json:
        value = snapshot_value(snapshot, ())
        value["handles"] = [_value(snapshot, closes, index) for index in range(len(closes))]
        print_json(value)
    else:
        _print(snapshot, closes)


def _value(snapshot: Snapshot, closes: PendingCloses, index: int) -> PlainRow:
    """As in ``handles``, and what is known of the close."""
    return row_value(snapshot, int(closes.rows[index])) | {
        "reason": closes.reason(index),
        "requester_thread": closes.requester(index) or None,
        "request_site": closes.request_place(index) or None,
        "waits_for": closes.waits_for_text(index) or None,
        "pending_since": seconds(float(closes.since[index])),
        "deadline": seconds(closes.deadline(index)),
        "deadline_known": closes.is_deadline_known(index),
    }


def _print(snapshot: Snapshot, closes: PendingCloses) -> None:
    say(headline(snapshot))
    if not len(closes):
        last = duration(snapshot.last_close_secs)
        say(
            "Nothing is waiting to close."
            + ("" if last == "–" else f" The last close took {last}.")
        )
        return
    table = Table(*_COLUMNS)
    for index in range(len(closes)):
        value = row_value(snapshot, int(closes.rows[index]))
        in_flight = count(closes.in_flight[index])
        table.add(
            value["id"],
            value["type"] or "–",
            age(snapshot.taken_at - float(closes.since[index])),
            "–" if in_flight is None else f"{in_flight:,}",
            closes.reason(index),
            closes.requester(index) or "–",
            closes.request_place(index) or "–",
            closes.waits_for_text(index) or "–",
            left(closes.deadline(index) - snapshot.taken_at)
            if closes.is_deadline_known(index)
            else "–",
        )
    table.print()
    if snapshot.hidden_deadlines:
        say(f"{plural(snapshot.hidden_deadlines, 'deadline')} more than can be shown.")


def left(secs: float) -> str:
    """Time to a deadline: ``3.0 s``, ``now``, or ``never`` without one."""
    return "never" if math.isnan(secs) else "now" if secs <= 0 else age(secs)
