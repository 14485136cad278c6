"""Counts of ``Arc``s in another process, read several times so that what calls add for a moment is told apart. One thread."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import WORD_BYTES, Addresses, Flags, OutsideMemory
from inspector.attach.outside.seen import UNKNOWN
from inspector.wire.uniffi import MOST_STRONG, MOST_WEAK, SMALL

Ints = npt.NDArray[np.int64]

LOOKS: Final = 12
BURSTS: Final = 160
BURST: Final = 128
"""Looks at one count that moves: with calls on eight threads it is at rest in one of some hundreds."""
MOST_MOVING: Final = 64
"""Counts that are looked at so often; the others keep the least of ``LOOKS``."""
PAUSE_SECS: Final = 0.0005
"""Between two looks: a call is over sooner, and so is a thread's turn with the interpreter's lock."""
PAIR_BYTES: Final = 16
LOCKED: Final = (1 << 64) - 1
"""The weak count while ``Arc::get_mut`` looks at it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What could be read of some objects, one element each."""

    addresses: Addresses
    """Their allocation; 0: it cannot be told, and neither can the counts."""
    strong: Ints
    weak: Ints
    outer: Ints
    in_flight: Ints


def no_counts(addresses: Addresses) -> Counts:
    """Of things that have none."""
    unknown = np.full(len(addresses), UNKNOWN, np.int64)
    return Counts(addresses, unknown, unknown, unknown, unknown)


def object_counts(memory: OutsideMemory, handles: Addresses) -> Counts:
    """Of objects right behind their counts. What does not look like counts is unknown."""
    headers = handles - np.uint64(SMALL)
    strong, weak, last = _least(memory, headers)
    is_known = _are_counts(headers, strong, weak)
    return _known(is_known, headers, strong, weak, np.full(len(handles), UNKNOWN, np.int64), last - strong)


def trait_counts(memory: OutsideMemory, handles: Addresses, *, is_counted: bool) -> Counts:
    """Of traits: the handle leads to a pair {inner ``Arc``, vtable}, which an outer ``Arc`` counts or a box holds."""
    inner = memory.words(handles)
    if not is_counted:
        strong, weak, last = _least(memory, inner)
        no_outer = np.full(len(handles), UNKNOWN, np.int64)
        return _known(_are_counts(inner, strong, weak), inner, strong, weak, no_outer, last - strong)
    both, weak_words, last = _least(memory, np.concatenate([inner, handles - np.uint64(SMALL)]))
    strong, outer = both[: len(inner)], both[len(inner) :]
    above = last - both
    is_known = _are_counts(inner, strong, weak_words[: len(inner)]) & (outer > 0) & (outer <= MOST_STRONG)
    return _known(is_known, inner, strong, weak_words[: len(inner)], outer, above[: len(inner)] + above[len(inner) :])


def _are_counts(headers: Addresses, strong: Ints, weak: Ints) -> Flags:
    """Whether two words look like counts; not proof, but what stands elsewhere is seldom two small numbers."""
    is_place = (headers != 0) & (headers % np.uint64(WORD_BYTES) == 0)
    are: Flags = is_place & (strong > 0) & (strong <= MOST_STRONG) & (weak > 0) & (weak <= MOST_WEAK)
    return are


def _known(is_known: Flags, addresses: Addresses, strong: Ints, weak: Ints, outer: Ints, in_flight: Ints) -> Counts:
    """``weak`` as std keeps it: one for all strongs together."""
    return Counts(
        np.where(is_known, addresses, np.uint64(0)), *(np.where(is_known, each, UNKNOWN) for each in (strong, weak - 1, outer, in_flight))
    )


def _least(memory: OutsideMemory, headers: Addresses) -> tuple[Ints, Ints, Ints]:
    """The least strong count of some looks, the weak count seen with it, and the last strong count; 0 where nothing can be read."""
    least, with_it, last = _pairs(memory, headers)
    is_moving = np.zeros(len(headers), np.bool_)
    for _ in range(LOOKS if len(headers) else 0):
        time.sleep(PAUSE_SECS)
        strong, weak, _ = _pairs(memory, headers)
        is_moving |= strong != least
        least, with_it, last = np.minimum(least, strong), np.where(strong < least, weak, with_it), strong
    moving = np.flatnonzero(is_moving)[:MOST_MOVING]
    least[moving], with_it[moving] = _least_of_moving(memory, headers[moving], least[moving], with_it[moving])
    return least, with_it, last


def _least_of_moving(memory: OutsideMemory, headers: Addresses, least: Ints, with_it: Ints) -> tuple[Ints, Ints]:
    """Of counts that go up and down: calls of many threads rarely leave one alone for a moment."""
    places = np.repeat(headers, BURST)
    for _ in range(BURSTS if len(headers) else 0):
        strong, weak = (each.reshape(len(headers), BURST) for each in _pairs(memory, places)[:2])
        at = strong.argmin(axis=1)[:, None]
        lowest, beside = (np.take_along_axis(each, at, axis=1)[:, 0] for each in (strong, weak))
        least, with_it = np.minimum(least, lowest), np.where(lowest < least, beside, with_it)
        time.sleep(PAUSE_SECS)
    return least, with_it


def _pairs(memory: OutsideMemory, headers: Addresses) -> tuple[Ints, Ints, Ints]:
    """Strong and weak counts as they stand there now, and the strong ones again."""
    pairs = memory.gather(headers, PAIR_BYTES)
    strong, weak = (np.minimum(pairs.words(at), np.uint64(1 << 62)).astype(np.int64) for at in (0, WORD_BYTES))
    return strong, np.where(pairs.words(WORD_BYTES) == np.uint64(LOCKED), 1, weak), strong
