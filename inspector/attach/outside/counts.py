"""Counts of ``Arc``s in another process, of the same moment as the handles on them. One thread.

The process runs on. So its handles are searched for, the counts are read several times, and the
handles are searched for again. The least of the counts read is the count without calls.

An object may change and be as before when the second search comes to it. So an object that was seen
to change, or that has fewer references than handles, is read once more in this way. Its numbers are
believed if both readings agree, and unknown otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from inspector.attach.outside.arcs import Arcs, Ints, have_changed, read
from inspector.attach.outside.memory import Addresses, Flags, OutsideMemory
from inspector.attach.outside.seen import UNKNOWN

ROUNDS: Final = 3
"""Readings (a search, counts, a search) at most, as long as the numbers of some objects are
unknown."""


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


def handles_with_counts(
    memory: OutsideMemory, search: Callable[[], Held], *, ending: Collection[int] = ()
) -> tuple[Held, Counts]:
    """The handles that ``search`` finds, and the counts of their objects.

    The counts of objects that get and lose handles too fast for a look are ``UNKNOWN``. ``ending``:
    places of the proxies whose finalisers run. A finaliser may have released its reference before
    it ends, so a reference that such an object lacks is not known to be missing.
    """
    held = search()
    known = _Known(held)
    for _ in range(ROUNDS if len(held.places) else 0):
        arcs = _arcs_of(held, known)
        read(memory, arcs)
        before, held = held, search()
        known.learn(arcs, before, held, have_changed(memory, arcs))
        if not len(_arcs_of(held, known).objects):
            break
    known.doubt(held.addresses[np.isin(held.places, np.array([*ending], np.uint64))].tolist())
    return held, known.counts(held)


def _arcs_of(held: Held, known: _Known) -> Arcs:
    """The ``Arc``s of the objects of which nothing is known."""
    objects = np.setdiff1d(held.addresses[held.addresses != 0], known.objects())
    rows = np.flatnonzero((held.outers != 0) & np.isin(held.addresses, objects))
    outers, first = np.unique(held.outers[rows], return_index=True)
    return Arcs(objects, outers, np.searchsorted(objects, held.addresses[rows][first]))


@dataclass(frozen=True, slots=True)
class _Single:
    """An object's references beyond its handles; two are equal if these are."""

    inner: int
    weak: int
    outers: dict[int, int]
    in_flight: int = field(compare=False)
    moving: bool = field(compare=False)

    @property
    def are_missing(self) -> bool:
        """Whether there are fewer references than handles."""
        return min(self.inner, *self.outers.values(), 0) < 0


class _Known:
    """Counts of objects whose handles stayed, by address."""

    def __init__(self, held: Held) -> None:
        """``held``: the first search."""
        self._singles: dict[int, _Single | None] = {}
        self._once: dict[int, _Single | None] = {}
        """Numbers of the reading before, which the next has to confirm."""
        self._resting = set(held.addresses.tolist())
        """Objects that no reading saw change."""

    def objects(self) -> Addresses:
        """All of them."""
        return np.fromiter(self._singles, np.uint64, len(self._singles))

    def learn(self, arcs: Arcs, before: Held, after: Held, changed: Flags) -> None:
        """Take the counts read between two searches, of objects with the same handles in both.

        ``changed``: the objects whose counts were others after the second search.
        """
        stood = _stood(arcs.objects, before, after)
        singles = _singles_of(arcs, before)
        once, self._once = self._once, {}
        self._resting.difference_update(arcs.objects[changed | arcs.moving].tolist())
        for line in np.flatnonzero(stood).tolist():
            address, single = int(arcs.objects[line]), singles[line]
            is_certain = address in self._resting and not (single and single.are_missing)
            if is_certain or (address in once and once[address] == single):
                self._singles[address] = single
            else:
                self._once[address] = single
        self._resting.difference_update(arcs.objects[~stood].tolist(), self._once)

    def doubt(self, objects: Iterable[int]) -> None:
        """Forget the numbers of these objects where references are missing."""
        for address in objects:
            single = self._singles.get(address)
            if single is not None and single.are_missing:
                del self._singles[address]

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


def _singles_of(arcs: Arcs, held: Held) -> list[_Single | None]:
    """The references beyond these handles of each object; ``None``: no counts lie there."""
    handles, pointing, around = _known_references(arcs, held)
    own = arcs.least[len(arcs.outers) :] - handles - around
    beyond = arcs.least[: len(arcs.outers)] - pointing
    outers: list[dict[int, int]] = [{} for _ in arcs.objects]
    for owner, outer, count in zip(
        *(each.tolist() for each in (arcs.owners, arcs.outers, beyond)), strict=True
    ):
        outers[owner][outer] = count
    columns = (own, arcs.weak - 1, arcs.last - arcs.total, arcs.moving, arcs.are_counts())
    return [
        _Single(inner, weak, around, in_flight, moving) if is_one else None
        for around, inner, weak, in_flight, moving, is_one in zip(
            outers, *(each.tolist() for each in columns), strict=True
        )
    ]


def _known_references(arcs: Arcs, held: Held) -> tuple[Ints, Ints, Ints]:
    """Handles that hold each object, and handles that point into its outer ``Arc``s.

    The outer ``Arc``s around each object are counted too.
    """
    plain = held.addresses[(held.outers == 0) & np.isin(held.addresses, arcs.objects)]
    handles = np.bincount(np.searchsorted(arcs.objects, plain), minlength=len(arcs.objects))
    outer = held.outers[np.isin(held.outers, arcs.outers)]
    pointing = np.bincount(np.searchsorted(arcs.outers, outer), minlength=len(arcs.outers))
    return handles, pointing, np.bincount(arcs.owners, minlength=len(arcs.objects))


def _stood(objects: Addresses, before: Held, after: Held) -> Flags:
    """The objects that have the same handles in both."""
    first, second = (_signatures(objects, held) for held in (before, after))
    stood: Flags = first == second
    return stood


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
