"""The table of viewers' acts on the target: its columns over an ``AuditLog``. GUI thread only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QObject

from inspector.model.wording import clock, duration, number
from inspector.session.protocol import AuditedAct, AuditLog
from inspector.ui.kit.column_model import Column, ColumnModel, Cue, ranks_of
from inspector.ui.kit.theme import Theme
from inspector.vocabulary import Level, handle_text

_FIGURES: Final = {
    "collected": "collected",
    "released": "handles released",
    "closes_queued": "closes queued",
    "ran": "closes run",
    "still_pending": "still pending",
    "took_nanos": "took",
}
"""What known figures of a result are called, in their order."""
NO_LOG: Final = AuditLog((), 0, "")
_WORDS: Final = {"gc": "force GC", "cancel": "take back", "level": "set level"}


@dataclass(frozen=True, slots=True)
class Acts:
    """The acts of one log."""

    log: AuditLog
    own_pid: int
    """This process: its acts are *this window's*."""

    def __len__(self) -> int:
        """Acts."""
        return len(self.log.acts)


def audit_model(theme: Theme, parent: QObject | None = None) -> ColumnModel[Acts]:
    """An empty table. Its keys are the acts' numbers since the target began to count."""
    return ColumnModel(_columns(), Acts(NO_LOG, 0), _keys, theme=theme, parent=parent)


def result_text(act: AuditedAct) -> str:
    """The outcome of an act: ``#5.1 closed, #6.1 pending``, ``collected 3, released 1``."""
    match act.result:
        case None:
            return ""
        case str():
            return act.result
        case [*each]:
            return ", ".join(_outcome(one) for one in each)
        case Mapping():
            return _figures_text(act.result)
        case _:
            return json.dumps(act.result, default=str)


def _figures_text(result: Mapping[str, Any]) -> str:
    """``collected 3, released 1, took 8 ms``: known figures, most wanted first."""
    names = [name for name in _FIGURES if name in result] + sorted(result.keys() - _FIGURES.keys())
    return ", ".join(_figure_text(name, result[name]) for name in names)


def _figure_text(name: str, value: Any) -> str:
    if name == "took_nanos" and isinstance(value, int):
        return f"took {duration(value / 1e9)}"
    if name == "level" and value in list(Level):
        return f"level {Level(value).name.lower()}"
    return f"{_FIGURES.get(name, name.replace('_', ' '))} {value}"


def _outcome(one: object) -> str:
    if isinstance(one, dict) and isinstance(one.get("handle"), int):
        return f"{handle_text(one['handle'])} {one.get('outcome', '')}"
    return str(one)


def _columns() -> tuple[Column[Acts], ...]:
    return (
        Column(
            "At",
            "When, by the target's clock",
            lambda rows, i: clock(_act(rows, i).at)[:8],
            lambda rows: _numbers(rows, "at"),
        ),
        Column(
            "Act",
            "What was asked for",
            lambda rows, i: _WORDS.get(_act(rows, i).op, _act(rows, i).op),
            lambda rows: _ranks(rows, "op"),
        ),
        Column(
            "By",
            "The process that asked",
            _by_text,
            lambda rows: _numbers(rows, "pid"),
            tooltip=_by_tooltip,
        ),
        Column(
            "Handles",
            "Number of handles of the action",
            lambda rows, i: number(_act(rows, i).handle_count),
            lambda rows: _numbers(rows, "handle_count"),
            number=True,
            tooltip=lambda rows, i: ", ".join(
                handle_text(handle) for handle in _act(rows, i).handles
            ),
        ),
        Column(
            "Outcome",
            "Whether it was done",
            _outcome_text,
            lambda rows: _ranks(rows, "outcome"),
            cue=_outcome_cue,
        ),
        Column(
            "Result",
            "What came of it",
            lambda rows, i: result_text(_act(rows, i)),
            lambda rows: _ranks(rows, "op"),
            tooltip=_result_tooltip,
        ),
    )


def _keys(rows: Acts) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.arange(rows.log.dropped, rows.log.dropped + len(rows), dtype=np.uint64)


def _act(rows: Acts, row: int) -> AuditedAct:
    return rows.log.acts[row]


def _numbers(rows: Acts, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([getattr(act, name) for act in rows.log.acts], dtype=np.float64)


def _ranks(rows: Acts, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return ranks_of(
        np.arange(len(rows)),
        {row: str(getattr(act, name)) for row, act in enumerate(rows.log.acts)},
    )


def _by_text(rows: Acts, row: int) -> str:
    pid = _act(rows, row).pid
    return (
        "this window" if pid == rows.own_pid else f"process {pid}" if pid else "a process elsewhere"
    )


def _by_tooltip(rows: Acts, row: int) -> str:
    return f"Process {_act(rows, row).pid}, user {_act(rows, row).uid}"


def _outcome_text(rows: Acts, row: int) -> str:
    return _act(rows, row).outcome


def _outcome_cue(rows: Acts, row: int) -> Cue | None:
    return None if _act(rows, row).outcome == "done" else Cue("alarm", "failed")


def _result_tooltip(rows: Acts, row: int) -> str:
    return result_text(_act(rows, row)).replace(", ", "\n")
