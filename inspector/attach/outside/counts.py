"""Counts of ``Arc``s in another process, of the same moment as the handles on them. One thread.

The process runs on. So its handles are searched for, the counts are read several times, and the
handles are searched for again: an object whose handles are the same before and after had these
handles all the while. The least of the counts read is the count without calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import WORD_BYTES, Addresses, Flags, OutsideMemory
from inspector.attach.outside.seen import UNKNOWN
from inspector.wire.uniffi import MOST_STRONG, MOST_WEAK

Ints = npt.NDArray[np.int64]

ROUNDS: Final = 3
"""Searches, counts, searches: so often, as long as handles of some objects came or went in
between."""
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


@dataclass(frozen=True, slots=True)
class Held:
    """Handles that one search found, one element each."""

    kinds: Ints
    """Line of the type."""
    places: Addresses
    """The proxy."""
    handles: Addresses
    addresses: Addresses
    """The object's own ``Arc``; 0: it cannot be told."""
    outers: Addresses
    """The ``Arc`` that the handle points into; 0: none that counts."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of some handles, one element each; ``UNKNOWN`` where they are unknown.

    All handles of an object have the same.
    """

    addresses: Addresses
    """As ``Held`` has it; 0 also where no counts lie."""
    strong: Ints
    weak: Ints
    outer: Ints
    in_flight: Ints
    moving: Flags
    """The count was another from one look to the next."""


