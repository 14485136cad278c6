r"""The filter language of the handle table.

::

    plain words           match the type's name, the site, thread names, the state and ids
    "two words"           one word with a space in it
    type:Journal,Todo     type, state, thread, owner, created, ended, id, site, kind, origin; commas give alternatives
    thread:"worker-1"     a quoted value must match whole; \" stands for a quote in it
    strong>=2 age>10s     count (= strong), weak, inner, outer, proxies, inflight, native, age; with > >= < <= = !=
    born:14:03..14:05:20  when the handle was created, local time of day (its nearest past); either end may be missing
    -state:open           a minus in front: not

All terms must hold. Unknown values match no comparison. Pure; any thread: ``parse`` on each key stroke, ``Filter.mask``
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
from inspector.model.snapshot import UNKNOWN, Handles, Ids, Snapshot
from inspector.model.states import alive, ended, search_words
from inspector.model.time_of_day import TimeRange, parse_range
from inspector.vocabulary import Reference

Mask: TypeAlias = npt.NDArray[np.bool_]

TEXT_KEYS: Final = ("type", "state", "thread", "owner", "created", "ended", "id", "site", "kind", "origin")
NUMBER_KEYS: Final = {
    "count": "strong",
    "strong": "strong",
    "weak": "weak",
    "inner": "inner_strong",
    "outer": "outer_strong",
    "proxies": "proxies",
    "inflight": "in_flight",
    "native": "native_refs",
    "age": "age",
}
AGE_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_COMPARE: Final[dict[str, Callable[[npt.NDArray[np.float64], float], Mask]]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "=": np.equal,
    "!=": np.not_equal,
}
RANGE_KEYS: Final = ("born",)
_QUOTED: Final = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_TOKEN: Final = re.compile(r'(?P<not>-?)(?P<body>(?:"(?:\\.|[^"\\])*"|[^\s"])+)', re.DOTALL)
_ALTERNATIVE: Final = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^,"])+', re.DOTALL)
_ESCAPED: Final = re.compile(r'\\(["\\])')
_KEYED: Final = re.compile(r"(?P<key>[A-Za-z]+):(?!:)(?P<value>.*)", re.DOTALL)
_COMPARED: Final = re.compile(r"(?P<key>[A-Za-z_]+)(?P<op>>=|<=|!=|>|<|=)(?P<value>.*)", re.DOTALL)
_NUMBER: Final = re.compile(r"(?P<number>-?\d[\d,]*(?:\.\d+)?)(?P<unit>[a-z]*)")
_ID: Final = re.compile(r"#?(?P<slot>\d{1,10})(?:\.(?P<generation>\d{1,10}))?")
_ID_BITS: Final = np.uint64(0xFFFF_FFFF)


class FilterError(InspectorError):
    """The filter cannot be understood; the message says what to type instead."""


class Term(Protocol):
    """One condition."""

    def mask(self, snapshot: Snapshot) -> Mask:
        """Rows for which it holds, one element a row of ``snapshot.handles``."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text to look for, without regard to case."""

    text: str
    """Case-folded."""
    whole: bool = False

    def matches(self, candidate: str) -> bool:
        """Whether ``candidate`` contains it (is it, when ``whole``)."""
        folded = candidate.casefold()
        return folded == self.text if self.whole else self.text in folded


@dataclass(frozen=True, slots=True)
class Keyed:
    """``key:value,value``: one of the alternatives holds. ``key`` is one of ``TEXT_KEYS``."""

    key: str
    alternatives: tuple[Text, ...]

    def mask(self, snapshot: Snapshot) -> Mask:
        """See ``Term``."""
        found = np.zeros(len(snapshot.handles), dtype=np.bool_)
        for text in self.alternatives:
            found |= _text_mask(self.key, text, snapshot)
        return found


@dataclass(frozen=True, slots=True)
class Word:
    """A plain word: somewhere in what the row shows."""

    text: Text

    def mask(self, snapshot: Snapshot) -> Mask:
        """See ``Term``."""
        found = np.zeros(len(snapshot.handles), dtype=np.bool_)
        for key in ("type", "state", "thread", "site", "id"):
            found |= _text_mask(key, self.text, snapshot)
        return found


