r"""The state of a window as bytes and back: a private chunk of a screenshot.

::

    magic "arcview\0" (8) | version u32 | zero u32, then records as in a session file:
    LOOK JSON   HIST readings   LINE JSON    MARK a mark (ATTM: of attaching)   FIND JSON
    HOLD JSON   CYCL JSON       TRND JSON    PLAN JSON    LEAD JSON   EVNT events   LEFT JSON
    STCK JSON

JSON is packed by zlib. A record of an unknown kind is skipped, a damaged record is left out
and named. Each part has room of its own; a part that is larger is cut, and the file says so.
Reading treats the bytes as hostile. Pure; any thread.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from inspector.errors import FileFormatError
from inspector.model.change_trends import Observed
from inspector.model.events import Events
from inspector.model.fields import from_plain, to_plain
from inspector.model.findings.leads import Lead
from inspector.model.holders import CycleReport
from inspector.model.marks import MarkedState
from inspector.model.readings import Readings
from inspector.model.session_file import (
    RECORD,
    checksum,
    events_record,
    read_events,
    read_json,
    record,
)
from inspector.model.snapshot import Snapshot
from inspector.model.stack_reading import StackReading
from inspector.model.stored_history import decode_history, encode_history
from inspector.model.stored_marks import decode_mark, encode_mark
from inspector.model.time_marks import Mark
from inspector.model.window_state import (
    ATTACHED,
    FoundHolders,
    Look,
    SavedReport,
    WindowState,
)
from inspector.model.wording import plural

MAGIC: Final = b"arcview\0"
VERSION: Final = 1
HEAD: Final = struct.Struct("<8sII")
MOST_MARK_BYTES: Final = 1_200_000
"""All marks together."""
MOST_EVENTS: Final = 10_000
MOST_JSON_BYTES: Final = 128 << 10
"""The most bytes of one part of texts, packed."""
MOST_TEXT_BYTES: Final = 16 << 20
"""The same unpacked."""
MOST_MARKS: Final = 100
NEWER: Final = "the state of its window has a newer format, so only the handles are shown"
"""The sentence about a file of a later version."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class _Listed:
    """One row of a list in JSON."""

    lines: tuple[Mark, ...] = ()
    holders: tuple[FoundHolders, ...] = ()
    trends: tuple[Observed, ...] = ()
    plain: tuple[Observed, ...] = ()
    left_out: str = ""


def encode_state(state: WindowState, snapshot: Snapshot) -> bytes:
    """``state`` beside the ``snapshot`` that is in the same file."""
    left: list[str] = []
    look, marks = _marks(state, snapshot, left)
    parts = [HEAD.pack(MAGIC, VERSION, 0), *marks, _json(b"LOOK", to_plain(look))]
    if state.readings is not None and len(state.readings.at):
        parts.append(record(b"HIST", encode_history(state.readings)))
    for kind, value, name in (
        (b"FIND", state.report, "the findings"),
        (b"LEAD", state.lead, "the classes that are not followed"),
        (b"CYCL", state.cycles, "the cycles"),
        (b"STCK", state.stacks, "the stacks"),
    ):
        if value is not None:
            parts += _fitting(_json(kind, to_plain(value)), name, left)
    parts += _list(b"LINE", "lines", state.lines, "lines of the timeline", left)
    parts += _list(b"HOLD", "holders", state.holders, "holders", left)
    parts += _list(b"TRND", "trends", state.trends, "points of small lines", left)
    parts += _list(b"PLAN", "plain", state.plain, "points of small lines", left)
    if len(state.events):
        parts.append(events_record(state.events.take(slice(-MOST_EVENTS, None))))
        left += _count_left(len(state.events) - MOST_EVENTS, "older event")
    if left:
        parts.append(_json(b"LEFT", {"left_out": f"not in the file: {', '.join(left)}"}))
    return b"".join(parts)


def decode_state(data: bytes, snapshot: Snapshot) -> WindowState:
    """The state in ``data``, as far as it can be read; ``trouble`` names the other parts."""
    if len(data) < HEAD.size or not data.startswith(MAGIC):
        return WindowState(trouble="the state of its window is damaged, so it is not shown")
    if HEAD.unpack_from(data)[1] != VERSION:
        return WindowState(trouble=NEWER)
    reader = _Reader(snapshot)
    for kind, payload in _records(data):
        reader.take(kind, payload)
    return reader.state()


def _marks(state: WindowState, snapshot: Snapshot, left: list[str]) -> tuple[Look, list[bytes]]:
    """The marks that have room, the baseline first; the look names the baseline's new place."""
    place = state.look.baseline
    order = sorted(range(len(state.marks)), key=lambda at: (at != place, -at))[:MOST_MARKS]
    wanted: list[tuple[int, MarkedState]] = [(at, state.marks[at]) for at in order]
    if state.attached is not None:
        wanted.insert(0 if place == ATTACHED else 1, (ATTACHED, state.attached))
    room, found = MOST_MARK_BYTES, {}
    for at, mark in wanted:
        data = encode_mark(mark, snapshot)
        if len(data) > room:
            data = encode_mark(mark, snapshot, with_births=False)
        if len(data) <= room:
            room -= len(data)
            found[at] = data
    left += _count_left(len(state.marks) + (state.attached is not None) - len(found), "mark")
    kept = sorted(found)
    records = [record(b"ATTM" if at == ATTACHED else b"MARK", found[at]) for at in kept]
    places = [at for at in kept if at != ATTACHED]
    look = replace(
        state.look,
        baseline=places.index(place) if place in places else ATTACHED,
        compared=tuple(places.index(each) for each in state.look.compared if each in places),
    )
    return look, records