@dataclass(slots=True)
class _Arcs:
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
        outer, own = strong[: len(self.outers)], strong[len(self.outers) :]
        total = own + np.bincount(self.owners, outer, len(self.objects)).astype(np.int64)
        if is_first:
            self.least, self.weak, self.total, self.last = (
                strong.copy(),
                weak[len(self.outers) :],
                total,
                total,
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

    def some(self, objects: Ints) -> tuple[_Arcs, Ints]:
        """Some of the objects, and the lines of their ``Arc``s in this."""
        line = np.full(len(self.objects), -1, np.int64)
        line[objects] = np.arange(len(objects))
        outers = np.flatnonzero(line[self.owners] >= 0)
        return _Arcs(
            self.objects[objects], self.outers[outers], line[self.owners[outers]]
        ), np.concatenate([outers, len(self.outers) + objects])

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


def handles_with_counts(memory: OutsideMemory, search: Callable[[], Held]) -> tuple[Held, Counts]:
    """The handles that ``search`` finds, and the counts of their objects.

    The counts of objects that get and lose handles too fast for a look are ``UNKNOWN``.
    """
    held = search()
    known = _Known()
    for _ in range(ROUNDS if len(held.places) else 0):
        arcs = _arcs_of(held, known)
        _read(memory, arcs)
        before, held = held, search()
        known.learn(arcs, before, held)
        moving = np.flatnonzero(arcs.moving)[:MOST_MOVING]
        if len(moving):
            before = held
            arcs, _ = arcs.some(moving)
            _read_moving(memory, arcs)
            held = search()
            known.learn(arcs, before, held)
        if not len(_arcs_of(held, known).objects):
            break
    return held, known.counts(held)


def _arcs_of(held: Held, known: _Known) -> _Arcs:
    """The ``Arc``s of the objects of which nothing is known."""
    objects = np.setdiff1d(held.addresses[held.addresses != 0], known.objects())
    rows = np.flatnonzero((held.outers != 0) & np.isin(held.addresses, objects))
    outers, first = np.unique(held.outers[rows], return_index=True)
    return _Arcs(objects, outers, np.searchsorted(objects, held.addresses[rows][first]))


def _read(memory: OutsideMemory, arcs: _Arcs) -> None:
    """Look at all of them several times."""
    places = arcs.places()
    arcs.take(*_pairs(memory, places), is_first=True)
    for _ in range(LOOKS if len(places) else 0):
        time.sleep(PAUSE_SECS)
        arcs.take(*_pairs(memory, places))


def _read_moving(memory: OutsideMemory, arcs: _Arcs) -> None:
    """Look at counts that rise and fall very often.

    Calls of many threads rarely leave such a count alone.
    """
    places = arcs.places()
    arcs.take(*_pairs(memory, places), is_first=True)
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


@dataclass(frozen=True, slots=True)
class _Single:
    """An object's references beyond its handles; ``None``: no counts lie there."""

    inner: int
    weak: int
    in_flight: int
    moving: bool
    outers: dict[int, int]


class _Known:
    """Counts of objects whose handles stayed, by address."""

    def __init__(self) -> None:
        self._singles: dict[int, _Single | None] = {}

    def objects(self) -> Addresses:
        """All of them."""
        return np.fromiter(self._singles, np.uint64, len(self._singles))

    def learn(self, arcs: _Arcs, before: Held, after: Held) -> None:
        """Take the counts read between two searches, of objects with the same handles in both."""
        stood = _stood(arcs.objects, before, after)
        are_counts = arcs.are_counts()
        handles, pointing, around = _known_references(arcs, before)
        own = arcs.least[len(arcs.outers) :] - handles - around
        beyond = (arcs.least[: len(arcs.outers)] - pointing).tolist()
        outers: dict[int, dict[int, int]] = {}
        for owner, outer, count in zip(
            arcs.owners.tolist(), arcs.outers.tolist(), beyond, strict=True
        ):
            outers.setdefault(owner, {})[outer] = count
        above = arcs.last - arcs.total
        columns = (arcs.objects, own, arcs.weak, above, arcs.moving, are_counts)
        for line, (address, inner, weak, in_flight, moving, is_one) in enumerate(
            zip(*(each[stood].tolist() for each in columns), strict=True)
        ):
            found = outers.get(int(stood[line]), {})
            self._singles[address] = (
                _Single(inner, weak - 1, in_flight, moving, found) if is_one else None
            )

    def counts(self, held: Held) -> Counts:
        """The counts of the handles found last.

        Each is the references beyond the handles, plus the handles.
        """
        distinct, lines = np.unique(held.addresses, return_inverse=True)
        singles = [self._singles.get(address) for address in distinct.tolist()]
        is_none = np.array(
            [
                address in self._singles and self._singles[address] is None
                for address in distinct.tolist()
            ],
            np.bool_,
        )
        known = np.array([single is not None for single in singles], np.bool_)[lines]
        has_outer = held.outers != 0
        of_object = np.bincount(lines, ~has_outer, len(distinct)).astype(np.int64)
        arcs, first, arc_lines, pointing = np.unique(
            held.outers, return_index=True, return_inverse=True, return_counts=True
        )
        around = np.bincount(lines[first[arcs != 0]], minlength=len(distinct))
        inner, weak, in_flight, moving = (
            np.array([getattr(single, name) if single else 0 for single in singles], np.int64)
            for name in ("inner", "weak", "in_flight", "moving")
        )
        beyond = np.array(
            [
                single.outers.get(arc, 0) if (single := singles[line]) else 0
                for arc, line in zip(arcs.tolist(), lines[first].tolist(), strict=True)
            ],
            np.int64,
        )
        strong, outer = (inner + of_object + around)[lines], (beyond + pointing)[arc_lines]
        return Counts(
            np.where(is_none[lines], np.uint64(0), held.addresses),
            np.where(known, strong, UNKNOWN),
            np.where(known, weak[lines], UNKNOWN),
            np.where(known & has_outer, outer, UNKNOWN),
            np.where(known, in_flight[lines], UNKNOWN),
            known & (moving[lines] != 0),
        )


def _known_references(arcs: _Arcs, held: Held) -> tuple[Ints, Ints, Ints]:
    """Handles that hold each object, and handles that point into its outer ``Arc``s.

    The outer ``Arc``s around each object are counted too.
    """
    plain = held.addresses[(held.outers == 0) & np.isin(held.addresses, arcs.objects)]
    handles = np.bincount(np.searchsorted(arcs.objects, plain), minlength=len(arcs.objects))
    outer = held.outers[np.isin(held.outers, arcs.outers)]
    pointing = np.bincount(np.searchsorted(arcs.outers, outer), minlength=len(arcs.outers))
    return handles, pointing, np.bincount(arcs.owners, minlength=len(arcs.objects))


def _stood(objects: Addresses, before: Held, after: Held) -> Ints:
    """Lines of the objects that have the same handles in both."""
    first, second = (_signatures(objects, held) for held in (before, after))
    return np.flatnonzero(first == second)


def _signatures(objects: Addresses, held: Held) -> Addresses:
    """A number for the set of an object's handles: a sum over well-mixed numbers of each."""
    rows = np.flatnonzero(np.isin(held.addresses, objects))
    mixed = _mixed(held.places[rows] ^ _mixed(held.handles[rows]))
    sums = np.zeros(len(objects), np.uint64)
    np.add.at(sums, np.searchsorted(objects, held.addresses[rows]), mixed)
    return sums


def _mixed(numbers: Addresses) -> Addresses:
    """Splitmix64."""
    with np.errstate(over="ignore"):
        mixed = numbers + np.uint64(0x9E37_79B9_7F4A_7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    found: Addresses = mixed ^ (mixed >> np.uint64(31))
    return found
