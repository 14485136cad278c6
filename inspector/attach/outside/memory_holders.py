"""Holders that memory alone tells: words that lead to an object, and the memory around each.

The collector knows no holder whose class does not support it, and no native memory. So the search
looks for the object's address in all memory, judges each find, and goes on from allocations of
native code to the words that lead to these. One thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.attach.outside.memory import OutsideMemory
from inspector.attach.outside.surroundings import Around, Place, Surroundings
from inspector.attach.procfs import MappedRange

MOST_LEVELS: Final = 6
"""Allocations between an object and the holder that is named."""
MOST_WORDS: Final = 1 << 14
"""Words of one level."""
MOST_JUDGED: Final = 512
"""Words of one level that are judged."""
MOST_FRONTIER: Final = 64
"""Allocations from which the search goes on."""
MOST_BYTES: Final = 16 << 30
LARGEST_STEP: Final = 64 << 20
"""Allocations that are larger are not followed: words lead into them by chance."""
WITHOUT_REFERENCES: Final = frozenset({"bytes", "str", "int", "float", "complex", "bool"})
"""Classes whose instances hold no object: a word in them is an accident."""


@dataclass(frozen=True, slots=True)
class MemoryHolder:
    """Memory from which words lead to an object."""

    kind: Around
    name: str
    """Class of an object, library of static data, thread of a stack; ``""``: unknown."""
    address: int
    """The object, or the first byte of the memory."""
    words: int
    """Words in it that lead to the object, or to the allocation on the way."""
    steps: int
    """Allocations between the holder and the object."""
    is_collected: bool
    """The collector knows the holder and its references."""
    is_certain: bool
    """Otherwise the words may be remains: freed memory, or an old part of a stack."""


@dataclass(frozen=True, slots=True)
class MemoryHolders:
    """The result of one search."""

    holders: tuple[MemoryHolder, ...]
    """Certain holders first, then by distance."""
    is_cut: bool
    """A limit was reached: there may be more."""
    read_bytes: int

    def unseen(self) -> tuple[MemoryHolder, ...]:
        """The holders that the collector does not tell."""
        return tuple(each for each in self.holders if not each.is_collected)


class HolderSearch:
    """Searches in one process, by one memory map."""

    def __init__(
        self,
        memory: OutsideMemory,
        surroundings: Surroundings,
        go_on: Callable[[], None] = lambda: None,
    ) -> None:
        """``go_on`` raises to give a search up."""
        self._memory, self._around, self._go_on = memory, surroundings, go_on
        self._ranges = [each for each in surroundings.mapped if _holds_words(each)]
        self._is_cut = False

    def holders_of(self, address: int) -> MemoryHolders:
        """The holders of the object at an address. Raises ``OutsideError``."""
        self._is_cut = False
        found: dict[tuple[Around, int], MemoryHolder] = {}
        seen: set[int] = {address}
        # the lowest bit of a word may be a mark
        frontier = [Place(Around.ALLOCATION, address, 2)]
        for level in range(MOST_LEVELS):
            following = []
            for place, count in self._level(frontier):
                if place.kind is Around.ALLOCATION:
                    if place.start not in seen and place.size <= LARGEST_STEP:
                        following.append((place, count))
                    seen.add(place.start)
                elif place.start != address:
                    held = self._told(place, count, level)
                    if held is not None:
                        found.setdefault((held.kind, held.address), held)
            self._is_cut |= len(following) > MOST_FRONTIER
            if not following:
                break
            frontier = [place for place, _ in following[:MOST_FRONTIER]]
        else:
            self._is_cut = True
        order = sorted(found.values(), key=lambda each: (not each.is_certain, each.steps))
        return MemoryHolders(tuple(order), self._is_cut, self._memory.effort.read_bytes)

    def _level(self, frontier: Sequence[Place]) -> list[tuple[Place, int]]:
        """The memory around each word that leads to the frontier, and its number of words."""
        bounds = np.array([(each.start, each.end) for each in frontier], np.uint64)
        before = self._memory.effort.left_out_hits
        places, _ = self._memory.references(
            bounds, self._ranges, most=MOST_WORDS, most_bytes=MOST_BYTES, go_on=self._go_on
        )
        is_inside = np.zeros(len(places), np.bool_)
        for low, high in bounds.tolist():
            is_inside |= (places >= np.uint64(low)) & (places < np.uint64(high))
        outside = places[~is_inside]
        self._is_cut |= len(outside) > MOST_JUDGED or self._memory.effort.left_out_hits > before
        counted: dict[tuple[Around, int], tuple[Place, int]] = {}
        for word in outside[:MOST_JUDGED].tolist():
            self._go_on()
            place = self._around.of(word)
            _, count = counted.get((place.kind, place.start), (place, 0))
            counted[place.kind, place.start] = place, count + 1
        return list(counted.values())

    def _told(self, place: Place, count: int, steps: int) -> MemoryHolder | None:
        """The holder; ``None``: the memory is free."""
        if place.kind is Around.FREED:
            return None
        kind = self._around.kind(place.type) if place.kind is Around.OBJECT else None
        if kind is not None and kind.name in WITHOUT_REFERENCES:
            return None
        return MemoryHolder(
            place.kind,
            kind.name if kind is not None else place.owner,
            place.start,
            count,
            steps,
            is_collected=kind is not None and kind.is_collected,
            is_certain=place.kind in (Around.OBJECT, Around.STATIC),
        )


def _holds_words(each: MappedRange) -> bool:
    """Whether memory may hold addresses of objects: writable, no device."""
    is_device = each.path.startswith(("/dev/", "/memfd:", "/SYSV")) and each.path != "/dev/zero"
    return each.flags.startswith("rw") and not is_device
