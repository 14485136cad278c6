"""The object or allocation around an address in another process.

An address may lie in an object of Python, in memory that native code allocated, in the static data
of a library, or on a stack. The records of the allocators tell where a block begins. One thread.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import numpy as np

from inspector.attach import procfs
from inspector.attach.outside import blocks
from inspector.attach.outside import layout as at
from inspector.attach.outside.linked import loaded_end
from inspector.attach.outside.memory import OutsideMemory
from inspector.attach.outside.python import SeenPython
from inspector.attach.procfs import MappedRange

LARGEST_COUNT: Final = 1 << 31
BEFORE_OBJECT: Final = (0, 16, 32)
"""Bytes that a block may have before its object: nothing, the collector's links, and both these and
the place of the attributes."""
MOST_BACK: Final = 1 << 20
"""Bytes before an address in which the start of its block is looked for."""
NEIGHBOURS: Final = 3
"""Blocks behind a block that have to follow on each other."""
LONGEST_NAME: Final = 256
MOST_DEPTH: Final = 4
MOST_PARTS: Final = 12
"""Mappings of one library, about."""


class Around(Enum):
    """The kind of memory around an address."""

    OBJECT = "object"
    ALLOCATION = "allocation"
    STATIC = "static data"
    STACK = "stack"
    FREED = "freed memory"
    UNKNOWN = "memory of unknown kind"


@dataclass(frozen=True, slots=True)
class Place:
    """Memory around an address."""

    kind: Around
    start: int
    """The object, or the first byte of the block or the mapping."""
    size: int
    """Bytes; 0: unknown."""
    type: int = 0
    """The object's class."""
    owner: str = ""
    """The library of static data, the thread of a stack."""

    @property
    def end(self) -> int:
        """The byte behind the last byte."""
        return self.start + max(self.size, 1)


@dataclass(frozen=True, slots=True)
class SeenKind:
    """A class, as its own memory tells."""

    name: str
    """With its module, if the class has a module."""
    size: int
    is_collected: bool
    """The collector knows the instances."""
    destructor: int
    is_type: bool
    """The instances are classes."""


