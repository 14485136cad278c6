"""Reads a segment into raw records and keeps the sections that only grow.

Owned by one thread, the session's pump. Buffers are reused from one reading to the next: the model
builds copies from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.segment import Segment
from inspector.model.build import clock_of
from inspector.model.names import Names, Symbolise, no_symbol
from inspector.model.raw import RawState, RawTable, RawVitals, Records
from inspector.session.at_exit import as_of_exit
from inspector.session.dtypes import dtype_of, layout_codes
from inspector.session.handle_store import HandleStore
from inspector.wire.schema import (
    MAX_FRAMES,
    MAX_HANDLES,
    MAX_RINGS,
    MAX_SITES,
    MAX_STRING_BYTES,
    MAX_THREADS,
    MAX_TYPES,
)

_SPARE_ROWS: Final = 1024
"""Room for rows that come into use while the table is read."""


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Records in use, by section of the header; never more than the layout allows."""

    handles: int
    threads: int
    types: int
    sites: int
    frames: int
    strings: int


class SegmentSource:
    """Raw states of one segment."""

    def __init__(self, segment: Segment, symbolise: Symbolise = no_symbol) -> None:
        """Read ``segment`` from now on; its maker closes it.

        ``symbolise`` names native frames of a live target.
        """
        self.names = Names(symbolise)
        self.codes = layout_codes()
        self._segment = segment
        self._store = HandleStore()
        self._header = np.zeros(1, dtype_of("AiHeader"))
        self._types = np.zeros(0, dtype_of("AiTypeSlot"))
        self._threads = np.zeros(0, dtype_of("AiThreadSlot"))
        self._rows = np.zeros(0, dtype_of("AiHandleSlot"))
        self._indices = np.zeros(0, np.uint32)
        self._gone = np.zeros(MAX_RINGS, np.uint64)
        self._site_dtype = dtype_of("AiSiteSlot")
        self._frame_dtype = dtype_of("AiFrameSlot")

    def vitals(self) -> RawVitals:
        """The header and the types; valid until the next reading."""
        self._segment.read_header(self._header)
        return RawVitals(self._header, self._read_types(self._sizes().types))

    def state(self) -> RawState:
        """Everything; valid until the next reading.

        For a program that has ended, the state when it ended.

        Names are read after the rows, so that the names that rows refer to are known.
        """
        self._segment.read_header(self._header)
        rows, indices = self._read_rows(self._sizes().handles)
        self._segment.read_header(self._header)
        sizes = self._sizes()
        self._read_names(sizes)
        return as_of_exit(
            RawState(
                vitals=RawVitals(self._header, self._read_types(sizes.types)),
                threads=self._read_threads(sizes.threads),
                rows=rows,
                indices=indices,
                segment_bytes=self._segment.allocated_bytes(),
            )
        )

    def table(self) -> RawTable:
        """Everything, as ``state``, of a program that may still run; valid until the next reading.

        The rows stay in the store, which reads only the rows that changed.
        """
        self._store.read(self._segment)
        self._segment.read_header(self._header)
        sizes = self._sizes()
        self._read_names(sizes)
        vitals = RawVitals(self._header, self._read_types(sizes.types))
        threads = self._read_threads(sizes.threads)
        return RawTable(
            vitals=vitals,
            threads=threads,
            table=self._store.publish(vitals.types, threads, self.codes, clock_of(vitals)),
            segment_bytes=self._segment.allocated_bytes(),
        )

    def events_gone(self) -> list[int]:
        """For each used ring, how many of its events can no longer be read.

        Raises ``SegmentError``.
        """
        gone: list[int] = self._gone[: self._segment.read_events_gone(self._gone)].tolist()
        return gone

    def _sizes(self) -> _Sizes:
        def used(section: str, limit: int) -> int:
            return min(int(self._header[section]["used"][0]), limit)

        return _Sizes(
            handles=used("handles", MAX_HANDLES),
            threads=used("threads", MAX_THREADS),
            types=used("types", MAX_TYPES),
            sites=used("sites", MAX_SITES),
            frames=used("frames", MAX_FRAMES),
            strings=used("strings", MAX_STRING_BYTES),
        )

    def _read_rows(self, used: int) -> tuple[Records, npt.NDArray[np.uint32]]:
        self._make_room(used)
        count, _ = self._segment.read_live(self._rows, self._indices)
        if count > len(self._rows):
            self._make_room(count)
            count, _ = self._segment.read_live(self._rows, self._indices)
        return self._rows[:count], self._indices[:count]

    def _make_room(self, rows: int) -> None:
        """Buffers for so many rows and some more, but never more than a segment can hold."""
        if len(self._rows) < rows:
            self._rows = np.zeros(
                min(rows + rows // 4 + _SPARE_ROWS, MAX_HANDLES), self._rows.dtype
            )
            self._indices = np.zeros(len(self._rows), np.uint32)

    def _read_types(self, used: int) -> Records:
        if len(self._types) < used:
            self._types = np.zeros(used, self._types.dtype)
        count = self._segment.read_types(self._types[:used]) if used else 0
        return self._types[:count]

    def _read_threads(self, used: int) -> Records:
        if len(self._threads) < used:
            self._threads = np.zeros(used, self._threads.dtype)
        count = self._segment.read_threads(self._threads[:used]) if used else 0
        return self._threads[:count]

    def _read_names(self, sizes: _Sizes) -> None:
        """Strings first, since frames refer to them, then frames, since sites refer to frames."""
        self._add_strings(sizes.strings)
        if (first := self.names.frames_read) < sizes.frames:
            frames = np.zeros(sizes.frames - first, self._frame_dtype)
            self.names.add_frames(frames[: self._segment.read_frames(frames, first)])
        if (first := self.names.sites_read) < sizes.sites:
            sites = np.zeros(sizes.sites - first, self._site_dtype)
            self.names.add_sites(sites[: self._segment.read_sites(sites, first)])

    def _add_strings(self, used: int) -> None:
        first = self.names.string_bytes
        if first < used:
            more = bytearray(used - first)
            self.names.add_strings(bytes(more[: self._segment.read_strings(more, first)]))