@dataclass(frozen=True, slots=True)
class Compared:
    """``column op number``; ages in seconds."""

    column: str
    op: str
    number: float

    def mask(self, snapshot: Snapshot) -> Mask:
        """See ``Term``."""
        values = number_column(snapshot, self.column)
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
        """It asks for dead rows by state or by id, so they are wanted even where tombstones are hidden."""
        return any(isinstance(t, Keyed) and (t.key == "id" or (t.key == "state" and _names_death(t))) for t in self.terms)

    def born_between(self, now: float) -> tuple[float, float] | None:
        """The range of births that it asks for, as seconds since the Unix epoch; ``None``: it asks for none."""
        return next((term.between.moments(now) for term in self.terms if isinstance(term, Born)), None)


def parse(source: str) -> Filter:
    """Read a filter. Raises ``FilterError`` with one line that helps."""
    if '"' in _QUOTED.sub("", source):
        raise FilterError('a quote is not closed: add “"”')
    terms: list[Term] = []
    for found in _TOKEN.finditer(source):
        term = _term(found["body"])
        terms.append(Inverted(term) if found["not"] else term)
    return Filter(tuple(terms), source.strip())


def quoted(text: str) -> str:
    """``text`` so that a filter finds exactly it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def replaced(source: str, key: str, term: str) -> str:
    """The filter ``source`` with ``term`` instead of what it said about ``key``; an empty ``term`` only takes that away."""
    kept = [found[0] for found in _TOKEN.finditer(source) if not found["body"].casefold().startswith(f"{key}:")]
    return " ".join([*kept, term]).strip()


def number_column(snapshot: Snapshot, column: str) -> npt.NDArray[np.float64]:
    """A column of counts, or ``age`` in seconds (of a dead row: how long it lived), as floats with ``nan`` for unknown."""
    handles = snapshot.handles
    if column == "age":
        return np.where(alive(handles), snapshot.taken_at, handles.changed_at) - handles.created_at
    values: npt.NDArray[np.float64] = getattr(handles, column).astype(np.float64)
    # native references may well be -1: they are unknown exactly when the strong count is
    values[(handles.strong if column == "native_refs" else getattr(handles, column)) == UNKNOWN] = np.nan
    return values


def _term(body: str) -> Term:
    if body.startswith('"') or body == "-":
        return Word(Text(_plain(body)))
    if compared := _COMPARED.fullmatch(body):
        return _compared(compared["key"].casefold().replace("_", ""), compared["op"], compared["value"])
    if keyed := _KEYED.fullmatch(body):
        return _keyed(keyed["key"].casefold(), keyed["value"])
    return Word(Text(_plain(body)))


def _plain(body: str) -> str:
    """What the text looks for: without its quotes, case-folded."""
    return _QUOTED.sub(lambda found: _ESCAPED.sub(r"\1", found[1]), body).casefold()


def _keyed(key: str, value: str) -> Term:
    if key in NUMBER_KEYS:
        return _compared(key, "=", value)
    if key in RANGE_KEYS:
        return _born(value)
    if key not in TEXT_KEYS:
        raise FilterError(f"there is no “{key}:”{_suggestion(key)}")
    parts = _ALTERNATIVE.findall(value)
    if not parts:
        raise FilterError(f"“{key}:” needs a value, such as {_EXAMPLES[key]}")
    return Keyed(key, tuple(Text(_plain(part), _QUOTED.fullmatch(part) is not None) for part in parts))


def _born(value: str) -> Term:
    between = parse_range(value)
    if between is None:
        raise FilterError("“born:” needs a range of times, such as born:14:03..14:05:20 or born:14:03..")
    return Born(between)


_EXAMPLES: Final = {
    "type": "type:Journal",
    "state": "state:pending",
    "thread": "thread:worker",
    "owner": "owner:worker",
    "created": "created:worker",
    "ended": "ended:worker",
    "id": "id:#88.1",
    "site": "site:app.py",
    "kind": "kind:uniffi",
    "origin": "origin:samples",
}


def _compared(key: str, op: str, value: str) -> Term:
    if key not in NUMBER_KEYS:
        raise FilterError(f"there is no number called “{key}”{_suggestion(key)}")
    column = NUMBER_KEYS[key]
    found = _NUMBER.fullmatch(value.strip().casefold())
    if found is None:
        example = f"{key}{op}{'10s' if column == 'age' else '2'}"
        raise FilterError(f"“{key}{op}” needs a number, such as {example}")
    unit = found["unit"]
    if unit not in AGE_UNITS or (unit and column != "age"):
        allowed = "ms, s, min, h or d" if column == "age" else "no unit"
        raise FilterError(f"“{unit}” is no unit of {key}: use {allowed}")
    return Compared(column, op, float(found["number"].replace(",", "")) * AGE_UNITS[unit])


def _suggestion(key: str) -> str:
    known = (*TEXT_KEYS, *RANGE_KEYS, *NUMBER_KEYS)
    near = difflib.get_close_matches(key, known, n=1)
    return f": did you mean “{near[0]}”?" if near else f": use {', '.join((*TEXT_KEYS, *RANGE_KEYS))} or {', '.join(NUMBER_KEYS)}"


def _names_death(term: Keyed) -> bool:
    return any(
        word in text.text or text.text in word for text in term.alternatives for word in ("dead", "dropped", "released", "never closed")
    )


def _text_mask(key: str, text: Text, snapshot: Snapshot) -> Mask:
    handles = snapshot.handles
    if key == "id":
        return _id_mask(text, handles.ids)
    if key == "state":
        return _state_mask(text, handles)
    if key in ("thread", "owner", "created", "ended"):
        return _thread_mask(key, _chosen({i: t.search_name for i, t in snapshot.threads.items()}, text), handles)
    if key == "site":
        sites = {i: "\n".join(f"{frame.short()}\n{frame.file}:{frame.line}" for frame in s.frames) for i, s in snapshot.sites.items()}
        return _pick(_chosen(sites, text, by_line=True), handles.created_sites)
    names = {i: getattr(t, {"type": "name"}.get(key, key)) for i, t in snapshot.types.items()}
    return _pick(_chosen(names, text), handles.types)


def _thread_mask(key: str, named: Mask, handles: Handles) -> Mask:
    """``created``: on which thread; ``ended``: which one closed or released it; ``thread``: created there or owned by it."""
    if key == "ended":
        return _pick(named, handles.last_threads) & ended(handles)
    owner, created = _pick(named, handles.owner_threads), _pick(named, handles.created_threads)
    return owner if key == "owner" else created if key == "created" else owner | created


def _chosen(names: dict[int, str], text: Text, *, by_line: bool = False) -> Mask:
    """Table by index: whether the name matches."""
    table = np.zeros(max(names, default=0) + 1, dtype=np.bool_)
    for index, name in names.items():
        table[index] = any(text.matches(line) for line in name.split("\n")) if by_line else text.matches(name)
    table[0] = False
    return table


def _pick(table: Mask, indices: npt.NDArray[np.int64]) -> Mask:
    """``table[indices]``; indices that the snapshot does not name match nothing."""
    inside = (indices >= 0) & (indices < len(table))
    return np.where(inside, table[np.where(inside, indices, 0)], False)


def _state_mask(text: Text, handles: Handles) -> Mask:
    pairs = handles.references.astype(np.uint16) << 8 | handles.resources
    table = np.zeros(1 << 16, dtype=np.bool_)
    for pair in np.flatnonzero(np.bincount(pairs, minlength=1)):
        words = search_words(int(pair) >> 8, int(pair) & 0xFF)
        table[pair] = text.text in words.split() if text.whole else text.matches(words)
    return np.asarray(table[pairs] & (handles.references != Reference.FREE))


def _id_mask(text: Text, ids: Ids) -> Mask:
    found = _ID.fullmatch(text.text)
    if found is None:
        return np.zeros(len(ids), dtype=np.bool_)
    slot = int(found["slot"])
    mask: Mask = (ids & _ID_BITS) >> np.uint64(1) == np.uint64(slot)
    if found["generation"] is not None:
        mask &= ids >> np.uint64(32) == np.uint64(int(found["generation"]))
    return mask
