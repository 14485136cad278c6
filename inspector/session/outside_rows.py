"""Looks from outside, one after the other, as snapshots.

It finds which row of this look is which row of the look before.

A row is the same while the same proxy keeps the same handle. A row that ended stays for a while as
a tombstone, with the values seen last. Owned by the session's worker thread.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import in_swap
from inspector.attach.outside.seen import AWAITED, Look, SeenType
from inspector.attach.procfs import page_map
from inspector.model.counts import (
    Flags,
    Sampled,
    in_flight_of,
    is_live,
    native_refs_of,
    objects_of,
    proxies_of,
    strongs_of,
)
from inspector.model.limits import Limit
from inspector.model.running import (
    RunningCalls,
    at_rest,
    call_rows,
    running_calls,
    stranger,
    with_calls,
)
from inspector.model.snapshot import (
    UNKNOWN,
    Cost,
    Handles,
    Ids,
    Outer,
    Snapshot,
    Target,
    TypeRow,
    Vitals,
    sites_named,
)
from inspector.model.stacks import Frame, Site
from inspector.model.stored import blank_columns
from inspector.session.dtypes import layout_codes
from inspector.session.kept_row import KeptRow
from inspector.session.outside_look import frames_of, lost_of, notes_of, single_counts, stacks_of
from inspector.vocabulary import Kind, Reference, kind_named
from inspector.wire.schema import MAX_SITES

MOST_TOMBSTONES: Final = 4096
_COUNTS: Final = ("strong", "weak", "outer", "in_flight", "moving")
ANY_TYPE: Final = 0
"""Stands for the type of an awaited call: its method may become readable later."""
Key = tuple[int, int, int]


@dataclass(slots=True)
class _Counter:
    """Births and deaths of a type, since the first look."""

    row: SeenType
    created: int = 0
    released: int = 0
    live: int = 0


@dataclass(slots=True)
class OutsideRows:
    """Remembers rows and types between looks."""

    _rows: dict[Key, KeptRow] = field(default_factory=dict)
    _dead: deque[KeptRow] = field(default_factory=deque)
    _free: deque[tuple[int, int]] = field(default_factory=deque)
    """Slots to be given out again, each with its last generation."""
    _slots: int = 0
    _types: dict[SeenType, int] = field(default_factory=dict)
    _counters: dict[int, _Counter] = field(default_factory=dict)
    _sites: dict[tuple[Frame, ...], int] = field(default_factory=dict)
    """Lines that synchronous calls were made from, by their stacks."""
    _looks: int = 0

    def snapshot(
        self, look: Look, *, target: Target, at: float, limits: tuple[Limit, ...] = ()
    ) -> Snapshot:
        """The state as of one more look, which began at ``at``."""
        self._take(look, at)
        self._looks += 1
        handles, running = self._handles()
        names = {thread.tid: thread.name for thread in look.threads}
        types = MappingProxyType(
            {index: _type_row(index, counter) for index, counter in self._counters.items()}
        )
        callers = {
            index: stranger(index, tid, names.get(tid, ""), handles=UNKNOWN)
            for index, tid in running.strangers.items()
        }
        return Snapshot(
            serial=self._looks,
            taken_at=at,
            target=target,
            handles=handles,
            types=types,
            threads=MappingProxyType(with_calls(callers, call_rows(handles, running))),
            sites=sites_named(
                MappingProxyType(
                    {index: Site(index, frames) for frames, index in self._sites.items()}
                ),
                types,
            ),
            vitals=self._vitals(at),
            lost=lost_of(look.effort, len(look.doubtful)),
            cost=Cost(cpu_secs=0.0, share=0.0, segment_bytes=0),
            sampled_at=at,
            limits=limits,
            stacks=stacks_of(look.threads),
            notes=notes_of(look),
        )

    def _take(self, look: Look, at: float) -> None:
        indices = [self._type_index(each) for each in look.types]
        rows, sites = look.rows, self._sites_of(look)
        singles = single_counts(look)
        columns = (
            rows.types,
            rows.places,
            rows.handles,
            rows.addresses,
            *(singles[name] for name in _COUNTS),
        )
        seen: set[Key] = set()
        for kind, place, handle, address, *counts in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            is_awaited = look.types[kind].kind == AWAITED.kind
            key = ANY_TYPE if is_awaited else indices[kind], place, handle
            if key in seen:
                continue
            seen.add(key)
            kept = self._rows.get(key)
            if kept is None:
                kept = self._rows[key] = self._born(indices[kind], at)
            elif is_awaited and look.types[kind] != AWAITED:
                self._rename(kept, indices[kind])
            kept.site = kept.site or sites.get(place, 0)
            if kept.address != address:
                kept.forget()
            kept.address, kept.data = address, handle
            kept.take(*counts)
        missing = (
            [key for key in self._rows if key not in seen and key[1] not in look.doubtful]
            if look.is_whole
            else []
        )
        hidden = (
            in_swap(page_map(look.pid), {place for _, place, _ in missing})
            if look.effort.swapped_bytes
            else set()
        )
        for key in missing:
            if key[1] not in hidden:
                self._end(self._rows.pop(key), at)

    def _sites_of(self, look: Look) -> dict[int, int]:
        """The line that each synchronous call was made from, or on which an awaited call waits.

        By the place of the row; as many as a segment has room for.
        """
        stacks = {
            call.status: frames_of(thread.above(call))
            for thread in look.threads
            for call in thread.calls
        } | {place: frames_of(stack) for place, stack in look.standing.items()}
        found: dict[int, int] = {}
        for place, frames in stacks.items():
            if frames and (frames in self._sites or len(self._sites) < MAX_SITES):
                found[place] = self._sites.setdefault(frames, len(self._sites) + 1)
        return found

    def _born(self, type_index: int, at: float) -> KeptRow:
        """Rows of the first look were born before; later rows within the last interval."""
        is_first = not self._looks
        counter = self._counters[type_index]
        counter.live += 1
        counter.created += not is_first
        if self._free:
            slot, generation = self._free.popleft()
        else:
            self._slots += 1
            slot, generation = self._slots, 0
        born_at = float("nan") if is_first else at
        return KeptRow(slot, generation + 1, type_index, 0, 0, born_at, born_at)

    def _rename(self, kept: KeptRow, type_index: int) -> None:
        """An awaited call whose method can be read now has its method's type from the start."""
        if kept.type_index == type_index:
            return
        is_birth_seen = not math.isnan(kept.created_at)
        for index, step in ((kept.type_index, -1), (type_index, 1)):
            self._counters[index].live += step
            self._counters[index].created += step * is_birth_seen
        kept.type_index = type_index

    def _end(self, kept: KeptRow, at: float) -> None:
        kept.is_live, kept.changed_at = False, at
        counter = self._counters[kept.type_index]
        counter.live -= 1
        counter.released += 1
        self._dead.append(kept)
        while len(self._dead) > MOST_TOMBSTONES:
            oldest = self._dead.popleft()
            self._free.append((oldest.slot, oldest.generation))

    def _type_index(self, kind: SeenType) -> int:
        index = self._types.setdefault(kind, len(self._types) + 1)
        self._counters.setdefault(index, _Counter(kind))
        return index

    def _handles(self) -> tuple[Handles, RunningCalls]:
        rows = sorted([*self._rows.values(), *self._dead], key=lambda kept: kept.slot)
        ints = {
            name: _ints(rows, name)
            for name in ("type_index", "strong", "weak", "outer", "in_flight", "slot", "generation")
        }
        addresses = np.array([kept.address for kept in rows], np.uint64)
        references = np.array(
            [Reference.LIVE if kept.is_live else Reference.RELEASED for kept in rows], np.uint8
        )
        live = is_live(references)
        data = np.array([kept.data for kept in rows], np.uint64)
        is_call = self._are(lambda kind: kind.is_call, ints["type_index"])
        is_foreign = self._are(lambda kind: kind.is_foreign, ints["type_index"])
        is_trait = self._are(lambda kind: kind.is_trait, ints["type_index"])
        objects = objects_of(addresses, live)
        counted = live & is_trait & self._are_counted(ints["type_index"])
        sampled = Sampled(ints["strong"], ints["weak"], ints["in_flight"], ints["outer"], data)
        counts = strongs_of(objects, sampled, handles=live & ~is_call, counted=counted)
        proxies = proxies_of(objects, live & ~is_call)
        running = running_calls(
            live & self._are(lambda kind: kind.runs_on_thread, ints["type_index"]),
            data,
            {},
            1,
            layout_codes(),
        )
        counts = at_rest(counts, objects, proxies, running.are_counted)
        strong = np.where(live, counts.strong, UNKNOWN)
        in_flight = in_flight_of(
            objects,
            running.are_uses.astype(np.int64),
            counts.in_flight,
            np.zeros(len(rows), np.bool_),
        )
        ids: Ids = ints["generation"].astype(np.uint64) << np.uint64(32) | ints["slot"].astype(
            np.uint64
        ) << np.uint64(1)
        ids |= is_foreign.astype(np.uint64)
        known: dict[str, Any] = {
            "ids": ids,
            "types": ints["type_index"],
            "references": references,
            "addresses": addresses,
            "data": data,
            "strong": strong,
            "weak": np.where(live, counts.weak, UNKNOWN),
            "in_flight": np.where(live, in_flight, 0),
            "proxies": proxies,
            "inner_strong": np.where(live & is_trait, counts.inner, UNKNOWN),
            "outer_strong": counts.outer,
            "native_refs": native_refs_of(strong, proxies),
            "created_at": np.array([kept.created_at for kept in rows], np.float64),
            "changed_at": np.array([kept.changed_at for kept in rows], np.float64),
            "created_threads": running.threads,
            "created_sites": _ints(rows, "site"),
        }
        handles = Handles(**blank_columns(Handles, len(rows)) | known)
        for column in fields(handles):
            getattr(handles, column.name).flags.writeable = False
        return handles, running

    def _are(self, asked: Callable[[Kind], bool], types: npt.NDArray[np.int64]) -> Flags:
        """Rows of the kinds for which the answer is yes."""
        return np.isin(
            types,
            [
                index
                for index, counter in self._counters.items()
                if asked(kind_named(counter.row.kind))
            ],
        )

    def _are_counted(self, types: npt.NDArray[np.int64]) -> Flags:
        """Which rows point into an ``Arc`` around the object's."""
        return np.isin(
            types,
            [index for index, counter in self._counters.items() if counter.row.outer == Outer.ARC],
        )

    def _vitals(self, at: float) -> Vitals:
        size = len(self._counters) + 1
        columns: dict[str, Any] = {}
        for name in ("created", "released", "live"):
            column = np.zeros(size, np.int64)
            for index, counter in self._counters.items():
                column[index] = getattr(counter, name)
            column.flags.writeable = False
            columns[name] = column
        return Vitals(
            at=at,
            live=len(self._rows),
            pending=0,
            created=columns["created"],
            released=columns["released"],
            lives=columns["live"],
        )


def _ints(rows: list[KeptRow], name: str) -> npt.NDArray[np.int64]:
    return np.array([getattr(kept, name) for kept in rows], np.int64)


def _type_row(index: int, counter: _Counter) -> TypeRow:
    return TypeRow(
        index=index,
        name=counter.row.name,
        origin=counter.row.origin,
        kind=counter.row.kind,
        closes=False,
        close_signature="",
        thread_affine=False,
        size_bytes=UNKNOWN,
        created=counter.created,
        released=counter.released,
        closed=UNKNOWN,
        never_closed=UNKNOWN,
        dropped=UNKNOWN,
        outer=Outer(counter.row.outer),
    )
