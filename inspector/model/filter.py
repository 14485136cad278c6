r"""The filter language of the handle table.

::

    plain words           match the type's name, the site, thread names, the state and ids
    "two words"           one word with a space in it
    type:Journal,Todo     a field of text: commas give alternatives
    thread:"worker-1"     a quoted value must match whole; \" stands for a quote in it
    strong>=2 age>10s     a field of numbers, with > >= < <= = !=
    born:14:03..14:05:20  when the handle was created, local time of day (its nearest past); either end may be missing
    -state:open           a minus in front: not

The fields are those of ``HANDLE_COLUMNS`` that have filter names. All terms must hold. Unknown
values match no comparison. Pure; any thread: ``parse`` on each key stroke, ``Filter.mask``
vectorised (a million rows within a frame).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from inspector.errors import InspectorError
from inspector.model.columns import (
    FILTER_NAMES,
    NUMBER_NAMES,
    RANGE_NAMES,
    TEXT_NAMES,
    WORD_COLUMNS,
    ColumnKind,
    HandleColumn,
    column_of,
)
from inspector.model.columns.matching import Text
from inspector.model.snapshot import Floats, Snapshot
from inspector.model.time_of_day import TimeRange, parse_range

Mask: TypeAlias = npt.NDArray[np.bool_]

AGE_UNITS: Final = {
    "": 1.0,
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
}
_COMPARE: Final[dict[str, Callable[[npt.NDArray[np.float64], float], Mask]]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "=": np.equal,
    "!=": np.not_equal,
}
_QUOTED: Final = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_TOKEN: Final = re.compile(r'(?P<not>-?)(?P<body>(?:"(?:\\.|[^"\\])*"|[^\s"])+)', re.DOTALL)
_ALTERNATIVE: Final = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^,"])+', re.DOTALL)
_ESCAPED: Final = re.compile(r'\\(["\\])')
_KEYED: Final = re.compile(r"(?P<key>[A-Za-z]+):(?!:)(?P<value>.*)", re.DOTALL)
_COMPARED: Final = re.compile(r"(?P<key>[A-Za-z_]+)(?P<op>>=|<=|!=|>|<|=)(?P<value>.*)", re.DOTALL)
_QUOTED_PART: Final = re.compile(r'("(?:\\.|[^"\\])*")', re.DOTALL)
_SPACED: Final = re.compile(r"(?<!\S)(?P<key>-?[A-Za-z_]+)\s*(?P<op>>=|<=|!=|>|<|=|:)\s*(?=\S|$)")
_NUMBER: Final = re.compile(r"(?P<number>-?\d[\d,]*(?:\.\d+)?)(?P<unit>[a-z]*)")


class FilterError(InspectorError):
    """The filter cannot be understood; the message gives a correct form."""


class Term(Protocol):
    """One condition."""

    def mask(self, snapshot: Snapshot) -> Mask:
        """Rows for which it holds, one element a row of ``snapshot.handles``."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """``key:value,value``: any alternative holds. ``key`` is a filter name of a column of text."""

    key: str
    alternatives: tuple[Text, ...]

    def mask(self, snapshot: Snapshot) -> Mask:
        """See ``Term``."""
        found = np.zeros(len(snapshot.handles), dtype=np.bool_)
        for text in self.alternatives:
            found |= _mask_of(FILTER_NAMES[self.key], text, snapshot)
        return found


@dataclass(frozen=True, slots=True)
class Word:
    """A plain word: somewhere in the row's texts."""

    text: Text

    def mask(self, snapshot: Snapshot) -> Mask:
        """See ``Term``."""
        found = np.zeros(len(snapshot.handles), dtype=np.bool_)
        for column in WORD_COLUMNS:
            found |= _mask_of(column, self.text, snapshot)
        return found


@dataclass(frozen=True, slots=True)
class Compared:
    """``column op number``; ages in seconds."""

    column: str
    """Its ``key``."""
    op: str
    number: float

    def mask(self, snapshot: Snapshot) -> Mask:
        """See ``Term``."""
        values = numbers_of(column_of(self.column), snapshot)
        with np.errstate(invalid="ignore"):
            return _COMPARE[self.op](values, self.number) & ~np.isnan(values)


@dataclass(frozen=True, slots=True)
class Born:
    """``born:14:03:20..14:03:25``: created between the two, both included."""

    between: TimeRange

    def mask(self, snapshot: Snapshot) -> Mask:
        """See ``Term``."""
        begin, end = self.between.moments(snapshot.taken_at)
        born = snapshot.handles.created_at
        return np.asarray((born >= begin) & (born <= end))


@dataclass(frozen=True, slots=True)
class Inverted:
    """The term does not hold."""

    term: Term

    def mask(self, snapshot: Snapshot) -> Mask:
        """See ``Term``."""
        return ~self.term.mask(snapshot)


@dataclass(frozen=True, slots=True)
class Filter:
    """All terms hold; no term: every row."""

    terms: tuple[Term, ...] = ()
    source: str = ""

    def mask(self, snapshot: Snapshot) -> Mask:
        """Rows to show, one element a row of ``snapshot.handles``."""
        kept = np.ones(len(snapshot.handles), dtype=np.bool_)
        for term in self.terms:
            kept &= term.mask(snapshot)
        return kept

    def names_tombstones(self) -> bool:
        """Whether the filter asks for dead rows by state or by id.

        They are then wanted even where tombstones are hidden.
        """
        return any(
            isinstance(t, Keyed) and (t.key == "id" or (t.key == "state" and _names_death(t)))
            for t in self.terms
        )

    def born_between(self, now: float) -> tuple[float, float] | None:
        """The range of births that it asks for, as seconds since the Unix epoch.

        ``None``: it asks for none.
        """
        return next(
            (term.between.moments(now) for term in self.terms if isinstance(term, Born)), None
        )


