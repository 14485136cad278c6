"""Snapshots as plain values: the ``--json`` shape of the command line. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from inspector.model.columns import JSON_COLUMNS, HandleColumn
from inspector.model.snapshot import UNKNOWN, Snapshot, Target
from inspector.model.wording import UNKNOWN_TEXT
from inspector.session.protocol import CloseAnswer, GcReport
from inspector.vocabulary import handle_text

PlainRow = dict[str, Any]


def target_value(target: Target) -> PlainRow:
    """The process."""
    return {
        "pid": target.pid,
        "name": target.name,
        "command": target.command or None,
        "runtime": target.runtime or None,
        "state": str(target.state),
        "reason": target.reason or None,
        "level": target.level.name.lower(),
        "from_outside": target.from_outside,
        "viewers": target.viewers,
        "started_at": seconds(target.started_at),
    }


def snapshot_value(snapshot: Snapshot, rows: Iterable[int]) -> PlainRow:
    """The object that ``--json`` prints, with the rows that were chosen.

    ``notes`` when something could not be looked at.
    """
    value = {
        "target": target_value(snapshot.target),
        "handles": [row_value(snapshot, row) for row in rows],
        "lost": dict(snapshot.lost.counts),
    }
    return value | {"notes": list(snapshot.notes)} if snapshot.notes else value


def row_value(snapshot: Snapshot, row: int) -> PlainRow:
    """One handle; unknown values are ``None``."""
    return {
        column.key: column.json(snapshot, row) for column in JSON_COLUMNS if column.json is not None
    }


def printed_cell(column: HandleColumn, snapshot: Snapshot, row: int) -> str:
    """A cell of the table for people; ``–`` for unknown."""
    if column.printed is not None:
        return column.printed(snapshot, row)
    value = column.json(snapshot, row) if column.json is not None else None
    return f"{value:,}" if isinstance(value, int) else value or UNKNOWN_TEXT


def gc_value(report: GcReport) -> PlainRow:
    """The effects of a collection."""
    return {
        "collected": report.collected,
        "handles_released": report.handles_released,
        "closes_queued": report.closes_queued,
        "still_pending": report.still_pending,
        "uncollectable": report.uncollectable,
        "took_secs": report.took_secs,
    }


def answer_value(answer: CloseAnswer) -> PlainRow:
    """The outcome for one handle."""
    return {
        "id": handle_text(answer.handle),
        "outcome": answer.outcome,
        "reason": answer.reason or None,
        "holders": list(answer.holders),
        "close_first": [handle_text(handle) for handle in answer.first],
    }


def count(value: Any) -> int | None:
    """A count; ``None`` when it is not known."""
    return None if int(value) == UNKNOWN else int(value)


def seconds(value: float) -> float | None:
    """A time; ``None`` when it is not known."""
    return None if math.isnan(value) else value
