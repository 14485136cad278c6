"""Counts of ``Arc``s in another process, read several times so that what calls add for a moment is told apart. One thread."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import Addresses, OutsideMemory
from inspector.attach.outside.seen import UNKNOWN
from inspector.wire.uniffi import MOST_STRONG, MOST_WEAK, SMALL

Ints = npt.NDArray[np.int64]

LOOKS: Final = 12
PAUSE_SECS: Final = 0.0005
"""Between two looks: a call is over sooner, and so is a thread's turn with the interpreter's lock."""
PAIR_BYTES: Final = 16
LOCKED: Final = (1 << 64) - 1
"""The weak count while ``Arc::get_mut`` looks at it."""


def object_counts(memory: OutsideMemory, handles: Addresses) -> tuple[Addresses, Ints, Ints, Ints]:
    """Of objects right behind their counts: allocation, resting strong, weak, and calls in flight. Unlikely ones are unknown, address 0."""
    headers = handles - np.uint64(SMALL)
    strong, weak, last = _least(memory, headers)
    is_known = (strong > 0) & (strong <= MOST_STRONG) & (weak > 0) & (weak <= MOST_WEAK) & (handles % np.uint64(8) == 0)
    return (
        np.where(is_known, headers, np.uint64(0)),
        np.where(is_known, strong, UNKNOWN),
        np.where(is_known, weak - 1, UNKNOWN),
        np.where(is_known, last - strong, UNKNOWN),
    )


def trait_counts(memory: OutsideMemory, handles: Addresses, *, is_counted: bool) -> tuple[Addresses, Ints, Ints, Ints]:
    """Of traits: the handle leads to a pair {inner ``Arc``, vtable}, which an outer ``Arc`` counts or a box holds."""
    inner = memory.words(handles)
    strong, weak, last = _least(memory, inner)
    is_known = (inner != 0) & (inner % np.uint64(8) == 0) & (strong > 0) & (strong <= MOST_STRONG) & (weak > 0) & (weak <= MOST_WEAK)
    outer = np.ones(len(handles), np.int64)
    outer_last = outer
    if is_counted:
        outer, _, outer_last = _least(memory, handles - np.uint64(SMALL))
        is_known &= (outer > 0) & (outer <= MOST_STRONG)
    total, total_last = strong + outer - 1, last + outer_last - 1
    return (
        np.where(is_known, inner, np.uint64(0)),
        np.where(is_known, total, UNKNOWN),
        np.where(is_known, weak - 1, UNKNOWN),
        np.where(is_known, total_last - total, UNKNOWN),
    )


def _least(memory: OutsideMemory, headers: Addresses) -> tuple[Ints, Ints, Ints]:
    """The least strong count of some looks, the weak count seen with it, and the last strong count; 0 where nothing can be read."""
    least, with_it, last = np.full(len(headers), np.iinfo(np.int64).max), np.zeros(len(headers), np.int64), np.zeros(len(headers), np.int64)
    for look in range(LOOKS if len(headers) else 0):
        if look:
            time.sleep(PAUSE_SECS)
        pairs = memory.gather(headers, PAIR_BYTES)
        weak_words = pairs.words(8)
        strong = np.where(pairs.readable, np.minimum(pairs.words(0), np.uint64(1 << 62)).astype(np.int64), 0)
        weak = np.where(weak_words == np.uint64(LOCKED), 1, np.minimum(weak_words, np.uint64(1 << 62)).astype(np.int64))
        is_less = strong < least
        least, with_it, last = np.where(is_less, strong, least), np.where(is_less, weak, with_it), strong
    return (least if len(headers) else last), with_it, last