class Surroundings:
    """Judges addresses of one process, by the memory map of one moment."""

    def __init__(self, memory: OutsideMemory, python: SeenPython) -> None:
        """Reads the map."""
        self._memory, self._python = memory, python
        self._mapped = sorted(procfs.mappings(memory.pid) or [], key=lambda each: each.low)
        self._lows = [each.low for each in self._mapped]
        self._kinds: dict[int, SeenKind | None] = {}
        self._stacks = _stack_pointers(memory.pid)

    @property
    def mapped(self) -> Sequence[MappedRange]:
        """The memory map, ascending."""
        return self._mapped

    def of(self, address: int) -> Place:
        """The memory around an address."""
        part = self._part(address)
        if part is None:
            return Place(Around.UNKNOWN, address, 0)
        stack = self._stack(part, address)
        if stack is not None:
            return stack
        if part.path.startswith("/"):
            return Place(Around.STATIC, address, 0, owner=Path(part.path).name)
        library = self._library_before(part, address)
        if library:
            return Place(Around.STATIC, address, 0, owner=library)
        found = self._in_pool(address) or self._in_chunk(part, address)
        if found is not None:
            return found
        return Place(Around.UNKNOWN, part.low, part.high - part.low)

    def kind(self, type_: int) -> SeenKind | None:
        """A class; ``None``: the address is none."""
        if type_ not in self._kinds:
            self._kinds[type_] = self._read_kind(type_)
        return self._kinds[type_]

    def object_at(self, place: int) -> SeenKind | None:
        """The class of a living object at exactly this address; ``None``: there is none."""
        if place % 8:
            return None
        head = self._memory.read(place, 16)
        if len(head) < 16:
            return None
        count = int.from_bytes(head[:4], "little")
        if not 0 < count <= 0xFFFF_FFFF or int.from_bytes(head[8:], "little") % 8:
            return None
        return self.kind(int.from_bytes(head[8:], "little"))

    def word(self, place: int) -> int:
        """The word at an address; 0: it cannot be read."""
        return int(self._memory.words([place])[0])

    def type_at(self, place: int) -> int:
        """The class word of an object."""
        return int(self._memory.words([place + 8])[0])

    # inside ---------------------------------------------------------------------------------------

    def _part(self, address: int) -> MappedRange | None:
        line = bisect_right(self._lows, address) - 1
        if line < 0 or address >= self._mapped[line].high:
            return None
        return self._mapped[line]

    def _stack(self, part: MappedRange, address: int) -> Place | None:
        tops = [(top, name) for top, name in self._stacks if part.low <= top < part.high]
        for top, name in tops:
            if address < top:
                return Place(Around.FREED, address, 0, owner=name)
            return Place(Around.STACK, address, 0, owner=name)
        if part.path.startswith("[stack"):
            return Place(Around.STACK, address, 0, owner="the main thread")
        return None

    def _library_before(self, part: MappedRange, address: int) -> str:
        """The library whose data without content in the file has this address; ``""``: none."""
        line = self._lows.index(part.low)
        before = [each for each in self._mapped[max(line - MOST_PARTS, 0) : line] if each.path]
        first = next((each for each in reversed(before) if not each.offset), None)
        if not before or first is None or before[-1].path != first.path:
            return ""
        is_inside = address < loaded_end(self._memory, first.low)
        return Path(first.path).name if is_inside else ""

    def _in_pool(self, address: int) -> Place | None:
        """A block of the interpreter's allocator."""
        size_of_pool = self._python.layout.pool_bytes
        pool = address & ~(size_of_pool - 1)
        head = self._memory.read(pool, blocks.POOL_HEAD_BYTES)
        if len(head) < blocks.POOL_HEAD_BYTES:
            return None
        used, size_class, end = (int.from_bytes(head[o : o + 4], "little") for o in (0, 36, 40))
        size = (size_class + 1) * blocks.ALIGNMENT
        offset = address - pool - blocks.POOL_HEAD_BYTES
        is_pool = size_class < blocks.POOL_CLASSES and 0 < used <= size_of_pool // size
        if not is_pool or offset < 0 or end > size_of_pool or address - pool >= end:
            return None
        start = pool + blocks.POOL_HEAD_BYTES + offset // size * size
        if start in self._free_blocks(pool, int.from_bytes(head[8:16], "little"), size):
            return Place(Around.FREED, start, size)
        return self._with_object(start, size)

    def _free_blocks(self, pool: int, first: int, size: int) -> set[int]:
        """The blocks of a pool that are not in use."""
        free: set[int] = set()
        while pool <= first < pool + self._python.layout.pool_bytes and first not in free:
            free.add(first)
            first = int(self._memory.words([first])[0])
        return free

    def _in_chunk(self, part: MappedRange, address: int) -> Place | None:
        """A chunk of glibc."""
        mapped = int(self._memory.words([part.low + 8])[0])
        if mapped & blocks.CHUNK_IS_MAPPED and (mapped & ~7) <= part.high - part.low:
            return self._with_object(part.low + 16, (mapped & ~7) - 16)
        low = max(part.low, (address & ~15) - MOST_BACK)
        data = self._memory.gather([low], (address & ~15) - low + 16)
        heads = data.words(0, data.data.shape[1] // 8)[0][1::2]
        starts = np.arange(low + 16, low + 16 + 16 * len(heads), 16, dtype=np.uint64)
        lengths = heads & ~np.uint64(blocks.CHUNK_FLAGS)
        ends = starts - np.uint64(16) + lengths
        covers = (
            (lengths >= blocks.SMALLEST_CHUNK)
            & (lengths < np.uint64(part.high - part.low))
            & (lengths % np.uint64(16) == 0)
            & (ends > np.uint64(address))
            & (starts <= np.uint64(address))
            & (heads & np.uint64(2) == 0)
        )
        for line in np.flatnonzero(covers)[::-1].tolist():
            start, size = int(starts[line]), int(lengths[line])
            if self._has_neighbours(start - 16 + size, part.high):
                following = int(self._memory.words([start - 8 + size])[0])
                if not following & 1:
                    return Place(Around.FREED, start, size - 16)
                # the last word belongs to the next chunk while that is free
                return self._with_object(start, size - 16)
        return None

    def _has_neighbours(self, chunk: int, high: int) -> bool:
        """Whether chunks follow on each other from here on."""
        for _ in range(NEIGHBOURS):
            if chunk + 16 >= high:
                return chunk + 16 <= high + 16
            length = int(self._memory.words([chunk + 8])[0]) & ~7
            if length < 16 or length % 16 or chunk + length > high:
                return False
            chunk += length
        return True

    def _with_object(self, start: int, size: int) -> Place:
        """A block, or the object in the block."""
        for before in BEFORE_OBJECT:
            found = self.object_at(start + before) if before + 16 <= size else None
            if found is None or found.size > size - before:
                continue
            if before == 0 or found.is_collected:
                type_ = self.type_at(start + before)
                return Place(Around.OBJECT, start + before, size - before, type_)
        return Place(Around.ALLOCATION, start, size)

    def _read_kind(self, type_: int) -> SeenKind | None:
        body = self._memory.read(type_, at.TYPE_FLAGS + 8)
        if len(body) < at.TYPE_FLAGS + 8:
            return None
        meta, named, size, destructor, flags = (
            int.from_bytes(body[offset : offset + 8], "little")
            for offset in (8, at.TYPE_NAME, at.TYPE_BASIC_SIZE, at.TYPE_DEALLOC, at.TYPE_FLAGS)
        )
        if not flags & at.IS_READY or not 16 <= size < 1 << 20 or not self._is_meta(meta):
            return None
        text = self._memory.read(named, LONGEST_NAME).partition(b"\0")[0]
        name = text.decode("utf-8", "replace")
        if not name or not name.isprintable():
            return None
        return SeenKind(
            name,
            size,
            bool(flags & at.IS_COLLECTED),
            destructor,
            bool(flags & at.IS_TYPE_OF_TYPES),
        )

    def _is_meta(self, meta: int) -> bool:
        """Whether the instances of a class are classes."""
        for _ in range(MOST_DEPTH):
            if meta == self._python.type_of_types:
                return True
            flags, above = self._memory.words([meta + at.TYPE_FLAGS, meta + 8]).tolist()
            if not flags & at.IS_TYPE_OF_TYPES:
                return False
            meta = above
        return False


def _stack_pointers(pid: int) -> list[tuple[int, str]]:
    """The end of each stack in use, and the thread's name; a running thread tells none."""
    found = []
    for tid in procfs.tasks(pid):
        call = procfs.system_call(pid, tid)
        if call is not None and call.stack:
            found.append((call.stack, procfs.thread_name(pid, tid) or f"thread {tid}"))
    return found
