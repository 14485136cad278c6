"""Reads the event rings of a segment. Any thread; one reading at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.segment import Segment
from inspector.errors import ControlError
from inspector.model.build import clock_of
from inspector.model.clock import Clock
from inspector.model.events import EventBatch, EventCursor, Events, joined
from inspector.model.raw import RawVitals, Records
from inspector.model.snapshot import UNKNOWN, Ints
from inspector.session.dtypes import dtype_of
from inspector.vocabulary import EventKind
from inspector.wire.schema import EVENT_COUNT_UNKNOWN, MAX_RINGS, MAX_THREADS, RING_EVENTS

_RING_SHIFT: Final = np.uint64(48)
_GAP_BIT: Final = np.uint64(1 << 47)
_KIND_MASK: Final = np.uint32(0xFF)
_COUNT_SHIFT: Final = np.uint32(8)


class EventReader:
    """Events of one target, read through a descriptor of its own.

    They can be read after the target has ended.

    ``close`` it.
    """

    def __init__(self, path: Path) -> None:
        """Open the segment. Raises ``SegmentError``."""
        self._segment = Segment(path)
        self._lock = threading.Lock()
        self._is_open = True
        self._header = np.zeros(1, dtype_of("AiHeader"))
        self._threads = np.zeros(0, dtype_of("AiThreadSlot"))
        self._room = np.zeros(RING_EVENTS, dtype_of("AiEvent"))
        self._delivered = [_Delivered() for _ in range(MAX_RINGS)]

    def read(self, after: EventCursor | None) -> EventBatch:
        """The events written after ``after`` (``None``: all that are still there).

        Raises ``SegmentError``, ``ControlError`` when closed.
        """
        with self._lock:
            if not self._is_open:
                raise ControlError("the session has ended")
            return self._read(after or EventCursor())

    def count_lost(self, gone: Iterable[int]) -> int:
        """Events that this reader never delivered and can no longer read.

        ``gone``: for each ring, how many of its events are lost.
        """
        return sum(
            delivered.lost_of(count)
            for delivered, count in zip(self._delivered, gone, strict=False)
        )

    def close(self) -> None:
        """Give the descriptor back."""
        with self._lock:
            self._is_open = False
            self._segment.close()

    def _read(self, after: EventCursor) -> EventBatch:
        self._segment.read_header(self._header)
        clock = clock_of(RawVitals(self._header, np.zeros(0, dtype_of("AiTypeSlot"))))
        owners = self._owners()
        following = dict(after.following)
        parts: list[Events] = []
        for ring in range(min(int(self._header["rings"]["used"][0]), MAX_RINGS)):
            first = following.get(ring, 0)
            count, following[ring], lost = self._segment.read_events(self._room, ring, first)
            self._delivered[ring].add(following[ring] - count, following[ring])
            if count or lost:
                numbers = np.arange(following[ring] - count, following[ring], dtype=np.uint64)
                parts.append(
                    _events(
                        self._room[:count],
                        numbers,
                        _Ring(ring, owners.get(ring, 0), first, lost),
                        clock,
                    )
                )
        return EventBatch(
            joined(parts, limit=MAX_RINGS * RING_EVENTS), EventCursor(MappingProxyType(following))
        )

    def _owners(self) -> Mapping[int, int]:
        """The thread that writes each ring; if several used it, the thread that started last."""
        used = min(int(self._header["threads"]["used"][0]), MAX_THREADS)
        if len(self._threads) < used:
            self._threads = np.zeros(used, self._threads.dtype)
        threads = self._threads[: self._segment.read_threads(self._threads[:used]) if used else 0]
        with_ring = np.flatnonzero(threads["ring"])
        ordered = with_ring[np.argsort(threads["started_at_ticks"][with_ring], kind="stable")]
        return {int(threads["ring"][index]) - 1: int(index) for index in ordered}


class _Delivered:
    """Events of one ring that were read, each counted once though several cursors read it."""

    __slots__ = ("count", "next")

    def __init__(self) -> None:
        self.count = 0
        self.next = 0

    def add(self, first: int, following: int) -> None:
        """The events from number ``first`` up to ``following`` were read."""
        self.count += max(following - max(first, self.next), 0)
        self.next = max(self.next, following)

    def lost_of(self, gone: int) -> int:
        """The number of the ring's first ``gone`` events that were never read."""
        return max(gone - (self.count - max(self.next - gone, 0)), 0)


class _Ring:
    """The thread of these events, and the losses before them."""

    __slots__ = ("first", "index", "lost", "thread")

    def __init__(self, index: int, thread: int, first: int, lost: int) -> None:
        self.index, self.thread, self.first, self.lost = index, thread, first, lost


def _events(
    records: Records,
    numbers: np.ndarray[tuple[int], np.dtype[np.uint64]],
    ring: _Ring,
    clock: Clock,
) -> Events:
    """The records that hold something, and before them the gap."""
    kinds = (records["count_kind"] & _KIND_MASK).astype(np.uint8)
    good = (kinds > EventKind.GAP) & (kinds <= max(EventKind)) & (records["at_ticks"] != 0)
    kept, numbers, kinds = records[good], numbers[good], kinds[good]
    base = np.uint64(ring.index) << _RING_SHIFT
    found = Events(
        at=clock.column(kept["at_ticks"]),
        kinds=kinds,
        handles=kept["handle"].copy(),
        addresses=kept["address"].copy(),
        counts=_counts(kept["count_kind"] >> _COUNT_SHIFT),
        threads=np.full(len(kept), ring.thread, np.int64),
        sites=kept["site"].astype(np.int64),
        types=kept["type_id"].astype(np.int64),
        numbers=base | numbers,
    )
    if not ring.lost:
        return found
    at = found.at[0] if len(found) else clock.secs(clock.anchor_ticks)
    one = np.zeros(1, np.uint64)
    swallowed = np.array([base | _GAP_BIT | np.uint64(ring.first)], np.uint64)
    ints = (
        np.array([ring.lost], np.int64),
        np.array([ring.thread], np.int64),
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
    )
    return joined(
        [Events(np.array([at]), np.zeros(1, np.uint8), one, one, *ints, swallowed), found]
    )


def _counts(stored: npt.NDArray[np.uint32]) -> Ints:
    counts: Ints = stored.astype(np.int64)
    counts[stored == EVENT_COUNT_UNKNOWN] = UNKNOWN
    return counts
