"""Classes and their instances in another process.

Every object names its type in a word; the search looks for that word.

Instead of following lists that change all the time, memory is searched once, and each find is
judged by itself: its count, and that the collector's links around it lead back to it. Freed memory
fails both. One thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.attach.outside import layout as at
from inspector.attach.outside.memory import Addresses, Flags, Gathered, OutsideMemory, holds_objects
from inspector.attach.procfs import MappedRange, mappings

MOST_TYPES: Final = 1 << 18
MOST_INSTANCES: Final = 1 << 21
MOST_BYTES: Final = 16 << 30
"""What one search goes through; the rest is counted."""
LARGEST_COUNT: Final = 1 << 31
MOST_DEPTH: Final = 6
"""Of metaclasses of metaclasses: each takes a search."""
TRIES: Final = 3
"""Looks at links that did not lead back: the lists change, and a collection uses them for itself
for a moment."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes made by Python code."""

    addresses: Addresses
    """Ascending."""
    bodies: Gathered
    """``TYPE_BYTES`` of each."""

    def row_of(
        self, addresses: Addresses
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Flags]:
        """The line of each class, and which are known."""
        if not len(self.addresses):
            return np.zeros(len(addresses), np.int64), np.zeros(len(addresses), np.bool_)
        rows = np.minimum(np.searchsorted(self.addresses, addresses), len(self.addresses) - 1)
        return rows.astype(np.int64), self.addresses[rows] == addresses


class Heap:
    """The objects of one process."""

    def __init__(
        self, memory: OutsideMemory, type_of_types: int, go_on: Callable[[], None]
    ) -> None:
        """``type_of_types``: address of ``type``. ``go_on`` raises to give a search up."""
        self._memory = memory
        self._metas = {type_of_types}
        self._go_on = go_on

    def classes(self) -> Classes:
        """All classes that Python code made.

        Classes of type ``type`` come first, then classes of the metaclasses among them.
        """
        known: set[int] = set()
        metas = self._metas
        asked: set[int] = set()
        found = Classes(
            np.empty(0, np.uint64),
            Gathered(np.zeros((0, at.TYPE_BYTES), np.uint8), np.zeros(0, np.bool_)),
        )
        for _ in range(MOST_DEPTH):
            if not metas - asked:
                break
            wanted, asked = metas - asked, asked | metas
            places, _ = self._search(np.fromiter(wanted, np.uint64, len(wanted)), MOST_TYPES)
            known.update(places[self.are_alive(places)].tolist())
            found = self._judged(np.array(sorted(known), np.uint64))
            flags = found.bodies.words(at.TYPE_FLAGS)
            metas = self._metas = asked | set(
                found.addresses[(flags & np.uint64(at.IS_TYPE_OF_TYPES)) != 0].tolist()
            )
        return found

    def _judged(self, places: Addresses) -> Classes:
        """The places that look like a class that is ready."""
        bodies = self._memory.gather(places, at.TYPE_BYTES)
        flags = bodies.words(at.TYPE_FLAGS)
        needed = np.uint64(at.IS_HEAP_TYPE | at.IS_READY)
        sizes = bodies.words(at.TYPE_BASIC_SIZE)
        is_class = (
            bodies.readable & ((flags & needed) == needed) & (sizes >= 16) & (sizes < 1 << 20)
        )
        return Classes(places[is_class], Gathered(bodies.data[is_class], bodies.readable[is_class]))

    def instances(self, types: Addresses) -> tuple[Addresses, Addresses, Addresses]:
        """Living instances of exactly these classes, the class of each, and doubtful finds.

        Doubtful finds are left out of the instances.
        """
        places, kinds = self.counted(types)
        linked = self.are_alive(places)
        others = places[~linked]
        return places[linked], kinds[linked], others[self._are_tracked(others)]

    def counted(self, types: Addresses) -> tuple[Addresses, Addresses]:
        """Places that name exactly these classes and have a count, and the class of each."""
        places, kinds = self._search(types, MOST_INSTANCES)
        alive = self.are_counted(places)
        return places[alive], kinds[alive]

    def are_counted(self, places: Addresses) -> Flags:
        """Which have a count as a living object has."""
        counts = self._memory.words(places)
        low = counts & np.uint64(0xFFFF_FFFF)
        # above that 3.14 has flags, earlier versions nothing
        has_more = (counts >> np.uint64(32)) & np.uint64(0xFFFF) != 0
        counted: Flags = (low > 0) & (low < LARGEST_COUNT) & ~has_more
        return counted

    def are_alive(self, places: Addresses) -> Flags:
        """Which are counted and tracked by the collector, whose links lead there and back."""
        alive = self.are_counted(places)
        linked = np.zeros(len(places), np.bool_)
        for _ in range(TRIES):
            open_ = np.flatnonzero(alive & ~linked)
            if not len(open_):
                break
            linked[open_] = self._are_linked(places[open_])
        return linked

    def _are_linked(self, places: Addresses) -> Flags:
        links = places - np.uint64(at.LINKS_BYTES)
        after = self._memory.words(links) & ~np.uint64(at.LINK_FLAGS)
        back = self._memory.words(after + np.uint64(8)) & ~np.uint64(at.LINK_FLAGS)
        linked: Flags = (after != 0) & (back == links)
        return linked

    def _are_tracked(self, places: Addresses) -> Flags:
        """Whether objects seem to have a link to another object that does not link back.

        The sign is that the type of the other object's type is a metaclass.
        """
        after = self._memory.words(places - np.uint64(at.LINKS_BYTES)) & ~np.uint64(at.LINK_FLAGS)
        kinds = self._memory.words(after + np.uint64(at.LINKS_BYTES + 8))
        return np.isin(
            self._memory.words(kinds + np.uint64(8)),
            np.fromiter(self._metas, np.uint64, len(self._metas)),
        )

    def _search(self, types: Addresses, most: int) -> tuple[Addresses, Addresses]:
        return self._memory.objects_of(
            types, self._ranges(), most=most, most_bytes=MOST_BYTES, go_on=self._go_on
        )

    def _ranges(self) -> Sequence[MappedRange]:
        return [each for each in mappings(self._memory.pid) or () if holds_objects(each)]
