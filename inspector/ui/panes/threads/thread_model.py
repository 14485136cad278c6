"""The table of threads: its columns over ``ThreadTable``. GUI thread only."""

from __future__ import annotations

from operator import attrgetter

import numpy as np
from PySide6.QtCore import QObject

from inspector.model.threads import ThreadTable, thread_table
from inspector.model.wording import age, clock, number
from inspector.ui.kit.column_model import Column, ColumnModel, Cue, ranks_of
from inspector.ui.kit.live_records import Moment
from inspector.ui.kit.theme import Theme


def thread_model(
    theme: Theme, moment: Moment, parent: QObject | None = None
) -> ColumnModel[ThreadTable]:
    """An empty table of threads. Its keys are the threads' indices."""
    return ColumnModel(
        _columns(moment),
        thread_table(None),
        lambda rows: rows.indices.astype(np.uint64),
        theme=theme,
        parent=parent,
    )


def _columns(moment: Moment) -> tuple[Column[ThreadTable], ...]:
    return (
        Column(
            "Thread",
            "Name of the thread",
            lambda rows, i: rows.threads[i].label,
            _by_name,
            cue=_name_cue,
        ),
        Column(
            "State",
            "Whether the thread still runs",
            _state_text,
            _by_state,
            tooltip=_state_tooltip,
            cue=_state_cue,
        ),
        Column(
            "tid",
            "Number of the thread in the system",
            lambda rows, i: str(rows.threads[i].tid),
            _by_tid,
            number=True,
        ),
        _count("Owns", "Live handles that only this thread may close", "owned"),
        _count("Live", "Live handles that were created on this thread", "living"),
        _count("Created", "Handles created on this thread since the segment began", "created"),
        _count("Released", "Handles released on this thread since the segment began", "released"),
        Column(
            "Pending",
            "Pending closes that wait for this thread to run them",
            lambda rows, i: number(int(rows.waiting[i])),
            lambda rows: rows.waiting,
            number=True,
            tooltip=_waiting_tooltip,
            cue=_waiting_cue,
        ),
        _count("In flight", "Native calls that run on this thread now", "calls"),
        Column(
            "Oldest call",
            "How long the outermost of its calls has been running",
            lambda rows, i: age(moment.at - rows.oldest_call_at[i]),
            lambda rows: np.maximum(moment.at - rows.oldest_call_at, 0),
            number=True,
            tooltip=_call_tooltip,
        ),
    )


def _count(title: str, about: str, name: str) -> Column[ThreadTable]:
    column = attrgetter(name)
    return Column(title, about, lambda rows, i: number(int(column(rows)[i])), column, number=True)


def _by_name(rows: ThreadTable) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return ranks_of(rows.indices, {row.index: row.label for row in rows.threads})


def _by_state(rows: ThreadTable) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([not row.alive for row in rows.threads], dtype=np.int64)


def _by_tid(rows: ThreadTable) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([row.tid for row in rows.threads], dtype=np.int64)


def _name_cue(rows: ThreadTable, row: int) -> Cue | None:
    return None if rows.threads[row].alive else Cue("text_quiet")


def _state_text(rows: ThreadTable, row: int) -> str:
    return "alive" if rows.threads[row].alive else "ended"


def _state_tooltip(rows: ThreadTable, row: int) -> str:
    thread = rows.threads[row]
    if thread.alive:
        return f"Seen since {clock(thread.started_at)}"
    return f"Ended at {clock(thread.ended_at)}"


def _state_cue(rows: ThreadTable, row: int) -> Cue:
    return Cue("live", "dot") if rows.threads[row].alive else Cue("text_quiet", "ended")


def _waiting_tooltip(rows: ThreadTable, row: int) -> str:
    if rows.stuck[row]:
        return "The thread has ended: a drain runs these closes"
    return (
        "They run when the thread next calls into the library"
        if rows.waiting[row]
        else "Nothing waits for this thread"
    )


def _waiting_cue(rows: ThreadTable, row: int) -> Cue | None:
    if rows.stuck[row]:
        return Cue("suspect", "failed")
    return Cue("waiting", "waiting") if rows.waiting[row] else None


def _call_tooltip(rows: ThreadTable, row: int) -> str:
    began = float(rows.oldest_call_at[row])
    if not np.isnan(began):
        return f"Began at {clock(began)}"
    return (
        "Times of calls are recorded from level history on"
        if rows.calls[row]
        else "No call runs on this thread"
    )
