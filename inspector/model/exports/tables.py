"""Tables that pages and tickets show, as texts. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.columns import PRINTED_COLUMNS
from inspector.model.grouping import Query, arrange
from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot
from inspector.model.threads import thread_table
from inspector.model.wording import UNKNOWN_TEXT, age, number
from inspector.vocabulary import handle_text

MOST_HANDLES: Final = 1000
"""Rows of the table of handles; a page with more is too slow to open."""

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table with a title."""

    title: str
    heads: tuple[str, ...]
    rows: Rows
    numbers: tuple[int, ...] = ()
    """Places of the columns that are aligned right."""
    left_out: int = 0
    """Rows that are not in it."""


def all_tables(snapshot: Snapshot) -> tuple[TextTable, ...]:
    """Types, pending closes, threads and handles."""
    return (
        types_table(snapshot),
        pending_table(snapshot),
        threads_table(snapshot),
        handles_table(snapshot),
    )


def types_table(snapshot: Snapshot) -> TextTable:
    """Live handles by type, the most frequent first."""
    arranged = arrange(snapshot, Query(tombstones=False, moment_secs=0.0))
    rows = tuple(
        (
            group.name,
            number(group.handles),
            number(group.objects),
            number(group.pending),
            age(snapshot.taken_at - group.oldest_at),
        )
        for group in sorted(arranged.groups, key=lambda each: -each.handles)
    )
    heads = ("Type", "Handles", "Objects", "Pending", "Oldest")
    return TextTable("Live handles by type", heads, rows, (1, 2, 3, 4))


def pending_table(snapshot: Snapshot) -> TextTable:
    """Closes that were asked for and have not run, the oldest first."""
    closes = pending_closes(snapshot)
    rows = tuple(
        (
            handle_text(int(closes.ids[at])),
            closes.type_name(at) or UNKNOWN_TEXT,
            age(snapshot.taken_at - float(closes.since[at])),
            closes.reason(at),
            closes.requester(at) or UNKNOWN_TEXT,
            closes.request_place(at) or UNKNOWN_TEXT,
            closes.waits_for_text(at) or UNKNOWN_TEXT,
        )
        for at in range(len(closes))
    )
    heads = ("Handle", "Type", "Age", "Reason", "Asked by", "Asked at", "Waits for")
    return TextTable("Pending closes", heads, rows, (2,))


def threads_table(snapshot: Snapshot) -> TextTable:
    """Threads that touched a handle."""
    table = thread_table(snapshot)
    rows = tuple(
        (
            row.label,
            "alive" if row.alive else "ended",
            number(int(table.living[at])),
            number(int(table.owned[at])),
            number(int(table.waiting[at])),
            number(int(table.calls[at])),
        )
        for at, row in enumerate(table.threads)
    )
    heads = ("Thread", "State", "Live handles", "Owns", "Waiting closes", "Calls")
    return TextTable("Threads", heads, rows, (2, 3, 4, 5))


def handles_table(snapshot: Snapshot) -> TextTable:
    """Live handles, the oldest of each type first, with the columns of the terminal's table."""
    order = arrange(snapshot, Query(tombstones=False, moment_secs=0.0)).order.tolist()
    shown = order[:MOST_HANDLES]
    rows = tuple(tuple(each.cell(snapshot, row) for each in PRINTED_COLUMNS) for row in shown)
    heads = tuple(each.printed_title or each.title for each in PRINTED_COLUMNS)
    numbers = tuple(at for at, each in enumerate(PRINTED_COLUMNS) if each.kind.is_number)
    return TextTable("Handles", heads, rows, numbers, len(order) - len(shown))
