"""Raw records of a segment → a frozen snapshot.

Runs on the session's pump thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.build_rows import build_handles, build_running, readable_rows
from inspector.model.clock import NANOS_PER_SEC, Clock
from inspector.model.counts import (
    Flags,
    is_live,
)
from inspector.model.fields import COUNT_LIMIT
from inspector.model.limits import Limit
from inspector.model.names import Names, type_totals
from inspector.model.raw import LayoutCodes, RawState, RawTable, RawVitals, Records, text_of
from inspector.model.running import (
    CallRows,
    call_rows,
    with_calls,
)
from inspector.model.snapshot import (
    CallInFlight,
    CloseDeadline,
    Collection,
    Cost,
    Handles,
    Ints,
    Lost,
    Snapshot,
    Target,
    ThreadRow,
    Vitals,
)
from inspector.model.stored_table import StoredHandles

LIMITED: Final = {
    "handles": "handles",
    "threads": "threads",
    "types": "types",
    "sites": "stacks",
    "frames": "frames of stacks",
    "strings": "bytes of names",
    "rings": "event rings",
}
"""Sections of the segment, and what their records are called."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The session's additions to the raw records."""

    serial: int
    taken_at: float
    target: Target
    cost_share: float = float("nan")
    """Share of one core, over the last interval."""
    limits: tuple[Limit, ...] = ()
    """Figures of the process, as the system tells."""
    overwritten_events: int = 0
    """Events that were overwritten before this session read them."""


def clock_of(raw: RawVitals) -> Clock:
    """The target's clock."""
    return Clock(
        raw.number("anchor_ticks"),
        raw.number("anchor_unix_nanos"),
        max(raw.number("ticks_per_sec"), 1),
    )


def build_vitals(raw: RawVitals, at: float) -> Vitals:
    """Counters of the header and the types."""
    return Vitals(
        at=at,
        live=min(raw.number("live_handles"), COUNT_LIMIT),
        pending=min(raw.number("pending_closes"), COUNT_LIMIT),
        created=_frozen(type_totals(raw.types, "created")),
        released=_frozen(type_totals(raw.types, "released")),
        collections=build_collections(raw, clock_of(raw)),
        lives=_frozen(type_totals(raw.types, "live")),
    )


def build_collections(raw: RawVitals, clock: Clock) -> tuple[Collection, ...]:
    """The newest collections that the header remembers, oldest first."""
    log = raw.header["gc_log"][0]
    logged = raw.number("gc_logged")
    newest = range(max(logged - len(log), 0), logged)
    return tuple(_collection(serial, log[serial % len(log)], clock) for serial in newest)


def build_snapshot(raw: RawState, names: Names, codes: LayoutCodes, moment: Moment) -> Snapshot:
    """The whole state. ``names`` already holds the names that the rows refer to."""
    raw, damaged = readable_rows(raw, codes)
    running = build_running(raw, codes)
    handles = build_handles(raw, codes, clock_of(raw.vitals), running)
    parts = _Parts(
        handles,
        call_rows(handles, running),
        _threads_in_use(raw.threads, handles, codes),
        damaged,
    )
    return _assembled(raw, parts, names, codes, moment)


