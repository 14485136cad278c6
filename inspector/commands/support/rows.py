"""Snapshots as plain values: the ``--json`` shape of the command line. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from inspector.commands.support.shapes import AboutShape, FrameShape, StackShape, TargetShape
from inspector.model.columns import JSON_COLUMNS
from inspector.model.fields import to_plain
from inspector.model.snapshot import UNKNOWN, Snapshot, Target
from inspector.model.stacks import Frame, Site
from inspector.session.protocol import CloseAnswer, GcReport
from inspector.vocabulary import handle_text

PlainRow = dict[str, Any]


def target_shape(target: Target) -> TargetShape:
    """The process."""
    return TargetShape(
        pid=target.pid,
        name=target.name,
        command=target.command or None,
        runtime=target.runtime or None,
        state=str(target.state),
        reason=target.reason or None,
        level=target.level.name.lower(),
        from_outside=target.from_outside,
        viewers=target.viewers,
        started_at=seconds(target.started_at),
    )


def frame_shape(frame: Frame) -> FrameShape:
    """One line of a stack."""
    return FrameShape(
        frame.function or None,
        frame.file or None,
        frame.line or None,
        frame.library or None,
        frame.no_line or None,
    )


def snapshot_value(snapshot: Snapshot, rows: Iterable[int]) -> PlainRow:
    """The object that ``--json`` prints, with the rows that were chosen and their stacks."""
    rows = list(rows)
    numbers = sorted(set(snapshot.handles.created_sites[rows].tolist()) & set(snapshot.sites))
    return about_value(snapshot) | {
        "handles": [row_value(snapshot, row) for row in rows],
        "stacks": {str(number): to_plain(_stack(snapshot.sites[number])) for number in numbers},
    }


def about_value(snapshot: Snapshot) -> PlainRow:
    """The same as JSON."""
    return dict(to_plain(about_of(snapshot)))


def about_of(snapshot: Snapshot) -> AboutShape:
    """The facts on a snapshot that every answer has."""
    return AboutShape(
        target=target_shape(snapshot.target),
        taken_at=seconds(snapshot.taken_at),
        lost=dict(snapshot.lost.counts),
        notes=snapshot.notes,
    )


def _stack(site: Site) -> StackShape:
    return StackShape(tuple(map(frame_shape, site.frames)), is_cut=site.cut)


def row_value(snapshot: Snapshot, row: int) -> PlainRow:
    """One handle; unknown values are ``None``."""
    return {
        column.key: column.json(snapshot, row) for column in JSON_COLUMNS if column.json is not None
    }


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
