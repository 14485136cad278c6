"""The table of pending closes: its columns over ``PendingCloses``. GUI thread only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject

from inspector.model.pending import PendingCloses, empty_pending_closes
from inspector.model.states import RESOURCE_WORDS
from inspector.model.wording import age, clock, number
from inspector.ui.kit.column_model import Column, ColumnModel, Cue, SortKeys, ranks_of
from inspector.ui.kit.live_records import Moment
from inspector.ui.kit.theme import Theme
from inspector.vocabulary import Resource, handle_text

NOT_KNOWN = "not known"
NOT_RECORDED = "Not recorded for this close"


def pending_model(
    theme: Theme, moment: Moment, parent: QObject | None = None
) -> ColumnModel[PendingCloses]:
    """An empty table of pending closes. Its keys are handle ids."""
    return ColumnModel(
        _columns(moment), empty_pending_closes(), lambda rows: rows.ids, theme=theme, parent=parent
    )


def _columns(moment: Moment) -> tuple[Column[PendingCloses], ...]:
    return (
        Column(
            "Waiting",
            "How long the close has been in its present state",
            lambda rows, i: age(moment.at - rows.since[i]),
            lambda rows: np.maximum(moment.at - rows.since, 0),
            number=True,
            tooltip=_since_tooltip,
            cue=lambda rows, i: (
                Cue("suspect", "failed") if rows.stuck[i] else Cue("waiting", "waiting")
            ),
        ),
        Column(
            "Handle",
            "Slot and generation; never used again",
            lambda rows, i: handle_text(int(rows.ids[i])),
            lambda rows: (rows.ids & np.uint64(0xFFFF_FFFF)).astype(np.int64),
        ),
        Column("Type", "Type of the object", PendingCloses.type_name, _of_type),
        Column(
            "Reason",
            "Why it has not run",
            PendingCloses.reason,
            lambda rows: np.where(rows.stuck, -1, _handle_column(rows, "resources")),
            cue=lambda rows, i: Cue("suspect") if rows.stuck[i] else None,
        ),
        Column(
            "In flight",
            "Calls that use the object now",
            lambda rows, i: number(int(rows.in_flight[i])),
            lambda rows: rows.in_flight,
            number=True,
            tooltip=lambda rows, i: _callers_tooltip(rows, i),
        ),
        Column(
            "Waits for",
            "Thread that has to run the close, or to return from its call",
            PendingCloses.waits_for_text,
            _of_owner,
            tooltip=_waits_tooltip,
        ),
        Column(
            "Asked by",
            "Thread and line that asked for the close",
            _request_text,
            _of_requester,
            tooltip=_request_tooltip,
        ),
        Column(
            "Deadline",
            "Time until the close is withdrawn unless it has run",
            lambda rows, i: (
                _deadline_text(rows.deadline(i) - moment.at)
                if rows.is_deadline_known(i)
                else NOT_KNOWN
            ),
            lambda rows: np.array([rows.deadline(i) for i in range(len(rows))], np.float64),
            number=True,
            tooltip=_deadline_tooltip,
        ),
    )


def _handle_column(rows: PendingCloses, name: str) -> npt.NDArray[np.int64]:
    if rows.snapshot is None:
        return np.empty(0, np.int64)
    column: npt.NDArray[np.int64] = getattr(rows.snapshot.handles, name)[rows.rows].astype(np.int64)
    return column


def _of_type(rows: PendingCloses) -> SortKeys:
    types = rows.snapshot.types if rows.snapshot else {}
    return ranks_of(
        _handle_column(rows, "types"), {index: row.name for index, row in types.items()}
    )


def _thread_names(rows: PendingCloses) -> dict[int, str]:
    threads = rows.snapshot.threads if rows.snapshot else {}
    return {index: row.label for index, row in threads.items()}


def _of_owner(rows: PendingCloses) -> SortKeys:
    waiting = _handle_column(rows, "resources") == Resource.WAITING_OWNER
    return ranks_of(
        np.where(waiting, _handle_column(rows, "owner_threads"), 0), _thread_names(rows)
    )


def _of_requester(rows: PendingCloses) -> SortKeys:
    return ranks_of(_handle_column(rows, "requester_threads"), _thread_names(rows))


def _request_text(rows: PendingCloses, row: int) -> str:
    site = rows.request_site(row)
    return "  ".join(filter(None, (rows.requester(row), site.short() if site else "")))


def _request_tooltip(rows: PendingCloses, row: int) -> str:
    site = rows.request_site(row)
    where = site.lines() if site else ("The line is recorded from level history on",)
    return "\n".join([rows.requester(row) or NOT_RECORDED, *where])


def _deadline_text(secs: float) -> str:
    """Time left: ``3.0 s``, ``now``, or ``–`` for a close that waits for ever."""
    return "–" if np.isnan(secs) else "now" if secs <= 0 else age(secs)


def _deadline_tooltip(rows: PendingCloses, row: int) -> str:
    at = rows.deadline(row)
    if not rows.is_deadline_known(row):
        return "The target's agent has not told yet whether it is withdrawn"
    return (
        "It waits for ever: no deadline was given"
        if np.isnan(at)
        else f"Withdrawn at {clock(at)} unless it has run"
    )


def _since_tooltip(rows: PendingCloses, row: int) -> str:
    since = float(rows.since[row])
    return (
        NOT_RECORDED
        if np.isnan(since)
        else f"{RESOURCE_WORDS[rows.resource(row)].capitalize()} since {clock(since)}"
    )


def _callers_tooltip(rows: PendingCloses, row: int) -> str:
    callers = rows.callers.get(int(rows.ids[row]), ())
    if callers:
        return "On " + ", ".join(callers)
    return (
        "Not counted for this handle"
        if rows.in_flight[row] < 0
        else "Calls that use the object now"
    )


def _waits_tooltip(rows: PendingCloses, row: int) -> str:
    text = rows.waits_for_text(row)
    if text:
        return text
    return (
        "The calls' threads are not known"
        if rows.resource(row) is Resource.DRAINING
        else "It waits for no particular thread"
    )
