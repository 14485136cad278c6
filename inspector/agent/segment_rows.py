"""This process's own segment, read the way a viewer reads it but without numpy. One thread."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from inspector.vocabulary import Kind, Reference, Resource
from inspector.wire import ffi, lib
from inspector.wire.schema import BUSY, STRONG_UNKNOWN, TYPE_SHARDS, handle_number
from inspector.wire.status import new_error, raise_status

OPEN_STATES: Final = frozenset(Resource) - {
    Resource.NONE,
    Resource.CLOSED,
    Resource.NEVER_CLOSED,
    Resource.UNKNOWN,
    Resource.FREED,
}
"""States of a resource that is to be closed yet."""


class LiveRow(NamedTuple):
    """A handle that is alive."""

    handle: int
    """Its number without the foreign bit."""
    type: str
    closes: bool
    resource: int
    """``Resource``."""
    created_site: int = 0
    """For ``OwnSegment.stack``; 0: not recorded."""
    proxies: int | None = None
    """Live handles of its object; ``None``: not known."""
    native: int | None = None
    """References of native code on its object, as counted last; ``None``: not known."""


class OwnSegment:
    """An open segment; use it in ``with``."""

    __slots__ = ("_reader",)

    def __init__(self, path: str) -> None:
        """Open it. Raises ``InspectorError``."""
        name, error = os.fsencode(path), new_error()
        self._reader = lib.ai_reader_open(ffi.from_buffer("uint8_t[]", name), len(name), error)
        if self._reader == ffi.NULL:
            raise_status(error.status, error)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        lib.ai_reader_close(self._reader)

    def live_rows(self) -> dict[LiveRow, str]:
        """All rows that are alive, each with the line that made it (``""``: not recorded).

        Calls that run are left out.
        """
        types, sites = self._types(), dict[int, str]()
        kinds = [kind_of_code(slot.kind) for slot in self._type_slots()]
        rows: dict[LiveRow, str] = {}
        proxies = self._proxies(kinds)
        for index, slot in self._slots():
            kind = kinds[slot.type_id] if slot.type_id < len(kinds) else Kind.UNKNOWN
            if slot.reference_state & ~BUSY != Reference.LIVE or kind is Kind.UNIFFI_RUNNING:
                continue
            name, closes = types.get(slot.type_id, ("?", False))
            site = slot.created_site
            if site and site not in sites:
                sites[site] = self._site(site)
            row = LiveRow(
                handle_number(index, slot.generation),
                name,
                closes,
                int(slot.resource_state),
                int(site),
                None if kind.shares_rows else proxies.get(int(slot.address)),
                _native_of(slot, kind),
            )
            rows[row] = sites.get(site, "")
        return rows

    def stack(self, site: int) -> list[tuple[str, int, str]]:
        """File, line (0: unknown) and function of each frame of a site, innermost first.

        Empty when it was not recorded.
        """
        error, slot, frame = new_error(), ffi.new("AiSiteSlot[]", 1), ffi.new("AiFrameSlot[]", 1)
        if not site or not self._count(
            lib.ai_reader_sites(self._reader, slot, site, 1, error), error
        ):
            return []
        return [
            (self._text(frame[0].file), int(frame[0].line), self._text(frame[0].function))
            for index in slot[0].frames[0 : slot[0].frame_count]
            if self._count(lib.ai_reader_frames(self._reader, frame, index, 1, error), error)
        ]

    def type_names(self) -> list[str]:
        """The types known by now: a type of our own runtime is known once it is used."""
        return [name for name, _ in self._types().values() if name]

    def never_closed(self) -> int:
        """Resources that were dropped without a close so far."""
        return sum(
            slot.shards[shard].never_closed
            for slot in self._type_slots()
            for shard in range(TYPE_SHARDS)
        )

    def _proxies(self, kinds: Sequence[Kind]) -> Counter[int]:
        """Live handles by the address of their object; calls are none."""
        return Counter(
            int(slot.address)
            for _, slot in self._slots()
            if slot.address
            and slot.reference_state & ~BUSY == Reference.LIVE
            and not (slot.type_id < len(kinds) and kinds[slot.type_id].is_call)
        )

    def _slots(self) -> Iterator[tuple[int, Any]]:
        """Rows with their indices; each is valid until the next."""
        changing, error = ffi.new("uint64_t *"), new_error()
        capacity = int(lib.ai_live_handles()) + 1024
        while True:
            slots, indices = ffi.new("AiHandleSlot[]", capacity), ffi.new("uint32_t[]", capacity)
            count = self._count(
                lib.ai_reader_live(self._reader, slots, indices, capacity, changing, error), error
            )
            if count <= capacity:
                yield from ((indices[position], slots[position]) for position in range(count))
                return
            capacity = count + 1024  # tombstones too; they may be many more than the live rows

    def _type_slots(self) -> Iterator[Any]:
        """Types in the order of their indices; each is valid until the next."""
        error, capacity = new_error(), lib.AiMAX_TYPES
        slots = ffi.new("AiTypeSlot[]", capacity)
        count = self._count(lib.ai_reader_types(self._reader, slots, 0, capacity, error), error)
        yield from (slots[index] for index in range(count))

    def _types(self) -> dict[int, tuple[str, bool]]:
        named = enumerate(self._type_slots())
        return {
            index: (
                ffi.string(ffi.cast("char *", slot.name), 128).decode(errors="replace"),
                bool(slot.closes),
            )
            for index, slot in named
        }

    def _site(self, index: int) -> str:
        """The innermost frame: ``app.py:41 add``."""
        error, site, frame = new_error(), ffi.new("AiSiteSlot[]", 1), ffi.new("AiFrameSlot[]", 1)
        if (
            not self._count(lib.ai_reader_sites(self._reader, site, index, 1, error), error)
            or not site[0].frame_count
        ):
            return ""
        if not self._count(
            lib.ai_reader_frames(self._reader, frame, site[0].frames[0], 1, error), error
        ):
            return ""
        line = f":{frame[0].line}" if frame[0].line else ""
        return (
            f"{PurePath(self._text(frame[0].file)).name}{line} {self._text(frame[0].function)}"
        ).strip()

    def _text(self, offset: int) -> str:
        error, capacity = new_error(), 4096
        buffer = ffi.new("uint8_t[]", capacity)
        length = self._count(
            lib.ai_reader_text(self._reader, offset, buffer, capacity, error), error
        )
        return bytes(ffi.buffer(buffer, min(length, capacity))).decode(errors="replace")

    @staticmethod
    def _count(count: int, error: Any) -> int:
        if count < 0:
            raise_status(error.status, error)
        return int(count)


def kind_of_code(code: int) -> Kind:
    """The kind with this number; a kind that this version does not know is ``UNKNOWN``."""
    try:
        return Kind(code)
    except ValueError:
        return Kind.UNKNOWN


def _native_of(slot: Any, kind: Kind) -> int | None:
    """References beyond the handles: the sampler writes the count of an only handle.

    A trait's references lie in several counts, and are not told apart here.
    """
    if slot.strong == STRONG_UNKNOWN or kind.is_trait or kind.shares_rows or not slot.address:
        return None
    signed = int(slot.strong) - (1 << 32 if slot.strong >> 31 else 0)
    return signed - 1
