"""The schema as Python sees it.

Its numbers and record layouts are all taken from the compiled declarations.

Nothing here is a second description: names are mapped, values and offsets are read from
``native/crates/segment/src/layout`` by way of the compiled header. Records are described without
numpy, so that a target does not load it; a viewer builds dtypes from ``fields``. Immutable; any
thread.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from inspector._native import ffi, lib

MAGIC: Final[int] = lib.AiMAGIC
LAYOUT_VERSION: Final[int] = lib.AiLAYOUT_VERSION
BUSY: Final[int] = lib.AiBUSY
STRONG_UNKNOWN: Final[int] = lib.AiSTRONG_UNKNOWN
COUNT_UNKNOWN: Final[int] = lib.AiCOUNT_UNKNOWN
OUTER_UNKNOWN: Final[int] = lib.AiOUTER_UNKNOWN
RUNNING_BORROWS: Final[int] = lib.AiRUNNING_BORROWS
RUNNING_ARGUMENT: Final[int] = lib.AiRUNNING_ARGUMENT
EVENT_COUNT_UNKNOWN: Final[int] = lib.AiEVENT_COUNT_UNKNOWN
FOREIGN_BIT: Final[int] = lib.AiFOREIGN_BIT
MAX_HANDLES: Final[int] = lib.AiMAX_HANDLES
MAX_THREADS: Final[int] = lib.AiMAX_THREADS
MAX_TYPES: Final[int] = lib.AiMAX_TYPES
MAX_SITES: Final[int] = lib.AiMAX_SITES
MAX_FRAMES: Final[int] = lib.AiMAX_FRAMES
MAX_STRING_BYTES: Final[int] = lib.AiMAX_STRING_BYTES
MAX_RINGS: Final[int] = lib.AiMAX_RINGS
RING_EVENTS: Final[int] = lib.AiRING_EVENTS
SITE_FRAMES: Final[int] = lib.AiSITE_FRAMES
TYPE_SHARDS: Final[int] = lib.AiTYPE_SHARDS
GC_LOG: Final[int] = lib.AiGC_LOG


class ThreadState(IntEnum):
    """A thread's state."""

    FREE = lib.AiThreadState_Free
    LIVE = lib.AiThreadState_Live
    ENDED = lib.AiThreadState_Ended


class Ending(IntEnum):
    """How a target ended, as far as it knew itself."""

    NOT_YET = lib.AiEnding_NotYet
    EXITED = lib.AiEnding_Exited
    STOPPED = lib.AiEnding_Stopped


class ClockSource(IntEnum):
    """The source of ticks."""

    TSC = lib.AiClockSource_Tsc
    MONOTONIC = lib.AiClockSource_Monotonic


class Field:
    """One field of a record. Not changed once made."""

    __slots__ = ("count", "name", "offset", "size_bytes", "type")

    def __init__(
        self, *, name: str, offset: int, type: str, size_bytes: int, count: int | None
    ) -> None:
        """Describe it.

        Args:
            name: As in the record.
            offset: Bytes from the record's start.
            type: A C integer (``uint32_t``), or the name of a record (``AiSection``).
            size_bytes: Of one element.
            count: Elements of an array; ``None``: a single one.
        """
        self.name = name
        self.offset = offset
        self.type = type
        self.size_bytes = size_bytes
        self.count = count

    @property
    def is_record(self) -> bool:
        """Whether the element is itself a record, to be looked up by ``type``."""
        return self.type.startswith("Ai")


def record_bytes(record: str) -> int:
    """Size of a record such as ``AiHandleSlot``."""
    return int(ffi.sizeof(record))


def fields(record: str) -> tuple[Field, ...]:
    """The fields of a record such as ``AiHandleSlot``, in order."""
    return tuple(_field(name, member) for name, member in ffi.typeof(record).fields)


def _field(name: str, member: object) -> Field:
    """Describe one member from cffi's ``CField``."""
    ctype = member.type  # type: ignore[attr-defined]  # cffi's CField is not typed
    count = None
    if ctype.kind == "array":
        count, ctype = ctype.length, ctype.item
    return Field(
        name=name,
        offset=member.offset,  # type: ignore[attr-defined]
        type=ctype.cname.removeprefix("struct "),
        size_bytes=ffi.sizeof(ctype),
        count=count,
    )


def handle_number(index: int, generation: int, *, foreign: bool = False) -> int:
    """``generation << 32 | index << 1 | foreign``."""
    return generation << 32 | index << 1 | (FOREIGN_BIT if foreign else 0)
