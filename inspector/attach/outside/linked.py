"""Addresses of functions in another process, as its libraries call them.

A library calls a function of another library through a slot that the loader has filled. The slots
tell the address that is really called, also where the C library chose a version for
the processor. One thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import numpy as np

from inspector.attach import procfs
from inspector.attach.outside.memory import Addresses, OutsideMemory
from inspector.attach.procfs import MappedRange

_HEAD_BYTES: Final = 64
_PROGRAM_BYTES: Final = 56
_LOADED, _DYNAMIC = 1, 2
_STRINGS, _SYMBOLS, _SLOTS, _SLOT_BYTES, _STRING_BYTES = 5, 6, 7, 8, 10
_CALLS, _CALL_BYTES = 23, 2
_SYMBOL_BYTES: Final = 24
_NAMED_SLOTS: Final = (1, 6, 7)
"""Relocations of x86-64 that put the address of a named symbol into a word."""
MOST_BYTES: Final = 64 << 20
"""Larger tables are taken for damaged."""
MOST_PROGRAMS: Final = 64


def called_functions(
    memory: OutsideMemory, mapped: Iterable[MappedRange], names: Collection[str]
) -> dict[int, str]:
    """The name of each address under which a mapped file calls these functions."""
    found: dict[int, str] = {}
    for each in _first_parts(mapped):
        found.update(_of_file(memory, each.low, names))
    return found


def _first_parts(mapped: Iterable[MappedRange]) -> list[MappedRange]:
    """The first bytes of each file that has code."""
    parts = list(mapped)
    with_code = {each.path for each in parts if each.is_code and each.path.startswith("/")}
    return [each for each in parts if each.path in with_code and not each.offset]


def loaded_end(memory: OutsideMemory, low: int) -> int:
    """The byte behind the memory of a file that is loaded at ``low``, its data without content too.

    0: its head cannot be read.
    """
    end, bias = 0, low
    for kind, offset, address, size in _programs(memory, low):
        if kind == _LOADED:
            bias = low - address if not offset else bias
            end = max(end, bias + address + size)
    return end


def _programs(memory: OutsideMemory, low: int) -> list[tuple[int, int, int, int]]:
    """Kind, offset in the file, address and bytes in memory of each part of a file."""
    head = memory.read(low, _HEAD_BYTES)
    if len(head) < _HEAD_BYTES or head[:5] != b"\x7fELF\2":
        return []
    count = min(int.from_bytes(head[56:58], "little"), MOST_PROGRAMS)
    first = (low + int.from_bytes(head[32:40], "little")) % (1 << 64)
    data = memory.read(first, count * _PROGRAM_BYTES)
    found = []
    for at in range(0, len(data) // _PROGRAM_BYTES * _PROGRAM_BYTES, _PROGRAM_BYTES):
        kind = int.from_bytes(data[at : at + 4], "little")
        offset, address, size = (
            int.from_bytes(data[at + place : at + place + 8], "little") for place in (8, 16, 40)
        )
        found.append((kind, offset, address, size))
    return found


def _of_file(memory: OutsideMemory, low: int, names: Collection[str]) -> dict[int, str]:
    bias, dynamic = _dynamic(memory, low)
    if not dynamic:
        return {}
    slots, symbols = _slots(memory, bias, dynamic)
    if not len(slots):
        return {}
    starts = _place(bias, dynamic.get(_SYMBOLS, 0)) + symbols * np.uint64(_SYMBOL_BYTES)
    offsets = memory.gather(starts, 4).halves(0)
    size = dynamic.get(_STRING_BYTES, 0)
    text = memory.read(_place(bias, dynamic.get(_STRINGS, 0)), size) if size < MOST_BYTES else b""
    wanted = {name.encode(): name for name in names}
    lines, chosen = [], []
    for line, offset in enumerate(offsets.tolist()):
        name = wanted.get(text[offset : text.find(b"\0", offset)]) if offset < len(text) else None
        if name is not None:
            lines.append(line)
            chosen.append(name)
    targets = memory.words(slots[lines]).tolist()
    return {target: name for target, name in zip(targets, chosen, strict=True) if target}


def _dynamic(memory: OutsideMemory, low: int) -> tuple[int, Mapping[int, int]]:
    """The number that is added to a file's addresses, and the table for the loader."""
    bias, place, size = low, 0, 0
    for kind, offset, address, bytes_ in _programs(memory, low):
        if kind == _LOADED and not offset:
            bias = low - address
        elif kind == _DYNAMIC:
            place, size = address, bytes_
    if not 0 < size < MOST_BYTES:
        return bias, {}
    words = np.frombuffer(memory.read(bias + place, size // 16 * 16), "<u8").reshape(-1, 2)
    table: dict[int, int] = {}
    for tag, value in words.tolist():
        table.setdefault(tag, value)
    return bias, table


def _slots(
    memory: OutsideMemory, bias: int, dynamic: Mapping[int, int]
) -> tuple[Addresses, Addresses]:
    """Places of the slots of named symbols, and the number of each one's symbol."""
    parts = []
    for start, length in ((_SLOTS, _SLOT_BYTES), (_CALLS, _CALL_BYTES)):
        size = dynamic.get(length, 0) // 24 * 24
        if 0 < size < MOST_BYTES:
            data = memory.read(_place(bias, dynamic.get(start, 0)), size)
            parts.append(np.frombuffer(data[: len(data) // 24 * 24], "<u8").reshape(-1, 3))
    lines = np.concatenate(parts) if parts else np.zeros((0, 3), np.uint64)
    kinds = lines[:, 1] & np.uint64(0xFFFF_FFFF)
    named = np.isin(kinds, _NAMED_SLOTS) & (lines[:, 1] >> np.uint64(32) != 0) & (lines[:, 2] == 0)
    chosen = lines[named]
    return chosen[:, 0] + np.uint64(bias % (1 << 64)), chosen[:, 1] >> np.uint64(32)


def _place(bias: int, address: int) -> int:
    """The loader of glibc writes places into the table; others leave file addresses."""
    return (address if address >= bias else address + bias) % (1 << 64)


def thread_memory(memory: OutsideMemory, mapped: Iterable[MappedRange]) -> int:
    """The block of thread-local memory of a thread, of the first one if it is found; 0: none.

    Such a block holds its own address in its first and third word.
    """
    blocks: dict[int, list[int]] = defaultdict(list)
    first = procfs.inner_pid(memory.pid)
    anonymous = [each for each in mapped if each.flags.startswith("rw") and not each.path]
    for each in sorted(anonymous, key=lambda each: each.high - each.low):
        size = min(each.high - each.low, _MOST_OF_MAPPING)
        words = memory.gather([each.high - size], size).words(0, size // 8)[0]
        places = np.arange(each.high - size, each.high, 8, dtype=np.uint64)
        own = places[(words == places) & (np.roll(words, -2) == places)]
        for place in own.tolist():
            thread = int.from_bytes(memory.read(place + _THREAD_NUMBER, 4), "little")
            blocks[thread].append(place)
        if first in blocks:
            return blocks[first][0]
    return next((found[0] for found in blocks.values()), 0)


_MOST_OF_MAPPING: Final = 1 << 20
_THREAD_NUMBER: Final = 0x2D0
"""The kernel's number of a thread within its block, in glibc from 2.4 on."""
