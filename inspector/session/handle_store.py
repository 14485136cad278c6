"""The native store of a target's handles, and its tables.

The store belongs to one thread, the session's pump. A table may be asked by any thread; each
question runs in native code without the interpreter's lock.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.attach.segment import Segment
from inspector.model.clock import Clock
from inspector.model.raw import LayoutCodes, Records
from inspector.model.snapshot import Handles, Ids, Ints
from inspector.model.stored import stored_columns
from inspector.model.stored_table import Counting, OrderQuestion, StoredOrder, TableLook, Ticket
from inspector.session.dtypes import dtype_of
from inspector.vocabulary import Kind
from inspector.wire import ffi, lib
from inspector.wire.status import check, new_error

_KIND_FLAGS: Final[tuple[tuple[int, Callable[[Kind], bool]], ...]] = (
    (lib.AiKIND_FOREIGN, lambda kind: kind.is_foreign),
    (lib.AiKIND_NUMBERED, lambda kind: kind.is_numbered),
    (lib.AiKIND_CALL, lambda kind: kind.is_call),
    (lib.AiKIND_RUNS, lambda kind: kind.runs_on_thread),
    (lib.AiKIND_TRAIT, lambda kind: kind.is_trait),
    (lib.AiKIND_SHARES, lambda kind: kind.shares_rows),
    (lib.AiKIND_PINS, lambda kind: kind.pins_calls),
)
_FIELDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        each.name: getattr(lib, f"AiHandleField_{each.name.title().replace('_', '')}")
        for each in fields(Handles)
    }
)
_FEW_LINES: Final = 4096
_SERIALS: Final = itertools.count(1)


class HandleStore:
    """Rows of one segment."""

    def __init__(self) -> None:
        """Without rows."""
        self._store = ffi.gc(lib.ai_store_new(), lib.ai_store_free)
        self._serial = next(_SERIALS)
        self._newest: Callable[[], HandleTable | None] = lambda: None

    def read(self, segment: Segment) -> int:
        """Read the rows that changed since the last reading; returns how many.

        Raises ``SegmentError``.
        """
        return segment.read_changes(self._store)

    def publish(
        self, types: Records, threads: Records, codes: LayoutCodes, clock: Clock
    ) -> HandleTable:
        """A table of the rows last read, with the types and threads that were read after them."""
        kinds = _kinds(types)
        live = np.flatnonzero(threads["state"] == codes.thread_live).astype(np.uint32)
        calls = np.ascontiguousarray(threads["calls"][live].ravel())
        calls = calls[calls != 0]
        tids = np.ascontiguousarray(threads["tid"][live])
        moments = ffi.new(
            "AiTableClock *",
            {
                "anchor_ticks": clock.anchor_ticks,
                "anchor_secs": clock.anchor_secs,
                "ticks_per_sec": float(clock.ticks_per_sec),
            },
        )
        error = new_error()
        table = lib.ai_store_publish(
            self._store,
            ffi.from_buffer("uint16_t[]", kinds),
            len(kinds),
            ffi.from_buffer("uint64_t[]", calls),
            len(calls),
            ffi.from_buffer("uint32_t[]", tids),
            ffi.from_buffer("uint32_t[]", live),
            len(live),
            len(threads),
            moments,
            error,
        )
        check(error.status, error)
        made = HandleTable(ffi.gc(table, lib.ai_table_free), self._serial)
        older, self._newest = self._newest(), weakref.ref(made)
        if older is not None:
            older.forget_wide_columns()
        return made


class HandleTable:
    """A ``StoredTable`` of the native store."""

    def __init__(self, table: Any, store: int) -> None:
        """Take over an ``AiHandleTable *`` of the store with that serial number."""
        self._table = table
        facts, error = ffi.new("AiTableFacts *"), new_error()
        check(lib.ai_table_facts(table, facts, error), error)
        self._rows = int(facts.rows)
        self._wide: dict[str, npt.NDArray[Any]] = {}
        self.live, self.damaged = int(facts.live), int(facts.damaged)
        self.version = store, int(facts.version)
        columns = [
            np.zeros(int(size), np.uint32)
            for size in (facts.calls, facts.calls, facts.strangers, facts.strangers, facts.named)
        ]
        places = [ffi.from_buffer("uint32_t[]", each, require_writable=True) for each in columns]
        check(
            lib.ai_table_threads(
                table, places[0], places[1], places[2], places[3], places[4], error
            ),
            error,
        )
        rows, threads, indices, tids, named = (each.astype(np.int64) for each in columns)
        self.call_rows, self.call_threads, self.named = rows, threads, named
        self.strangers = dict(zip(indices.tolist(), tids.tolist(), strict=True))

    def __len__(self) -> int:
        """Rows."""
        return self._rows

    def column(self, name: str, rows: Ints | None = None) -> npt.NDArray[Any]:
        """A column of ``Handles``, read-only; of these rows, or of all."""
        memory = lib.ai_table_memory(self._table, _FIELDS[name])
        if memory != ffi.NULL:
            column = np.asarray(_Memory(self, memory, _dtype(name), self._rows))
            return column if rows is None else _frozen(column[rows])
        if rows is not None:
            return self._widened(name, np.ascontiguousarray(rows, np.int64))
        wide = self._wide.get(name)
        if wide is None:
            wide = self._wide[name] = self._widened(name, None)
        return wide

    @property
    def wide_columns(self) -> frozenset[str]:
        """Columns that were asked for as a whole and had to be widened; kept for a while."""
        return frozenset(self._wide)

    def forget_wide_columns(self) -> None:
        """Keep no widened column any more: there is a newer table.

        Arrays that were handed out stay as they are. Any thread.
        """
        self._wide = {}

    def order(self, question: OrderQuestion) -> StoredOrder:
        """Sort rows, or hold an order. Raises ``InspectorError``."""
        asked, kept = _asked(question)
        error, facts = new_error(), ffi.new("AiOrderFacts *")
        order = ffi.gc(
            lib.ai_table_order(self._table, asked, _flag(question.ticket), error),
            lib.ai_order_free,
        )
        check(error.status, error)
        check(lib.ai_order_facts(order, facts, error), error)
        rows = np.empty(int(facts.rows), np.int64)
        arrived = np.empty(len(rows), np.uint8)
        groups = np.empty(int(facts.groups), dtype_of("AiGroupCounts"))
        check(
            lib.ai_order_copy(
                order,
                ffi.from_buffer("int64_t[]", rows, require_writable=True),
                ffi.from_buffer("uint8_t[]", arrived, require_writable=True),
                ffi.from_buffer("AiGroupCounts[]", groups, require_writable=True),
                error,
            ),
            error,
        )
        del kept
        return StoredOrder(rows, arrived.view(np.bool_), _by_name(groups), int(facts.arrivals))

    def lines(self, counting: Counting) -> Mapping[str, npt.NDArray[Any]]:
        """Counts by two codes, ordered by them. Raises ``InspectorError``."""
        found = np.empty(_FEW_LINES, dtype_of("AiLineCounts"))
        count = self._lines(counting, found)
        if count > len(found):
            found = np.empty(count, found.dtype)
            count = self._lines(counting, found)
        return _by_name(found[:count])

    def look(self, threads: int) -> TableLook:
        """Facts about all rows; threads with an index from ``threads`` on are left out."""
        facts, error = ffi.new("AiTableLook *"), new_error()
        counts = [np.zeros(threads, np.uint64) for _ in range(3)]
        places = [ffi.from_buffer("uint64_t[]", each, require_writable=True) for each in counts]
        check(
            lib.ai_table_look(self._table, places[0], places[1], places[2], threads, facts, error),
            error,
        )
        created, owned, waiting = (each.astype(np.int64) for each in counts)
        return TableLook(
            facts.objects, facts.newest_change, facts.oldest_death, created, owned, waiting
        )

    def _lines(self, counting: Counting, into: Records) -> int:
        asked, kept = _counted(counting)
        error = new_error()
        count = lib.ai_table_lines(
            self._table,
            asked,
            ffi.from_buffer("AiLineCounts[]", into, require_writable=True),
            len(into),
            _flag(counting.ticket),
            error,
        )
        check(max(-count, 0), error)
        del kept
        return int(count)

    def _widened(self, name: str, rows: Ints | None) -> npt.NDArray[Any]:
        column = np.empty(self._rows if rows is None else len(rows), _dtype(name))
        is_time = column.dtype.kind == "f"
        write = lib.ai_table_times if is_time else lib.ai_table_ints
        out = ffi.from_buffer("double[]" if is_time else "int64_t[]", column, require_writable=True)
        chosen = ffi.NULL if rows is None else ffi.from_buffer("int64_t[]", rows)
        error = new_error()
        check(write(self._table, _FIELDS[name], chosen, out, len(column), error), error)
        return _frozen(column)


class _Memory:
    """Memory of a table as numpy sees it; it keeps the table alive."""

    def __init__(self, table: HandleTable, memory: Any, dtype: np.dtype[Any], rows: int) -> None:
        self._table = table
        self.__array_interface__ = {
            "data": (int(ffi.cast("uintptr_t", memory)), True),
            "shape": (rows,),
            "typestr": dtype.str,
            "version": 3,
        }


class _Kept:
    """Memory that a question in C refers to, for as long as this object lives."""

    def __init__(self) -> None:
        self._buffers: list[Any] = []

    def of(self, of: str, column: npt.NDArray[Any] | None) -> tuple[Any, int]:
        """The column's memory as an array of C, and its length; NULL and 0 without one."""
        if column is None or not len(column):
            return ffi.NULL, 0
        self._buffers.append(ffi.from_buffer(of, column))
        return self._buffers[-1], len(column)


