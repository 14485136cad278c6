"""Another process's memory as numpy arrays.

One call makes many small copies; searches find objects of given types.

Copies by ``process_vm_readv`` (native): unreadable memory is reported and is no fault; pages that
are not in memory are left alone. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.attach.procfs import MappedRange
from inspector.errors import AttachError
from inspector.wire import ffi, lib
from inspector.wire.status import message_of, new_error

Addresses = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

WORD_BYTES: Final = 8
MOST_GATHERED_BYTES: Final = 512 << 20
"""More in one gathering is not asked for: something is damaged, or means to flood the viewer."""
PAGE_BYTES: Final = 4096
SWAPPED: Final = 1 << 62
PIECE_BYTES: Final = 64 << 20
"""Searched in one native call; between two the search can be given up."""


class OutsideError(AttachError):
    """A process's memory cannot be read from outside, or makes no sense."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Equally long copies."""

    data: Bytes
    """Shape (addresses, bytes); zeros where nothing could be read."""
    readable: Flags

    def words(self, at: int = 0, count: int = 1) -> Addresses:
        """The little-endian words from a byte on.

        Shape: (addresses,), or (addresses, count) for several words.
        """
        part = np.ascontiguousarray(self.data[:, at : at + count * WORD_BYTES]).view("<u8")
        return part[:, 0] if count == 1 else part

    def halves(self, at: int) -> npt.NDArray[np.uint32]:
        """The 32-bit numbers at a byte."""
        column: npt.NDArray[np.uint32] = np.ascontiguousarray(self.data[:, at : at + 4]).view(
            "<u4"
        )[:, 0]
        return column

    def bytes_at(self, at: int) -> Bytes:
        """The bytes at a place."""
        return self.data[:, at]


@dataclass(slots=True)
class Effort:
    """The extent of a search and of its omissions; bytes."""

    read_bytes: int = 0
    swapped_bytes: int = 0
    unreadable_bytes: int = 0
    left_out_bytes: int = 0
    """Beyond what one look may go through."""
    left_out_hits: int = 0


