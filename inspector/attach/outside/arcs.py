"""The words of ``Arc``s in another process, read again and again while it runs on. One thread."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import WORD_BYTES, Addresses, Flags, OutsideMemory
from inspector.wire.uniffi import MOST_STRONG, MOST_WEAK

Ints = npt.NDArray[np.int64]

LOOKS: Final = 12
BURSTS: Final = 160
BURST: Final = 128
"""Looks at one count that moves: with calls on eight threads it is at rest in one of some
hundreds."""
MOST_MOVING: Final = 64
"""Objects whose counts are looked at so often; of the others the least of ``LOOKS`` is taken."""
PAUSE_SECS: Final = 0.0005
"""Between two looks: a call is over sooner, and so is a thread's turn with the interpreter's
lock."""
PAIR_BYTES: Final = 16
LOCKED: Final = (1 << 64) - 1
"""The weak count while ``Arc::get_mut`` looks at it."""


@dataclass(slots=True)
class Arcs:
    """The words to read: first the ``Arc``s around objects, then the objects' own.

    Calls count in the outer ``Arc`` until they have come in.
    """

    objects: Addresses
    outers: Addresses
    owners: Ints
    """Line of the object of each outer ``Arc``."""
    least: Ints = field(init=False)
    """Strong count of each ``Arc``, the outer ones first, at the look where those of its object
    were least together."""
    weak: Ints = field(init=False)
    total: Ints = field(init=False)
    last: Ints = field(init=False)
    moving: Flags = field(init=False)

    def places(self) -> Addresses:
        """All ``Arc``s in the order in which they are read."""
        return np.concatenate([self.outers, self.objects])

    def take(self, strong: Ints, weak: Ints, *, is_first: bool = False) -> None:
        """One look at all of them."""
        total = self._totals(strong)
        if is_first:
            self.least, self.weak, self.total, self.last = (
                strong.copy(),
                weak[len(self.outers) :].copy(),
                total,
                total.copy(),
            )
            self.moving = np.zeros(len(self.objects), np.bool_)
            return
        self.moving |= total != self.last
        is_less = total < self.total
        is_of_less = np.concatenate([is_less[self.owners], is_less])
        self.least = np.where(is_of_less, strong, self.least)
        self.weak = np.where(is_less, weak[len(self.outers) :], self.weak)
        self.total, self.last = np.minimum(total, self.total), total

    def take_least(self, strong: Ints, weak: Ints) -> None:
        """Several looks at all counts, a line each.

        For each object the look where its counts are least together is taken.
        """
        outer, own = strong[:, : len(self.outers)], strong[:, len(self.outers) :]
        around = (self.owners[:, None] == np.arange(len(self.objects))).astype(np.int64)
        total = own + outer @ around
        at = total.argmin(axis=0)
        at_of_arcs = np.concatenate([at[self.owners], at])
        chosen = [
            np.take_along_axis(each, at_of_arcs[None, :], axis=0)[0] for each in (strong, weak)
        ]
        self.take(*chosen)
        self.last = total[-1]

    def put(self, some: Arcs, objects: Ints, lines: Ints) -> None:
        """Take over the counts of some of the objects, with ``lines`` as ``some`` gave them."""
        self.least[lines] = some.least
        for mine, theirs in (
            (self.weak, some.weak),
            (self.total, some.total),
            (self.last, some.last),
        ):
            mine[objects] = theirs

    def have_changed(self, strong: Ints) -> Flags:
        """Objects whose counts together are not the least ones at a later look."""
        have: Flags = self._totals(strong) != self.total
        return have

    def _totals(self, strong: Ints) -> Ints:
        """The counts of each object together."""
        outer, own = strong[: len(self.outers)], strong[len(self.outers) :]
        total: Ints = own + np.bincount(self.owners, outer, len(self.objects)).astype(np.int64)
        return total

    def some(self, objects: Ints) -> tuple[Arcs, Ints]:
        """Some of the objects with their counts so far, and the lines of their ``Arc``s in this."""
        line = np.full(len(self.objects), -1, np.int64)
        line[objects] = np.arange(len(objects))
        outers = np.flatnonzero(line[self.owners] >= 0)
        lines = np.concatenate([outers, len(self.outers) + objects])
        some = Arcs(self.objects[objects], self.outers[outers], line[self.owners[outers]])
        some.least = self.least[lines]
        some.weak, some.total, some.last = (
            each[objects] for each in (self.weak, self.total, self.last)
        )
        some.moving = self.moving[objects]
        return some, lines

    def are_counts(self) -> Flags:
        """Whether all words of an object look like counts.

        Not proof, but other words are seldom two small numbers.
        """
        own = self.least[len(self.outers) :]
        outer = self.least[: len(self.outers)]
        odd = np.bincount(self.owners, (outer <= 0) | (outer > MOST_STRONG), len(self.objects)) > 0
        is_place = self.objects % np.uint64(WORD_BYTES) == 0
        are: Flags = (
            is_place
            & (own > 0)
            & (own <= MOST_STRONG)
            & (self.weak > 0)
            & (self.weak <= MOST_WEAK)
            & ~odd
        )
        return are


def read(memory: OutsideMemory, arcs: Arcs) -> None:
    """Look at all of them several times, and very often at some of the counts that move."""
    places = arcs.places()
    arcs.take(*_pairs(memory, places), is_first=True)
    for _ in range(LOOKS if len(places) else 0):
        time.sleep(PAUSE_SECS)
        arcs.take(*_pairs(memory, places))
    moving = np.flatnonzero(arcs.moving)[:MOST_MOVING]
    if len(moving):
        some, lines = arcs.some(moving)
        _read_moving(memory, some)
        arcs.put(some, moving, lines)


def have_changed(memory: OutsideMemory, arcs: Arcs) -> Flags:
    """Objects whose counts are others now than at rest."""
    return arcs.have_changed(_pairs(memory, arcs.places())[0])


def _read_moving(memory: OutsideMemory, arcs: Arcs) -> None:
    """Look at counts that rise and fall very often.

    Calls of many threads rarely leave such a count alone.
    """
    places = arcs.places()
    times = BURST
    repeated = np.tile(places, times)
    for _ in range(BURSTS):
        strong, weak = (each.reshape(times, len(places)) for each in _pairs(memory, repeated))
        arcs.take_least(strong, weak)
        time.sleep(PAUSE_SECS)


def _pairs(memory: OutsideMemory, places: Addresses) -> tuple[Ints, Ints]:
    """Strong and weak counts at these places now; 0 where nothing can be read."""
    pairs = memory.gather(places, PAIR_BYTES)
    strong, weak = (
        np.minimum(pairs.words(at), np.uint64(1 << 62)).astype(np.int64) for at in (0, WORD_BYTES)
    )
    return strong, np.where(pairs.words(WORD_BYTES) == np.uint64(LOCKED), 1, weak)
