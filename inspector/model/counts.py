"""The count equation's terms that a viewer computes: proxies, native references, calls in flight, and the strong count of traits.

    strong = proxies + native references                      (at rest)
           = inner + the sum of (outer - 1)                   (of a trait, over the outer ``Arc``s of its handles)

Each outer ``Arc`` holds one reference of the object's own, the inner one, so its first reference is counted there already.

Rows with one heap address are handles of one object. Pure numpy; any thread; 100,000 rows take a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import UNKNOWN, Codes, Ids, Ints, Reference

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Objects:
    """Which object each row stands for."""

    groups: Ints
    """Number of the object, ``UNKNOWN`` for rows without an address and for tombstones."""
    count: int
    """Objects."""

    def spread(self, per_row: Ints) -> Ints:
        """Sum ``per_row`` over the rows of each object and give every row its object's sum; ``UNKNOWN`` without an object."""
        known = self.groups >= 0
        sums = np.bincount(self.groups[known], weights=per_row[known], minlength=self.count).astype(np.int64)
        result = np.full(len(per_row), UNKNOWN, dtype=np.int64)
        result[known] = sums[self.groups[known]]
        return result


def is_live(references: Codes) -> Flags:
    """Rows that are not tombstones."""
    live: Flags = (references == Reference.LIVE) | (references == Reference.RELEASE_REQUESTED)
    return live


def objects_of(addresses: Ids, live: Flags) -> Objects:
    """Group the live rows by address. A dead row's address may belong to another object by now: it is in no group."""
    grouped = live & (addresses != 0)
    groups = np.full(len(addresses), UNKNOWN, dtype=np.int64)
    distinct, inverse = np.unique(addresses[grouped], return_inverse=True)
    groups[grouped] = inverse
    return Objects(groups, len(distinct))


def proxies_of(objects: Objects, handles: Flags) -> Ints:
    """Live handles of each row's object. ``handles`` marks the rows that are one: live, and no call."""
    return objects.spread(handles.astype(np.int64))


def native_refs_of(strong: Ints, proxies: Ints) -> Ints:
    """``strong - proxies`` where both are known, else ``UNKNOWN``.

    A negative result is a double free to come. What tells -1 from ``UNKNOWN`` is ``strong``: the one is unknown when the other is.
    """
    known = (strong != UNKNOWN) & (proxies != UNKNOWN)
    return np.where(known, strong - proxies, UNKNOWN)


def outers_of(outer: Ints, data: Ids) -> Ints:
    """What the outer ``Arc`` of each row counts; ``UNKNOWN`` without one. ``data`` tells them apart.

    Rows that share one were sampled one by one. The most is the newest: what fell is seen at once, what rose only by and by.
    """
    known = np.flatnonzero(outer != UNKNOWN)
    numbers, place = np.unique(data[known], return_inverse=True)
    most = np.full(len(numbers), UNKNOWN, dtype=np.int64)
    np.maximum.at(most, place, outer[known])
    shared = outer.copy()
    shared[known] = most[place]
    return shared


def strong_of_traits(objects: Objects, inner: Ints, outer: Ints, data: Ids) -> Ints:
    """All references that keep each row's object: the inner count, and what the outer ``Arc`` of each of its handles counts beyond one.

    ``UNKNOWN`` where one of the row's own two counts is. A handle that nobody has sampled so far adds nothing to those of the others.
    """
    known = np.flatnonzero(outer != UNKNOWN)
    _, first = np.unique(data[known], return_index=True)
    beyond = np.zeros(len(outer), dtype=np.int64)
    beyond[known[first]] = outer[known[first]] - 1
    return np.where((inner != UNKNOWN) & (outer != UNKNOWN), inner + objects.spread(beyond), UNKNOWN)


def pins_by_row(ids: Ids, calls: Ids) -> Ints:
    """How many of ``calls`` (handles that threads use now) name each row. Calls of rows that are not listed are left out."""
    pins = np.zeros(len(ids), dtype=np.int64)
    wanted = calls[calls != 0]
    if len(wanted) == 0 or len(ids) == 0:
        return pins
    slots = (ids & np.uint64(0xFFFF_FFFF)) >> np.uint64(1)
    at = np.searchsorted(slots, (wanted & np.uint64(0xFFFF_FFFF)) >> np.uint64(1))
    at[at == len(ids)] = 0
    found = at[ids[at] >> np.uint64(1) == wanted >> np.uint64(1)]
    np.add.at(pins, found, 1)
    return pins


def in_flight_of(objects: Objects, pins: Ints, sampled: Ints, exact: Flags) -> Ints:
    """Calls that use each row's object now: what the threads say, and what sampling says for kinds that clone for a call.

    ``exact`` marks rows whose kind shows each call in its thread's record. Elsewhere unsampled rows stay ``UNKNOWN``.
    """
    pinned = objects.spread(pins)
    pinned = np.where(pinned == UNKNOWN, pins, pinned)
    most = np.maximum(pinned, sampled)
    return np.where(exact | (most > 0) | (sampled != UNKNOWN), most, UNKNOWN)