def _counted(counting: Counting) -> tuple[Any, _Kept]:
    """The question in C, and the memory that it refers to."""
    asked, kept, mark = ffi.new("AiCounting *"), _Kept(), counting.mark
    for name, coded in (("outer", counting.outer), ("inner", counting.inner)):
        codes = None if coded.codes is None else np.ascontiguousarray(coded.codes, np.uint32)
        memory, length = kept.of("uint32_t[]", codes)
        setattr(asked, f"{name}_field", _FIELDS[coded.column])
        setattr(asked, f"{name}_codes", memory)
        setattr(asked, f"{name}_length", length)
    rows = None if counting.kept is None else np.ascontiguousarray(counting.kept).view(np.uint8)
    asked.kept, asked.kept_length = kept.of("uint8_t[]", rows)
    if mark is not None:
        asked.has_mark = 1
        asked.mark_ids, asked.mark_length = kept.of("uint64_t[]", np.ascontiguousarray(mark.ids))
        asked.mark_outer, _ = kept.of("int64_t[]", np.ascontiguousarray(mark.outer))
        asked.mark_inner, _ = kept.of("int64_t[]", np.ascontiguousarray(mark.inner))
    asked.recent = counting.recent
    return asked, kept


def _asked(question: OrderQuestion) -> tuple[Any, _Kept]:
    """The question in C, and the memory that it refers to."""
    key, held, kept = question.key, question.held, _Kept()
    shown = None if question.shown is None else np.ascontiguousarray(question.shown).view(np.uint8)
    ranks = np.ascontiguousarray(question.type_ranks, np.uint32)
    numbers = None if key.numbers is None else np.ascontiguousarray(key.numbers, np.float64)
    ids: Ids | None = None if held is None else np.ascontiguousarray(held.ids, np.uint64)
    arrived = None if held is None else np.ascontiguousarray(held.arrived).view(np.uint8)
    asked = ffi.new("AiQuestion *")
    asked.shown, asked.shown_length = kept.of("uint8_t[]", shown)
    asked.ranks, asked.ranks_length = kept.of("uint32_t[]", ranks)
    asked.key_kind = getattr(lib, f"AiKeyKind_{key.kind.value}")
    asked.key_field = _FIELDS[key.column] if key.column else 0
    asked.keys, asked.keys_length = kept.of("double[]", numbers)
    asked.is_descending = question.descending
    asked.now, asked.moment_secs = question.now, question.moment_secs
    if ids is not None and arrived is not None:
        # an order of no row is held as well: the pointer tells it from no order
        room = (ids, arrived) if len(ids) else (np.zeros(1, np.uint64), np.zeros(1, np.uint8))
        asked.held_ids, _ = kept.of("uint64_t[]", room[0])
        asked.held_arrived, _ = kept.of("uint8_t[]", room[1])
        asked.held_length = len(ids)
    return asked, kept


def _flag(ticket: Ticket | None) -> Any:
    """The number that ends a question early; the caller keeps the ticket."""
    return ffi.NULL if ticket is None else ffi.from_buffer("int32_t[]", ticket.flag)


@lru_cache
def _flags(kind: int) -> int:
    """The sum of ``KIND_…`` of a kind's number."""
    try:
        known = Kind(kind)
    except ValueError:
        return 0
    return sum(flag for flag, asked in _KIND_FLAGS if asked(known))


def _kinds(types: Records) -> npt.NDArray[np.uint16]:
    flags = np.array([_flags(kind) for kind in types["kind"].tolist()], np.uint16)
    flags[types["data_offset"] != 0] |= np.uint16(lib.AiKIND_OUTER)
    return flags


@lru_cache
def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype(stored_columns(Handles)[name].dtype)


def _by_name(records: Records) -> Mapping[str, npt.NDArray[Any]]:
    """Columns of records; whole numbers as ``int64``."""
    return {
        name: np.ascontiguousarray(
            records[name] if records.dtype[name].kind == "f" else records[name].astype(np.int64)
        )
        for name in records.dtype.names or ()
    }


def _frozen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column.flags.writeable = False
    return column