class OutsideMemory:
    """One process's memory."""

    def __init__(self, pid: int) -> None:
        """Reads nothing yet."""
        self.pid = pid
        self.effort = Effort()

    def gather(self, addresses: npt.ArrayLike, each_bytes: int) -> Gathered:
        """Copies of ``each_bytes`` from all addresses.

        Raises ``OutsideError`` when the process has ended or may not be read.
        """
        places = np.ascontiguousarray(addresses, dtype=np.uint64)
        if len(places) * each_bytes > MOST_GATHERED_BYTES:
            raise OutsideError(
                f"more than {MOST_GATHERED_BYTES >> 20} MiB would have to be "
                f"copied at once (process {self.pid})"
            )
        data = np.zeros((len(places), each_bytes), np.uint8)
        readable = np.zeros(len(places), np.uint8)
        if len(places):
            self._check(
                lambda error: lib.ai_outside_gather(
                    self.pid,
                    ffi.from_buffer("uint64_t[]", places),
                    len(places),
                    each_bytes,
                    ffi.from_buffer("uint8_t[]", data),
                    ffi.from_buffer("uint8_t[]", readable),
                    error,
                )
            )
        data[readable == 0] = 0
        return Gathered(data, readable != 0)

    def words(self, addresses: npt.ArrayLike) -> Addresses:
        """One word at each address; 0 where nothing can be read."""
        return self.gather(addresses, WORD_BYTES).words()

    def read(self, address: int, size_bytes: int) -> bytes:
        """Up to so many bytes that lie together, as far as they can be read.

        Raises ``OutsideError``.
        """
        if not 0 <= address < 1 << 64 or size_bytes > MOST_GATHERED_BYTES:
            return b""
        data, copied = bytearray(size_bytes), ffi.new("uint64_t *")
        buffer = ffi.from_buffer("uint8_t[]", data)
        self._check(
            lambda error: lib.ai_outside_read(self.pid, address, buffer, size_bytes, copied, error)
        )
        return bytes(data[: copied[0]])

    def objects_of(
        self,
        types: npt.ArrayLike,
        ranges: Sequence[MappedRange],
        *,
        most: int,
        most_bytes: int,
        go_on: Callable[[], None],
    ) -> tuple[Addresses, Addresses]:
        """Places that look like objects of exactly these types, and the type of each.

        ``go_on`` raises to give the search up.
        """
        wanted = np.unique(np.asarray(types, dtype=np.uint64))
        if not len(wanted):
            return np.empty(0, np.uint64), np.empty(0, np.uint64)

        def search(low: int, high: int, room: Any) -> Any:
            words = ffi.from_buffer("uint64_t[]", wanted)
            return self._call(lib.ai_outside_search, (low, high), words, len(wanted), room)

        hits = self._hits(search, ranges, most=most, most_bytes=most_bytes, go_on=go_on)
        return hits[:, 0] - np.uint64(WORD_BYTES), hits[:, 1]

    def references(
        self,
        bounds: npt.ArrayLike,
        ranges: Sequence[MappedRange],
        *,
        most: int,
        most_bytes: int,
        go_on: Callable[[], None],
    ) -> tuple[Addresses, Addresses]:
        """Places of words that lead into one of the bounds, and the words.

        ``bounds``: shape (count, 2), first address and the address behind the last one; they do not
        overlap. ``go_on`` raises to give the search up.
        """
        wanted = np.ascontiguousarray(bounds, dtype=np.uint64).reshape(-1, 2)

        def search(low: int, high: int, room: Any) -> Any:
            given = ffi.cast("AiBounds *", ffi.from_buffer(wanted))
            return self._call(lib.ai_outside_references, (low, high), given, len(wanted), room)

        hits = self._hits(search, ranges, most=most, most_bytes=most_bytes, go_on=go_on)
        return hits[:, 0], hits[:, 1]

    def _hits(
        self,
        search: Callable[[int, int, npt.NDArray[np.uint64]], Any],
        ranges: Sequence[MappedRange],
        *,
        most: int,
        most_bytes: int,
        go_on: Callable[[], None],
    ) -> npt.NDArray[np.uint64]:
        """Search the ranges in pieces; places and words, one line each."""
        found: list[npt.NDArray[np.uint64]] = []
        hits, room, spent = np.zeros((0, 2), np.uint64), most, 0
        for low, high in _pieces(ranges):
            go_on()
            if spent >= most_bytes or room <= 0:
                self.effort.left_out_bytes += high - low
                continue
            if not len(hits):
                hits = np.zeros((most, 2), np.uint64)
            searched = search(low, high, hits[:room])
            count = min(int(searched.hits), room)
            self.effort.left_out_hits += int(searched.hits) - count
            found.append(hits[:count].copy())
            room -= count
            spent += int(searched.read_bytes)
        return np.concatenate(found) if found else np.zeros((0, 2), np.uint64)

    def _call(self, call: Any, piece: tuple[int, int], wanted: Any, count: int, hits: Any) -> Any:
        """One native search through a piece of memory."""
        searched, place = ffi.new("AiSearched *"), ffi.cast("AiHit *", ffi.from_buffer(hits))
        self._check(
            lambda error: call(self.pid, *piece, wanted, count, place, len(hits), searched, error)
        )
        self.effort.read_bytes += int(searched.read_bytes)
        self.effort.swapped_bytes += int(searched.swapped_bytes)
        self.effort.unreadable_bytes += int(searched.unreadable_bytes)
        return searched

    def _check(self, call: Callable[[Any], int]) -> None:
        error = new_error()
        if call(error):
            raise OutsideError(message_of(error))


def in_swap(pagemap: Path, places: Iterable[int]) -> set[int]:
    """Addresses whose page lies in swap, by ``/proc/PID/pagemap``.

    None where that may not be read.
    """
    found = set()
    try:
        with pagemap.open("rb", buffering=0) as file:
            for place in places:
                file.seek(place // PAGE_BYTES * WORD_BYTES)
                if int.from_bytes(file.read(WORD_BYTES), "little") & SWAPPED:
                    found.add(place)
    except OSError:
        return found
    return found


def _pieces(ranges: Sequence[MappedRange]) -> list[tuple[int, int]]:
    """Ranges cut so that none is longer than ``PIECE_BYTES``; each address is in one piece.

    A map that changes while it is read may list an address twice.
    """
    pieces, upto = [], 0
    for each in sorted(ranges, key=lambda each: each.low):
        first = max(each.low, upto)
        upto = max(each.high, upto)
        pieces += [(low, min(low + PIECE_BYTES, upto)) for low in range(first, upto, PIECE_BYTES)]
    return pieces


def holds_objects(each: MappedRange) -> bool:
    """Whether the interpreter may keep objects there.

    That is writable memory without a file, no stacks, no kernel memory.
    """
    is_plain = not each.path or each.path == "[heap]" or each.path.startswith("[anon")
    return each.flags.startswith("rw") and is_plain