def _list(
    kind: bytes, name: str, rows: tuple[Any, ...], words: str, left: list[str]
) -> list[bytes]:
    """A list; of a list that is too long the newest rows, which come last."""
    kept = rows
    while kept:
        made = _json(kind, {name: to_plain(kept)})
        if len(made) <= MOST_JSON_BYTES:
            break
        kept = kept[len(kept) // 2 + 1 :]
    if len(kept) < len(rows):
        left.append(f"{len(rows) - len(kept):,} {words}")
    return [made] if kept else []


def _fitting(made: bytes, name: str, left: list[str]) -> list[bytes]:
    if len(made) <= MOST_JSON_BYTES:
        return [made]
    left.append(name)
    return []


def _count_left(count: int, noun: str) -> list[str]:
    return [plural(count, noun)] if count > 0 else []


def _json(kind: bytes, value: Any) -> bytes:
    return record(kind, zlib.compress(json.dumps(value, allow_nan=False).encode("ascii"), 1))


def _unpacked(payload: bytes) -> dict[str, Any]:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(payload, MOST_TEXT_BYTES)
    except zlib.error:
        raise FileFormatError("a record is damaged") from None
    return read_json(text)


def _records(data: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Kind and payload of each record; ``None`` where its checksum is wrong."""
    offset = HEAD.size
    while offset + RECORD.size <= len(data):
        kind, length, expected = RECORD.unpack_from(data, offset)
        begin, offset = offset + RECORD.size, offset + RECORD.size + length
        if offset > len(data):
            break
        payload = data[begin:offset]
        yield kind, payload if checksum(kind, payload) == expected else None


class _Reader:
    """Takes one record after another."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._found: dict[str, Any] = {}
        self._marks: list[MarkedState] = []
        self._trouble: list[str] = []

    def take(self, kind: bytes, payload: bytes | None) -> None:
        reader = _READERS.get(kind)
        if reader is None:
            return
        name, words, read = reader
        try:
            value = None if payload is None else read(payload, self._snapshot)
        except (FileFormatError, MemoryError):
            value = None
        if value is None:
            self._trouble.append(f"{words} are damaged and left out")
            return
        if name == "marks":
            self._marks.append(value)
        else:
            self._found[name] = value

    def state(self) -> WindowState:
        left_out = self._found.pop("left_out", "")
        trouble = "; ".join(filter(None, (left_out, *dict.fromkeys(self._trouble))))
        marks = tuple(self._marks[:MOST_MARKS])
        look: Look = self._found.pop("look", Look())
        if not ATTACHED <= look.baseline < len(marks):
            look = replace(look, baseline=ATTACHED)
        look = replace(
            look, compared=tuple(each for each in look.compared if 0 <= each < len(marks))
        )
        return WindowState(look=look, marks=marks, trouble=trouble, **self._found)


def _row(row_type: type[Row]) -> Callable[[bytes, Snapshot], Row]:
    return lambda payload, _snapshot: from_plain(row_type, _unpacked(payload))


def _listed(name: str) -> Callable[[bytes, Snapshot], Any]:
    return lambda payload, _snapshot: getattr(from_plain(_Listed, _unpacked(payload)), name)


def _readings(payload: bytes, _snapshot: Snapshot) -> Readings:
    return decode_history(payload)


def _events(payload: bytes, _snapshot: Snapshot) -> Events:
    return read_events(payload)


_READERS: Final[dict[bytes, tuple[str, str, Callable[[bytes, Snapshot], Any]]]] = {
    b"LOOK": ("look", "filter and selection", _row(Look)),
    b"HIST": ("readings", "the readings of the timeline", _readings),
    b"LINE": ("lines", "the lines of the timeline", _listed("lines")),
    b"ATTM": ("attached", "the marks", decode_mark),
    b"MARK": ("marks", "the marks", decode_mark),
    b"FIND": ("report", "the findings", _row(SavedReport)),
    b"LEAD": ("lead", "the classes that are not followed", _row(Lead)),
    b"HOLD": ("holders", "the holders", _listed("holders")),
    b"CYCL": ("cycles", "the cycles", _row(CycleReport)),
    b"STCK": ("stacks", "the stacks", _row(StackReading)),
    b"TRND": ("trends", "the small lines", _listed("trends")),
    b"PLAN": ("plain", "the small lines", _listed("plain")),
    b"EVNT": ("events", "the events", _events),
    b"LEFT": ("left_out", "what was left out", _listed("left_out")),
}
"""The field of the state, its words, and its reader, by the kind of a record."""