def parse(source: str) -> Filter:
    """Read a filter. Raises ``FilterError`` with one line that helps."""
    if '"' in _QUOTED.sub("", source):
        raise FilterError('a quote is not closed: add “"”')
    terms: list[Term] = []
    for found in _TOKEN.finditer(_closed_up(source)):
        term = _term(found["body"])
        terms.append(Inverted(term) if found["not"] else term)
    return Filter(tuple(terms), source.strip())


def _closed_up(source: str) -> str:
    """The source without the blanks around the operator of a known field: ``age > 10s``."""
    parts = _QUOTED_PART.split(source)
    return "".join(
        part if place % 2 else _SPACED.sub(_without_blanks, part)
        for place, part in enumerate(parts)
    )


def _without_blanks(found: re.Match[str]) -> str:
    key = found["key"].lstrip("-").casefold().replace("_", "")
    is_known = key in NUMBER_NAMES or key in TEXT_NAMES or key in RANGE_NAMES
    return f"{found['key']}{found['op']}" if is_known else found[0]


def quoted(text: str) -> str:
    """``text`` so that a filter finds exactly it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def replaced(source: str, key: str, term: str) -> str:
    """The filter ``source`` with ``term`` instead of its terms about ``key``.

    An empty ``term`` only removes these.
    """
    kept = [
        found[0]
        for found in _TOKEN.finditer(source)
        if not found["body"].casefold().startswith(f"{key}:")
    ]
    return " ".join([*kept, term]).strip()


def numbers_of(column: HandleColumn, snapshot: Snapshot) -> Floats:
    """The numbers of a column, ``nan`` for unknown.

    Raises ``TypeError`` for a column without numbers.
    """
    if column.values is None:
        raise TypeError(f"the column {column.key} has no numbers")
    return column.values(snapshot)


def _term(body: str) -> Term:
    if body.startswith('"') or body == "-":
        return Word(Text(_plain(body)))
    if compared := _COMPARED.fullmatch(body):
        return _compared(
            compared["key"].casefold().replace("_", ""), compared["op"], compared["value"]
        )
    if keyed := _KEYED.fullmatch(body):
        return _keyed(keyed["key"].casefold(), keyed["value"])
    return Word(Text(_plain(body)))


def _plain(body: str) -> str:
    """The text searched for: without its quotes, case-folded."""
    return _QUOTED.sub(lambda found: _ESCAPED.sub(r"\1", found[1]), body).casefold()


def _keyed(key: str, value: str) -> Term:
    if key in NUMBER_NAMES:
        return _compared(key, "=", value)
    if key in RANGE_NAMES:
        return _born(key, value)
    if key not in TEXT_NAMES:
        raise FilterError(f"there is no “{key}:”{_suggestion(key)}")
    parts = _ALTERNATIVE.findall(value)
    if not parts:
        raise FilterError(f"“{key}:” needs a value, such as {FILTER_NAMES[key].example}")
    return Keyed(
        key, tuple(Text(_plain(part), _QUOTED.fullmatch(part) is not None) for part in parts)
    )


def _born(key: str, value: str) -> Term:
    between = parse_range(value)
    if between is None:
        raise FilterError(f"“{key}:” needs a range of times, such as {FILTER_NAMES[key].example}")
    return Born(between)


def _compared(key: str, op: str, value: str) -> Term:
    if key in TEXT_NAMES and op in ("=", "!="):
        term = _keyed(key, value)
        return term if op == "=" else Inverted(term)
    if key in TEXT_NAMES:
        raise FilterError(f"“{key}” is a text: use {key}:… or {key}=…")
    if key not in NUMBER_NAMES:
        raise FilterError(f"there is no number called “{key}”{_suggestion(key)}")
    column = FILTER_NAMES[key]
    is_span = column.kind is ColumnKind.SPAN
    found = _NUMBER.fullmatch(value.strip().casefold())
    if found is None:
        example = f"{key}{op}{'10s' if is_span else '2'}"
        raise FilterError(f"“{key}{op}” needs a number, such as {example}")
    unit = found["unit"]
    if unit not in AGE_UNITS or (unit and not is_span):
        allowed = "ms, s, min, h or d" if is_span else "no unit"
        raise FilterError(f"“{unit}” is no unit of {key}: use {allowed}")
    return Compared(column.key, op, float(found["number"].replace(",", "")) * AGE_UNITS[unit])


def _suggestion(key: str) -> str:
    texts = (*TEXT_NAMES, *RANGE_NAMES)
    near = difflib.get_close_matches(key, (*texts, *NUMBER_NAMES), n=1)
    return (
        f": did you mean “{near[0]}”?"
        if near
        else (f": use {', '.join(texts)} or {', '.join(NUMBER_NAMES)}")
    )


def _names_death(term: Keyed) -> bool:
    return any(
        word in text.text or text.text in word
        for text in term.alternatives
        for word in ("dead", "dropped", "released", "never closed")
    )


def _mask_of(column: HandleColumn, text: Text, snapshot: Snapshot) -> Mask:
    """Rows that a text finds by a column of text."""
    if column.matches is None:
        raise TypeError(f"the column {column.key} has no texts")
    return column.matches(text, snapshot)
