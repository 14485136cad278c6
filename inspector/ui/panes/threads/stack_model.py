"""The table of threads' stacks: a line for each frame, in the order of the stack.

GUI thread only.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject

from inspector.model.thread_stacks import StackLine, StackLines, stack_lines
from inspector.ui.kit.column_model import Column, ColumnModel, Cue
from inspector.ui.kit.theme import Theme

NO_STACK = "no Python"
CALLER = "↳ "
WHERE_COLUMN = 3


def stack_model(theme: Theme, parent: QObject | None = None) -> ColumnModel[StackLines]:
    """An empty table. Its keys are thread and depth."""
    return ColumnModel(
        _columns(), stack_lines(None), lambda rows: rows.keys, theme=theme, parent=parent
    )


def _columns() -> tuple[Column[StackLines], ...]:
    return (
        Column(
            "Thread",
            "Name of the thread, as the program has it or, where that is not known, the system",
            _name,
            _as_listed,
            cue=_lock_cue,
            tooltip=_lock_tooltip,
            empty="",
        ),
        Column(
            "tid", "Number of the thread in the system", _tid, _as_listed, number=True, empty=""
        ),
        Column("Doing", "State of the thread, as the system says", _doing, _as_listed, empty=""),
        Column(
            "Where",
            "Python stack, innermost frame first: a click opens the line",
            _where,
            _as_listed,
            tooltip=_where_tooltip,
            cue=_where_cue,
        ),
    )


def _as_listed(rows: StackLines) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(len(rows))


def _first(rows: StackLines, row: int) -> StackLine | None:
    """The line, when it is the first of its thread."""
    line = rows.lines[row]
    return line if line.depth == 0 else None


def _name(rows: StackLines, row: int) -> str:
    line = _first(rows, row)
    return (line.thread.name or str(line.thread.tid)) if line else ""


def _tid(rows: StackLines, row: int) -> str:
    line = _first(rows, row)
    return str(line.thread.tid) if line else ""


def _doing(rows: StackLines, row: int) -> str:
    line = _first(rows, row)
    if line is None:
        return ""
    return f"{line.thread.doing}, holds the lock" if line.thread.holds_gil else line.thread.doing


def _where(rows: StackLines, row: int) -> str:
    line = rows.lines[row]
    if line.frame is None:
        return NO_STACK
    return f"{CALLER if line.depth else ''}{line.frame.short()}"


def _where_tooltip(rows: StackLines, row: int) -> str:
    frame = rows.lines[row].frame
    if frame is None:
        return "The thread runs no Python, or its stack could not be read"
    return frame.whole()


def _where_cue(rows: StackLines, row: int) -> Cue | None:
    line = rows.lines[row]
    return Cue("text_quiet") if line.depth or line.frame is None else None


def _lock_cue(rows: StackLines, row: int) -> Cue | None:
    line = _first(rows, row)
    return Cue("waiting", "dot") if line is not None and line.thread.holds_gil else None


def _lock_tooltip(rows: StackLines, row: int) -> str:
    return (
        "It held the interpreter's lock when it was looked at"
        if rows.lines[row].thread.holds_gil
        else ""
    )
