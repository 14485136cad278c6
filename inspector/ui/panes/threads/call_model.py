"""The table of calls in flight: its columns over ``Calls``. GUI thread only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject

from inspector.model.calls import Calls, calls_in_flight
from inspector.model.wording import age, clock
from inspector.ui.kit.column_model import Column, ColumnModel, ranks_of
from inspector.ui.kit.live_records import Moment
from inspector.ui.kit.theme import Theme
from inspector.vocabulary import handle_text

_DEPTH_BITS = 8
NO_AGE = "Times of calls are recorded from level history on"
NO_SITE = "The line is recorded from level history on"


def call_model(theme: Theme, moment: Moment, parent: QObject | None = None) -> ColumnModel[Calls]:
    """An empty table. Its keys are thread and depth: there a thread has one call at a time."""
    return ColumnModel(_columns(moment), calls_in_flight(None), _keys, theme=theme, parent=parent)


def _columns(moment: Moment) -> tuple[Column[Calls], ...]:
    return (
        Column(
            "Running",
            "How long the call has been running",
            lambda rows, i: age(moment.at - rows.began_at[i]),
            lambda rows: np.maximum(moment.at - rows.began_at, 0),
            number=True,
            tooltip=_began_tooltip,
        ),
        Column(
            "Handle",
            "The handle that the call uses",
            _handle_text,
            lambda rows: rows.handles.astype(np.float64),
        ),
        Column("Type", "Type of its object", Calls.type_name, _of_type),
        Column(
            "Thread",
            "The thread that the call runs on",
            lambda rows, i: rows.threads[i].label,
            _of_thread,
        ),
        Column(
            "Depth",
            "0: called from outside; 1: called by that call; and so on",
            lambda rows, i: str(int(rows.depths[i])),
            lambda rows: rows.depths,
            number=True,
        ),
        Column(
            "Used from",
            "Line that used the handle last",
            _site_text,
            _of_thread,
            tooltip=_site_tooltip,
        ),
    )


def _keys(rows: Calls) -> npt.NDArray[np.uint64]:
    return np.array(
        [
            row.index << _DEPTH_BITS | int(depth)
            for row, depth in zip(rows.threads, rows.depths, strict=True)
        ],
        dtype=np.uint64,
    )


def _handle_text(rows: Calls, row: int) -> str:
    return handle_text(int(rows.handles[row]))


def _of_thread(rows: Calls) -> npt.NDArray[np.float64]:
    return ranks_of(
        np.arange(len(rows)), {row: thread.label for row, thread in enumerate(rows.threads)}
    )


def _of_type(rows: Calls) -> npt.NDArray[np.float64]:
    return ranks_of(np.arange(len(rows)), {row: rows.type_name(row) for row in range(len(rows))})


def _began_tooltip(rows: Calls, row: int) -> str:
    began = float(rows.began_at[row])
    return NO_AGE if np.isnan(began) else f"Began at {clock(began)}"


def _site_text(rows: Calls, row: int) -> str:
    site = rows.site(row)
    return site.short() if site else ""


def _site_tooltip(rows: Calls, row: int) -> str:
    site = rows.site(row)
    return "\n".join(site.lines()) if site else NO_SITE
