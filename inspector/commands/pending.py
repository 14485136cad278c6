"""``arc-inspector pending PID``: closes that were asked for and have not run, oldest first."""

from __future__ import annotations

import math
from typing import Annotated, Final

import typer

from inspector.commands.support.opening import coverage_of
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import (
    PlainRow,
    count,
    frame_shape,
    row_value,
    seconds,
    snapshot_value,
)
from inspector.commands.support.shapes import CloseShape
from inspector.commands.support.sources import Source, opened_source
from inspector.commands.support.tables import Column, Table
from inspector.model.exports.headlines import headline
from inspector.model.fields import to_plain
from inspector.model.pending import AwaitedCloses, PendingCloses, pending_closes
from inspector.model.redaction import NOTHING_KEPT, Kept
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


@keeps_parts
def pending(
    source: Source,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print the pending closes of a process or a file, each with its reason."""
    with opened_source(source) as (session, snapshot):
        awaited = coverage_of(session).awaited if pending_closes(snapshot).untold else None
    closes = pending_closes(snapshot, awaited)
    if as_json:
        print_redacted(snapshot, kept, closes_value, awaited)
    else:
        _print(snapshot, closes)


def closes_value(snapshot: Snapshot, awaited: AwaitedCloses | None) -> PlainRow:
    """The object that ``--json`` prints: the rows of ``handles``, with the facts of their close."""
    closes = pending_closes(snapshot, awaited)
    value = snapshot_value(snapshot, closes.rows.tolist())
    for index, row in enumerate(value["handles"]):
        row |= to_plain(_close(closes, index))
    return value


def _close(closes: PendingCloses, index: int) -> CloseShape:
    site = closes.request_site(index)
    return CloseShape(
        reason=closes.reason(index),
        requester_thread=closes.requester(index) or None,
        request_site=closes.request_place(index) or None,
        request_stack=None if site is None else tuple(map(frame_shape, site.frames)),
        waits_for=closes.waits_for_text(index) or None,
        pending_since=seconds(float(closes.since[index])),
        deadline=seconds(closes.deadline(index)),
        deadline_known=closes.is_deadline_known(index),
    )


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
