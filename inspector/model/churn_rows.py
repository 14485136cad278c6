"""The history of the counts as rows of text: a table of the timeline's points. Pure; any thread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np

from inspector.model.churn import ChurnHistory
from inspector.model.churn_lines import Line
from inspector.model.snapshot import Floats

MOST_POINTS: Final = 1 << 20
MOST_TYPES: Final = 20


def history_rows(history: ChurnHistory, names: Mapping[int, str]) -> Iterator[list[str]]:
    """A head, then a row a point: time in UTC, live handles, and those of the busiest types.

    ``names``: of the types, by index. A gap has a row without numbers.
    """
    begin, end = history.first_at, history.last_at
    types = history.busiest_types(begin, end, MOST_TYPES) if len(history) else ()
    yield ["time (UTC)", "live", *(f"live {names.get(each, f'type {each}')}" for each in types)]
    if not len(history):
        return
    whole = history.live_line(begin, end + 1.0, points=MOST_POINTS)
    lines = [
        _at(history.live_line(begin, end + 1.0, points=MOST_POINTS, type_index=each), whole.at)
        for each in types
    ]
    for place, at in enumerate(whole.at.tolist()):
        values = [float(whole.values[place]), *(float(line[place]) for line in lines)]
        yield [_time(at), *map(_number, values)]


def _at(line: Line, at: Floats) -> Floats:
    """The line's last values at these times; ``nan`` before its first."""
    if not len(line.at):
        return np.full(len(at), np.nan)
    places = np.searchsorted(line.at, at, side="right") - 1
    return np.where(places >= 0, line.values[np.maximum(places, 0)], np.nan)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.0f}"
