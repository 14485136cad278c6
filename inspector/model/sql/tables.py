"""The tables that SQL sees: one line a table in ``TABLES``. Pure; any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from types import MappingProxyType, UnionType
from typing import Any, Final, get_args, get_type_hints

from inspector.model.columns import JSON_COLUMNS
from inspector.model.events import Events, no_events
from inspector.model.exports.lines import handle_rows
from inspector.model.snapshot import UNKNOWN, Snapshot, TypeRow, Vitals
from inspector.vocabulary import EventKind, handle_text

TEXT: Final = "varchar"
COUNT: Final = "bigint"
TIME: Final = "double"
FLAG: Final = "boolean"
_OF_HINT: Final = MappingProxyType({str: TEXT, int: COUNT, float: TIME, bool: FLAG})
_WORDS: Final = MappingProxyType({int(each): each.word for each in EventKind})
_COUNTING: Final = frozenset(int(each) for each in EventKind if each.tells_count)


@dataclass(frozen=True, slots=True)
class Questioned:
    """A state, its past, and its events, as far as they are known."""

    snapshot: Snapshot
    course: tuple[Vitals, ...] = ()
    events: Events | None = None


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """A column: its SQL type, and its value of a row."""

    name: str
    kind: str
    value: Callable[[Any], Any]
    """``None``: unknown."""


@dataclass(frozen=True, slots=True)
class SqlTable:
    """A table: its columns, and the rows of a state."""

    name: str
    about: str
    columns: tuple[SqlColumn, ...]
    rows: Callable[[Questioned], Iterable[Any]]

    def values(self, asked: Questioned) -> dict[str, Sequence[Any]]:
        """The values of a state, by column."""
        rows = list(self.rows(asked))
        return {each.name: [each.value(row) for row in rows] for each in self.columns}


def _types(asked: Questioned) -> Iterator[tuple[TypeRow, int | None]]:
    """Each type, and how many of it live."""
    lives = asked.snapshot.vitals.live_by_type()
    for row in asked.snapshot.types.values():
        yield row, int(lives[row.index]) if row.index < len(lives) else None


def _counts(asked: Questioned) -> Iterator[tuple[Vitals, int, TypeRow, int]]:
    """Each type at each moment: the moment's counters, the type's place in them, and the living."""
    for vitals in asked.course or (asked.snapshot.vitals,):
        lives = vitals.live_by_type()
        for index, kind in asked.snapshot.types.items():
            if index < len(lives):
                yield vitals, index, kind, int(lives[index])


@dataclass(frozen=True, slots=True)
class _Event:
    """An event of a state, and its place among the events."""

    asked: Questioned
    events: Events
    at: int

    def word(self) -> str | None:
        """The kind; ``None``: this version does not know it."""
        return _WORDS.get(int(self.events.kinds[self.at]))

    def handle(self) -> str | None:
        """The handle's number as it is shown."""
        number = int(self.events.handles[self.at])
        return handle_text(number) if number else None

    def type(self) -> str | None:
        """The type's name."""
        row = self.asked.snapshot.types.get(int(self.events.types[self.at]))
        return None if row is None else row.name

    def thread(self) -> str | None:
        """The label of the thread."""
        row = self.asked.snapshot.threads.get(int(self.events.threads[self.at]))
        return None if row is None else row.label

    def count(self) -> int | None:
        """The count after the event, where the kind has a count."""
        tells = int(self.events.kinds[self.at]) in _COUNTING
        return _known(int(self.events.counts[self.at])) if tells else None


def _events(asked: Questioned) -> Iterator[_Event]:
    events = asked.events or no_events()
    return (_Event(asked, events, at) for at in range(len(events.at)))


def _counter(name: str) -> SqlColumn:
    """A counter of a type, with the type's own name for it."""
    return SqlColumn(name, COUNT, lambda row: _known(getattr(row[0], name)))


def _thread_counter(name: str) -> SqlColumn:
    return SqlColumn(name, COUNT, lambda row: _known(getattr(row, name)))


def _item(name: str, kind: str) -> SqlColumn:
    """A column of rows that are mappings."""
    return SqlColumn(name, kind, itemgetter(name))


def _known(count: int) -> int | None:
    return None if count == UNKNOWN else int(count)


def _sql_type(hint: Any) -> str:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return next(_OF_HINT[each] for each in kinds if each in _OF_HINT)


TABLES: Final = (
    SqlTable(
        "handles",
        "live handles, with the columns of --json",
        tuple(
            _item(each.key, _sql_type(get_type_hints(each.json)["return"]))
            for each in JSON_COLUMNS
            if each.json is not None
        ),
        lambda asked: handle_rows(asked.snapshot),
    ),
    SqlTable(
        "types",
        "types, with their counters since the segment began",
        (
            SqlColumn("type", TEXT, lambda row: row[0].name),
            SqlColumn("module", TEXT, lambda row: row[0].origin or None),
            SqlColumn("kind", TEXT, lambda row: row[0].kind),
            SqlColumn("live", COUNT, itemgetter(1)),
            _counter("created"),
            _counter("released"),
            _counter("closed"),
            _counter("never_closed"),
            _counter("dropped"),
            _counter("size_bytes"),
        ),
        _types,
    ),
    SqlTable(
        "threads",
        "threads that touched a handle",
        (
            SqlColumn("thread", TEXT, lambda row: row.label),
            SqlColumn("tid", COUNT, lambda row: row.tid),
            SqlColumn("alive", FLAG, lambda row: row.alive),
            _thread_counter("created"),
            _thread_counter("released"),
            SqlColumn("calls", COUNT, lambda row: len(row.calls)),
        ),
        lambda asked: asked.snapshot.threads.values(),
    ),
    SqlTable(
        "frames",
        "lines of the stacks that handles and events name; depth 0 is innermost",
        (
            SqlColumn("stack", COUNT, itemgetter(0)),
            SqlColumn("depth", COUNT, itemgetter(1)),
            SqlColumn("function", TEXT, lambda row: row[2].function or None),
            SqlColumn("file", TEXT, lambda row: row[2].file or None),
            SqlColumn("line", COUNT, lambda row: row[2].line or None),
        ),
        lambda asked: (
            (number, depth, frame)
            for number, site in asked.snapshot.sites.items()
            for depth, frame in enumerate(site.frames)
        ),
    ),
    SqlTable(
        "counts",
        "live handles of each type at each recorded moment",
        (
            SqlColumn("taken_at", TIME, lambda row: row[0].at),
            SqlColumn("type", TEXT, lambda row: row[2].name),
            SqlColumn("live", COUNT, itemgetter(3)),
            SqlColumn("created", COUNT, lambda row: int(row[0].created[row[1]])),
            SqlColumn("released", COUNT, lambda row: int(row[0].released[row[1]])),
        ),
        _counts,
    ),
    SqlTable(
        "events",
        "births, clones, releases, closes, as far as they are still known",
        (
            SqlColumn("taken_at", TIME, lambda row: float(row.events.at[row.at])),
            SqlColumn("event", TEXT, _Event.word),
            SqlColumn("handle", TEXT, _Event.handle),
            SqlColumn("type", TEXT, _Event.type),
            SqlColumn("thread", TEXT, _Event.thread),
            SqlColumn("stack", COUNT, lambda row: int(row.events.sites[row.at]) or None),
            SqlColumn("count", COUNT, _Event.count),
        ),
        _events,
    ),
)