def table_snapshot(raw: RawTable, names: Names, codes: LayoutCodes, moment: Moment) -> Snapshot:
    """As ``build_snapshot``, over a stored table: the same values, and no column is read."""
    table = raw.table
    rows = table.call_rows
    calls = CallRows(
        table.column("ids", rows),
        table.column("created_at", rows),
        table.call_threads,
        table.strangers,
    )
    in_use = raw.threads["state"] == codes.thread_live
    named = table.named[: len(in_use)] > 0
    in_use[: len(named)] |= named
    in_use[:1] = False
    parts = _Parts(StoredHandles(table), calls, in_use, table.damaged)
    return _assembled(raw, parts, names, codes, moment)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a snapshot that come from the rows."""

    handles: Handles
    calls: CallRows
    threads_in_use: Flags
    damaged_rows: int


def _assembled(
    raw: RawState | RawTable, parts: _Parts, names: Names, codes: LayoutCodes, moment: Moment
) -> Snapshot:
    header = raw.vitals
    clock = clock_of(header)
    return Snapshot(
        serial=moment.serial,
        taken_at=moment.taken_at,
        target=moment.target,
        handles=parts.handles,
        types=names.types(header.types),
        threads=with_calls(build_threads(raw.threads, codes, clock), parts.calls),
        sites=names.sites,
        vitals=build_vitals(header, moment.taken_at),
        lost=_lost(
            header,
            damaged_rows=parts.damaged_rows,
            overwritten_events=moment.overwritten_events,
        ),
        cost=_cost(raw, moment.cost_share),
        sampled_at=clock.secs(header.number("sampled_at_ticks")),
        last_close_secs=header.number("last_close_nanos") / NANOS_PER_SEC or float("nan"),
        limits=(*build_limits(raw, parts.threads_in_use, codes), *moment.limits),
        deadlines=build_deadlines(header, clock),
        hidden_deadlines=header.number("hidden_deadlines"),
    )


def build_deadlines(raw: RawVitals, clock: Clock) -> tuple[CloseDeadline, ...]:
    """When the pending closes are withdrawn that have a deadline, the soonest first."""
    shown = raw.header["close_deadlines"][0]
    found = [
        CloseDeadline(int(each["handle"]), clock.secs(int(each["at_ticks"])))
        for each in shown
        if each["handle"]
    ]
    return tuple(sorted(found, key=lambda deadline: deadline.at))


def build_limits(
    raw: RawState | RawTable, threads_in_use: Flags, codes: LayoutCodes
) -> tuple[Limit, ...]:
    """Records of the segment that are in use now, for each section that has a capacity.

    The target gives three kinds of records out again, so of these the header's count is only the
    largest number so far: rows of dead handles, records of ended threads that no row of a living
    handle names, and event rings of ended threads.
    """
    header = raw.vitals.header
    in_use = {
        "handles": raw.vitals.number("live_handles"),
        "threads": int(np.count_nonzero(threads_in_use)),
        "rings": int(
            np.count_nonzero(
                (raw.threads["state"] == codes.thread_live) & (raw.threads["ring"] != 0)
            )
        ),
    }
    sections = {name: header[name][0] for name in LIMITED}
    return tuple(
        Limit(LIMITED[name], in_use.get(name, int(section["used"])), int(section["capacity"]))
        for name, section in sections.items()
        if section["capacity"]
    )


def _threads_in_use(threads: Records, handles: Handles, codes: LayoutCodes) -> Flags:
    """One truth value for each thread record: the thread lives, or a living handle names it.

    Index 0 means an unknown thread.
    """
    in_use: Flags = threads["state"] == codes.thread_live
    live = is_live(handles.references)
    for column in (
        handles.created_threads,
        handles.last_threads,
        handles.owner_threads,
        handles.requester_threads,
    ):
        in_use |= np.bincount(column[live], minlength=len(in_use))[: len(in_use)] > 0
    in_use[:1] = False
    return in_use


def build_threads(threads: Records, codes: LayoutCodes, clock: Clock) -> dict[int, ThreadRow]:
    """The threads whose slot is in use, by index."""
    used = np.flatnonzero(threads["state"] != codes.thread_free).tolist()
    return {index: _thread(index, threads[index], codes, clock) for index in used if index}


def _thread(index: int, slot: np.void, codes: LayoutCodes, clock: Clock) -> ThreadRow:
    alive = int(slot["state"]) == codes.thread_live
    depth = int(slot["depth"]) if alive else 0
    calls = _calls(slot, depth, clock)
    return ThreadRow(
        index=index,
        tid=int(slot["tid"]),
        name=text_of(slot["name"]),
        alive=alive,
        started_at=clock.secs(int(slot["started_at_ticks"])),
        ended_at=clock.secs(int(slot["ended_at_ticks"])),
        created=min(int(slot["created"]), COUNT_LIMIT),
        released=min(int(slot["released"]), COUNT_LIMIT),
        calls=calls,
        deeper_calls=max(depth - len(slot["calls"]), 0),
    )


def _calls(slot: np.void, depth: int, clock: Clock) -> tuple[CallInFlight, ...]:
    pairs = zip(slot["calls"][:depth].tolist(), slot["call_ticks"][:depth].tolist(), strict=True)
    return tuple(CallInFlight(handle, clock.secs(ticks)) for handle, ticks in pairs if handle)


def _collection(serial: int, record: np.void, clock: Clock) -> Collection:
    return Collection(
        serial=serial,
        at=clock.secs(int(record["at_ticks"])),
        took_secs=int(record["took_nanos"]) / NANOS_PER_SEC,
        collected=int(record["collected"]),
        generation=int(record["generation"]),
        forced=bool(record["forced"]),
    )


def _lost(header: RawVitals, **found_here: int) -> Lost:
    """Counters of the header, and the viewer's own counters."""
    lost = header.header["lost"][0]
    return Lost({name: int(lost[name]) for name in lost.dtype.names or ()} | found_here)


def _cost(raw: RawState | RawTable, share: float) -> Cost:
    return Cost(
        cpu_secs=raw.vitals.number("agent_cpu_nanos") / NANOS_PER_SEC,
        share=share,
        segment_bytes=raw.segment_bytes,
        sample_secs=raw.vitals.number("sample_nanos") / NANOS_PER_SEC or float("nan"),
    )


def _frozen(column: Ints) -> Ints:
    column.flags.writeable = False
    return column
