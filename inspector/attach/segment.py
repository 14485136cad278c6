"""A target's segment, read through the native reader.

The reader copies with ``preadv`` and never maps, so a target that truncates its file is an error
here and not a crash. Buffers belong to the caller and are anything writable with the buffer
protocol; this module knows no numpy. One thread at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from inspector.errors import InspectorError, SegmentError
from inspector.wire import ffi, lib
from inspector.wire.status import new_error, raise_status


class Segment:
    """An open segment. Use it in ``with``, or call ``close``."""

    def __init__(self, path: Path) -> None:
        """Open and validate.

        Raises ``SegmentError`` for anything that is not a segment of this layout.
        """
        self.path = path
        name = os.fsencode(path)
        error = new_error()
        reader = lib.ai_reader_open(ffi.from_buffer("uint8_t[]", name), len(name), error)
        if reader == ffi.NULL:
            self._fail(error.status, error)
        # a call that is under way in another thread keeps the reader until it returns
        self._reader = ffi.gc(reader, lib.ai_reader_close)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Give the descriptor back; reading afterwards is an error.

        Any thread. The descriptor stays until a reading that is under way has ended.
        """
        self._reader = ffi.NULL

    def read_header(self, into: Any) -> None:
        """Copy the header into a buffer of one ``AiHeader``."""
        error = new_error()
        self._check(
            lib.ai_reader_header(
                self._open(), ffi.from_buffer("AiHeader *", into, require_writable=True), error
            ),
            error,
        )

    def header(self) -> Any:
        """A copy of the header as a cffi struct."""
        header = ffi.new("AiHeader *")
        error = new_error()
        self._check(lib.ai_reader_header(self._open(), header, error), error)
        return header

    def read_live(self, rows: Any, indices: Any) -> tuple[int, int]:
        """Copy the rows in use, in slot order, and their slots; as many as fit.

        ``rows`` holds ``AiHandleSlot``, ``indices`` ``uint32_t``. Returns the number of rows, which
        may be more than fit, and how many of the copied rows were being written in each of several
        reads (they carry the busy bit).
        """
        error = new_error()
        changing = ffi.new("uint64_t *")
        slots = ffi.from_buffer("uint32_t[]", indices, require_writable=True)
        records = ffi.from_buffer("AiHandleSlot[]", rows, require_writable=True)
        capacity = min(len(slots), len(records))
        count = self._count(
            lib.ai_reader_live(self._open(), records, slots, capacity, changing, error), error
        )
        return count, int(changing[0])

    def read_changes(self, store: Any) -> int:
        """Have a native store read the rows that changed since its last reading.

        ``store`` is an ``AiHandleStore *``. Returns how many rows changed.
        """
        error = new_error()
        return self._count(lib.ai_store_read(store, self._open(), ffi.NULL, error), error)

    def read_threads(self, into: Any, first: int = 0) -> int:
        """Copy ``AiThreadSlot`` records from ``first`` on; returns how many."""
        return self._read(lib.ai_reader_threads, "AiThreadSlot[]", into, first)

    def read_types(self, into: Any, first: int = 0) -> int:
        """Copy ``AiTypeSlot`` records from ``first`` on; returns how many."""
        return self._read(lib.ai_reader_types, "AiTypeSlot[]", into, first)

    def read_sites(self, into: Any, first: int = 0) -> int:
        """Copy ``AiSiteSlot`` records from ``first`` on; returns how many."""
        return self._read(lib.ai_reader_sites, "AiSiteSlot[]", into, first)

    def read_frames(self, into: Any, first: int = 0) -> int:
        """Copy ``AiFrameSlot`` records from ``first`` on; returns how many."""
        return self._read(lib.ai_reader_frames, "AiFrameSlot[]", into, first)

    def read_strings(self, into: Any, first: int = 0) -> int:
        """Copy bytes of the string arena from ``first`` on; returns how many."""
        return self._read(lib.ai_reader_strings, "uint8_t[]", into, first)

    def read_events(self, into: Any, ring: int, first: int) -> tuple[int, int, int]:
        """Copy ``AiEvent`` records of a ring, oldest first, as many as fit.

        The first record is sequence number ``first``.

        Returns the number of events, the next number, and how many events were overwritten before
        they could be read.
        """
        error = new_error()
        following, lost = ffi.new("uint64_t *"), ffi.new("uint64_t *")
        records = ffi.from_buffer("AiEvent[]", into, require_writable=True)
        count = self._count(
            lib.ai_reader_events(
                self._open(), ring, first, records, len(records), following, lost, error
            ),
            error,
        )
        return count, int(following[0]), int(lost[0])

    def read_events_gone(self, into: Any) -> int:
        """Count the events of each used ring that can no longer be read.

        The counts go into ``uint64`` numbers; returns the number of rings.
        """
        error = new_error()
        numbers = ffi.from_buffer("uint64_t[]", into, require_writable=True)
        return self._count(
            lib.ai_reader_events_gone(self._open(), numbers, len(numbers), error), error
        )

    def is_locked(self) -> bool:
        """Whether a process holds the lock that a target keeps for life.

        False: the target has ended.
        """
        error = new_error()
        return bool(self._count(lib.ai_reader_locked(self._open(), error), error))

    def allocated_bytes(self) -> int:
        """The space that the file really takes."""
        return int(lib.ai_reader_allocated(self._open()))

    def _read(self, read: Callable[..., int], record: str, into: Any, first: int) -> int:
        error = new_error()
        buffer = ffi.from_buffer(record, into, require_writable=True)
        return self._count(read(self._open(), buffer, first, len(buffer), error), error)

    def _open(self) -> Any:
        if self._reader == ffi.NULL:
            raise SegmentError(f"the segment was closed: {self.path}")
        return self._reader

    def _count(self, result: int, error: Any) -> int:
        if result < 0:
            self._fail(-result, error)
        return result

    def _check(self, status: int, error: Any) -> None:
        if status:
            self._fail(status, error)

    def _fail(self, status: int, error: Any) -> NoReturn:
        """Any native error is a segment that cannot be read; the path comes last."""
        try:
            raise_status(status, error)
        except InspectorError as cause:
            text = str(cause)
            raise SegmentError(
                text if str(self.path) in text else f"{text}: {self.path}"
            ) from cause
