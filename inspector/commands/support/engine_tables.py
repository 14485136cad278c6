"""The tables that SQL sees: one line a table in ``TABLES``. Pure; any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, UnionType
from typing import Any, Final, get_args, get_type_hints

import numpy as np

from inspector.model.columns import JSON_COLUMNS
from inspector.model.events import Events, no_events
from inspector.model.exports.lines import handle_rows
from inspector.model.snapshot import UNKNOWN, Snapshot, Vitals
from inspector.vocabulary import EventKind, handle_text

Columns = Mapping[str, Sequence[Any]]
TEXT: Final = "varchar"
COUNT: Final = "bigint"
TIME: Final = "double"
FLAG: Final = "boolean"
_OF_HINT: Final = MappingProxyType({str: TEXT, int: COUNT, float: TIME, bool: FLAG})


@dataclass(frozen=True, slots=True)
class Questioned:
    """A state, its past, and its events, as far as they are known."""

    snapshot: Snapshot
    course: tuple[Vitals, ...] = ()
    events: Events | None = None


@dataclass(frozen=True, slots=True)
class SqlTable:
    """A table: its columns with their SQL types, and the values of a state."""

    name: str
    about: str
    columns: Mapping[str, str]
    values: Callable[[Questioned], Columns]


def _handles(asked: Questioned) -> Columns:
    rows = handle_rows(asked.snapshot)
    return {key: [row[key] for row in rows] for key in _HANDLE_COLUMNS}


def _types(asked: Questioned) -> Columns:
    snapshot = asked.snapshot
    lives = snapshot.vitals.live_by_type()
    rows = list(snapshot.types.values())
    known = [int(lives[row.index]) if row.index < len(lives) else None for row in rows]
    return {
        "type": [row.name for row in rows],
        "module": [row.origin or None for row in rows],
        "kind": [row.kind for row in rows],
        "live": known,
        **{
            name: [_known(getattr(row, name)) for row in rows]
            for name in ("created", "released", "closed", "never_closed", "dropped", "size_bytes")
        },
    }


def _threads(asked: Questioned) -> Columns:
    rows = list(asked.snapshot.threads.values())
    return {
        "thread": [row.label for row in rows],
        "tid": [row.tid for row in rows],
        "alive": [row.alive for row in rows],
        "created": [_known(row.created) for row in rows],
        "released": [_known(row.released) for row in rows],
        "calls": [len(row.calls) for row in rows],
    }


def _frames(asked: Questioned) -> Columns:
    rows = [
        (number, depth, frame)
        for number, site in asked.snapshot.sites.items()
        for depth, frame in enumerate(site.frames)
    ]
    return {
        "stack": [number for number, _, _ in rows],
        "depth": [depth for _, depth, _ in rows],
        "function": [frame.function or None for _, _, frame in rows],
        "file": [frame.file or None for _, _, frame in rows],
        "line": [frame.line or None for _, _, frame in rows],
    }


def _counts(asked: Questioned) -> Columns:
    """A row a type and moment."""
    found: dict[str, list[Any]] = {
        "taken_at": [],
        "type": [],
        "live": [],
        "created": [],
        "released": [],
    }
    for vitals in asked.course or (asked.snapshot.vitals,):
        lives = vitals.live_by_type()
        for index, kind in asked.snapshot.types.items():
            if index < len(lives):
                found["taken_at"].append(vitals.at)
                found["type"].append(kind.name)
                found["live"].append(int(lives[index]))
                found["created"].append(int(vitals.created[index]))
                found["released"].append(int(vitals.released[index]))
    return found


def _events(asked: Questioned) -> Columns:
    snapshot, events = asked.snapshot, asked.events or no_events()
    kinds = {int(each): each for each in EventKind}
    types = {index: row.name for index, row in snapshot.types.items()}
    threads = {index: row.label for index, row in snapshot.threads.items()}
    counting = np.isin(events.kinds, [each for each in EventKind if each.tells_count])
    return {
        "taken_at": events.at.tolist(),
        "event": [kinds[kind].word if kind in kinds else None for kind in events.kinds.tolist()],
        "handle": [handle_text(each) if each else None for each in events.handles.tolist()],
        "type": list(map(types.get, events.types.tolist())),
        "thread": list(map(threads.get, events.threads.tolist())),
        "stack": [each or None for each in events.sites.tolist()],
        "count": [
            each if tells and each != UNKNOWN else None
            for each, tells in zip(events.counts.tolist(), counting.tolist(), strict=True)
        ],
    }


def _known(count: int) -> int | None:
    return None if count == UNKNOWN else int(count)


def _sql_type(hint: Any) -> str:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return next(_OF_HINT[each] for each in kinds if each in _OF_HINT)


_HANDLE_COLUMNS: Final = MappingProxyType(
    {
        each.key: _sql_type(get_type_hints(each.json)["return"])
        for each in JSON_COLUMNS
        if each.json is not None
    }
)
TABLES: Final = (
    SqlTable("handles", "live handles, with the columns of --json", _HANDLE_COLUMNS, _handles),
    SqlTable(
        "types",
        "types, with their counters since the segment began",
        {
            "type": TEXT,
            "module": TEXT,
            "kind": TEXT,
            "live": COUNT,
            "created": COUNT,
            "released": COUNT,
            "closed": COUNT,
            "never_closed": COUNT,
            "dropped": COUNT,
            "size_bytes": COUNT,
        },
        _types,
    ),
    SqlTable(
        "threads",
        "threads that touched a handle",
        {
            "thread": TEXT,
            "tid": COUNT,
            "alive": FLAG,
            "created": COUNT,
            "released": COUNT,
            "calls": COUNT,
        },
        _threads,
    ),
    SqlTable(
        "frames",
        "lines of the stacks that handles and events name; depth 0 is innermost",
        {"stack": COUNT, "depth": COUNT, "function": TEXT, "file": TEXT, "line": COUNT},
        _frames,
    ),
    SqlTable(
        "counts",
        "live handles of each type at each recorded moment",
        {"taken_at": TIME, "type": TEXT, "live": COUNT, "created": COUNT, "released": COUNT},
        _counts,
    ),
    SqlTable(
        "events",
        "births, clones, releases, closes, as far as they are still known",
        {
            "taken_at": TIME,
            "event": TEXT,
            "handle": TEXT,
            "type": TEXT,
            "thread": TEXT,
            "stack": COUNT,
            "count": COUNT,
        },
        _events,
    ),
)
