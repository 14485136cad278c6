"""Reads a target's segment as plain Python values, and asks it questions.

For tests of the target's side, without numpy or sessions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from inspector.attach.control import ControlConnection
from inspector.attach.segment import Segment
from inspector.vocabulary import Kind, Level, Reference, Resource, handle_text
from inspector.wire import ffi
from inspector.wire.schema import LAYOUT_VERSION, Ending, handle_number
from inspector.wire.text import padded_text

ANSWER_SECS = 30.0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the handle table."""

    number: int
    type: str
    type_index: int
    kind: Kind
    reference: Reference
    resource: Resource
    address: int
    data: int
    strong: int
    weak: int
    created_at_ticks: int
    created_by: str
    """Name of the creating thread."""
    owner: str
    """Name of the thread that alone may close; ``""``: any."""
    requested_by: str
    created: tuple[str, ...]
    """Frames of its birthplace, innermost first: ``todo.py:112 list``."""
    last: tuple[str, ...]

    @property
    def is_live(self) -> bool:
        """Not a tombstone."""
        return self.reference in (Reference.LIVE, Reference.RELEASE_REQUESTED)

    def __str__(self) -> str:
        """``#88.1 Journal``."""
        return f"{handle_text(self.number)} {self.type}"


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection that the header remembers."""

    collected: int
    generation: int
    is_forced: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A segment at one moment."""

    pid: int
    start_time: int
    level: Level
    ending: Ending
    program: str
    runtime: str
    live_handles: int
    rows: tuple[Row, ...]
    threads: dict[int, str]
    """Names by kernel thread id."""
    collections: tuple[Collection, ...]

    def live(self, type_name: str | None = None) -> list[Row]:
        """Live rows, of one type."""
        return [row for row in self.rows if row.is_live and type_name in (None, row.type)]

    def row(self, number: int) -> Row:
        """The row of a handle, tombstone or not."""
        return next(row for row in self.rows if row.number == number)


def read_table(path: str | Path, *, without: frozenset[int] = frozenset()) -> Table:
    """Read everything, except the rows of these handles."""
    with Segment(Path(path)) as segment:
        return _Reading(segment).table(without)


def read_numbers(path: str | Path) -> frozenset[int]:
    """Handles that have a row, tombstones too."""
    with Segment(Path(path)) as segment:
        return frozenset(_Reading(segment).numbers())


class _Reading:
    """One pass over a segment."""

    def __init__(self, segment: Segment) -> None:
        # rows first, then the tables that they refer to, each as long as it is by then
        self._segment = segment
        self._header = segment.header()
        self._slots = self._live_slots()
        self._types = self._records("AiTypeSlot", segment.read_types, "types")
        self._threads = self._records("AiThreadSlot", segment.read_threads, "threads")
        self._sites = self._records("AiSiteSlot", segment.read_sites, "sites")
        self._frames = self._records("AiFrameSlot", segment.read_frames, "frames")
        self._strings = self._records("uint8_t", segment.read_strings, "strings")
        self._thread_name = cache(self._read_thread_name)
        self._site = cache(self._read_site)
        self._type = cache(self._read_type)

    def _records(self, record: str, read: Any, section: str) -> Any:
        used = getattr(self._segment.header(), section).used
        records = ffi.new(f"{record}[]", max(used, 1))
        read(ffi.buffer(records))
        return records

    def _live_slots(self) -> list[tuple[Any, int]]:
        """Live rows and their indices."""
        capacity = max(self._header.handles.used, 1)
        slots, indices = ffi.new("AiHandleSlot[]", capacity), ffi.new("uint32_t[]", capacity)
        count, _ = self._segment.read_live(ffi.buffer(slots), ffi.buffer(indices))
        self._held = slots
        return list(zip(slots[0:count], indices[0:count], strict=True))

    def numbers(self) -> Iterator[int]:
        """Handles in slot order."""
        for slot, index in self._slots:
            yield self._number(slot, index)

    def table(self, without: frozenset[int]) -> Table:
        header = self._header
        live = {thread.tid: padded_text(thread.name) for thread in self._threads if thread.state}
        logged = min(header.gc_logged, len(header.gc_log))
        newest = [
            header.gc_log[(header.gc_logged - logged + number) % len(header.gc_log)]
            for number in range(logged)
        ]
        return Table(
            pid=header.pid,
            start_time=header.start_time,
            level=Level(header.level),
            ending=Ending(header.ending),
            program=padded_text(header.program),
            runtime=padded_text(header.runtime),
            live_handles=header.live_handles,
            rows=tuple(self._rows(without)),
            threads=live,
            collections=tuple(
                Collection(record.collected, record.generation, bool(record.forced))
                for record in newest
            ),
        )

    def _rows(self, without: frozenset[int]) -> Iterator[Row]:
        for slot, index in self._slots:
            number = self._number(slot, index)
            if number not in without:
                yield self._row(slot, number)

    def _number(self, slot: Any, index: int) -> int:
        _, kind = self._type(slot.type_id)
        is_foreign = kind in (Kind.FOREIGN, Kind.UNIFFI_FOREIGN)
        return handle_number(index, slot.generation, foreign=is_foreign)

    def _row(self, slot: Any, number: int) -> Row:
        name, kind = self._type(slot.type_id)
        return Row(
            number=number,
            type=name,
            type_index=slot.type_id,
            kind=kind,
            reference=Reference(slot.reference_state & 0x7F),
            resource=Resource(slot.resource_state),
            address=slot.address,
            data=slot.data,
            strong=slot.strong,
            weak=slot.weak,
            created_at_ticks=slot.created_at_ticks,
            created_by=self._thread_name(slot.created_thread),
            owner=self._thread_name(slot.owner_thread),
            requested_by=self._thread_name(slot.requester_thread),
            created=self._site(slot.created_site),
            last=self._site(slot.last_site),
        )

    def _read_type(self, index: int) -> tuple[str, Kind]:
        record = self._types[index]
        return padded_text(record.name), Kind(record.kind)

    def _read_thread_name(self, index: int) -> str:
        return padded_text(self._threads[index].name) if index else ""

    def _read_site(self, index: int) -> tuple[str, ...]:
        if not index:
            return ()
        site = self._sites[index]
        return tuple(
            self._frame(self._frames[number]) for number in site.frames[0 : site.frame_count]
        )

    def _frame(self, frame: Any) -> str:
        return f"{Path(self._text(frame.file)).name}:{frame.line} {self._text(frame.function)}"

    def _text(self, offset: int) -> str:
        length = int.from_bytes(bytes(self._strings[offset : offset + 4]), "little")
        return bytes(self._strings[offset + 4 : offset + 4 + length]).decode()


@contextmanager
def connect(path: str | Path, pid: int, *, level: int | None = None) -> Iterator[ControlConnection]:
    """A viewer's connection to a target, after its hello."""
    with ControlConnection(Path(path).with_suffix(".sock"), pid=pid) as connection:
        answer = connection.ask(
            "hello",
            wait_secs=ANSWER_SECS,
            layout=LAYOUT_VERSION,
            role="viewer",
            interval_ms=100,
            level=level,
            armed=True,
        )
        assert answer.ok, answer.error
        yield connection


def ask(connection: ControlConnection, op: str, **fields: Any) -> dict[str, Any]:
    """Ask and expect a yes; the answer's fields."""
    answer = connection.ask(op, wait_secs=ANSWER_SECS, **fields)
    assert answer.ok, answer.error
    return dict(answer.fields)
