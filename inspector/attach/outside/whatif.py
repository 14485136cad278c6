"""References that a drop would release, told by the class's own destructor.

The destructor runs in an emulated processor on a copy of the memory that it reads
(``native/crates/whatif``). Nothing changes in the process. See ADR 0031. One thread.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.attach import procfs
from inspector.attach.outside.layout import TYPE_DEALLOC
from inspector.attach.outside.linked import called_functions, thread_memory
from inspector.attach.outside.memory import OutsideError, OutsideMemory
from inspector.wire import ffi, lib
from inspector.wire.status import message_of, new_error
from inspector.wire.text import take_buffer, take_bytes

EFFECT: Final = np.dtype(
    [("address", "<u8"), ("before", "<u8"), ("after", "<u8"), ("kind", "<u4"), ("size", "<u4")]
)
_HEAD_BYTES: Final = 16
SLICE: Final = 64
"""Objects of one native call; between two the work can be given up."""
EMULATED: Final = ("x86_64", "AMD64")


class EffectKind(IntEnum):
    """The kind of an effect; as ``EffectKind`` of the native crate."""

    ATOMIC = 1
    PLAIN = 2
    FREED = 3
    ENDS = 4


@dataclass(frozen=True, slots=True)
class Drop:
    """The effects of one destructor."""

    object: int
    effects: npt.NDArray[Any]
    """An array of ``EFFECT``."""
    steps: int
    stopped: str
    """Why the run stopped before the destructor's end; ``""``: it did not."""

    def of(self, *kinds: EffectKind) -> npt.NDArray[Any]:
        """The effects of these kinds."""
        return self.effects[np.isin(self.effects["kind"], kinds)]


class WhatIf:
    """What-if drops in one process."""

    def __init__(
        self, memory: OutsideMemory, own_destructors: Mapping[int, int] = MappingProxyType({})
    ) -> None:
        """Looks up the functions that are not emulated.

        ``own_destructors``: the destructor of each class whose slot an agent has hooked, by the
        class's address.

        Raises ``OutsideError``: the process has ended, or runs on another kind of processor.
        """
        if platform.machine() not in EMULATED:
            raise OutsideError(f"drops are emulated on x86-64, not on {platform.machine()}")
        mapped = procfs.mappings(memory.pid) or []
        names = function_names()
        numbers = {name: number for number, name in enumerate(names)}
        found = called_functions(memory, mapped, names)
        self._memory = memory
        self._functions = np.array(
            [(address, numbers[name]) for address, name in found.items()], np.uint64
        ).reshape(-1, 2)
        self._words = np.array(
            [(cls + TYPE_DEALLOC, function) for cls, function in own_destructors.items()], np.uint64
        ).reshape(-1, 2)
        self._thread = thread_memory(memory, mapped)

    def drops(
        self,
        objects: Sequence[int],
        destructors: Sequence[int],
        go_on: Callable[[], None] = lambda: None,
    ) -> list[Drop]:
        """The effects of dropping each object by the function of its class.

        ``go_on`` raises to give up. Raises ``OutsideError``.
        """
        wanted = np.array(list(zip(objects, destructors, strict=True)), np.uint64).reshape(-1, 2)
        found: list[Drop] = []
        for first in range(0, len(wanted), SLICE):
            go_on()
            found += self._slice(wanted[first : first + SLICE])
        return found

    def _slice(self, wanted: npt.NDArray[np.uint64]) -> list[Drop]:
        buffer, error = ffi.new("AiBuffer *"), new_error()
        status = lib.ai_whatif_drops(
            self._memory.pid,
            self._thread,
            ffi.cast("AiWhatIfFunction *", ffi.from_buffer(self._functions)),
            len(self._functions),
            ffi.cast("AiWhatIfWord *", ffi.from_buffer(self._words)),
            len(self._words),
            ffi.cast("AiWhatIfDrop *", ffi.from_buffer(wanted)),
            len(wanted),
            buffer,
            error,
        )
        if status:
            raise OutsideError(message_of(error))
        return _told(take_bytes(buffer), wanted[:, 0].tolist())


@lru_cache(maxsize=1)
def function_names() -> tuple[str, ...]:
    """The names of the functions that are not emulated, in the order of their numbers."""
    buffer, error = ffi.new("AiBuffer *"), new_error()
    if lib.ai_whatif_functions(buffer, error):
        raise OutsideError(message_of(error))
    return tuple(take_buffer(buffer).split("\n"))


def _told(data: bytes, objects: Sequence[int]) -> list[Drop]:
    found, at = [], 0
    for each in objects:
        steps = int.from_bytes(data[at : at + 8], "little")
        count, length = (
            int.from_bytes(data[at + place : at + place + 4], "little") for place in (8, 12)
        )
        at += _HEAD_BYTES
        effects = np.frombuffer(data, EFFECT, count, at)
        at += count * EFFECT.itemsize
        found.append(Drop(each, effects, steps, data[at : at + length].decode()))
        at += length
    return found
