"""Mutations of bytes, columns and JSON, all from one seeded generator.

The same seed makes the same cases.
"""

from __future__ import annotations

import copy
import random
import struct
from typing import Any

from tests.helpers.screens import HOSTILE_TEXT

INTEGERS = (
    0,
    1,
    -1,
    255,
    65_535,
    65_536,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**53,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**70,
    -(2**63),
)
FLOATS = (
    0.0,
    -0.0,
    1e-300,
    1e18,
    2.4e11,
    -2.4e11,
    1e300,
    -1e300,
    float("inf"),
    float("-inf"),
    float("nan"),
)
TEXTS = (
    "",
    HOSTILE_TEXT,
    "x" * 10_000,
    "\ud800",
    "a\nb",
    "\x1b[2J",
    "<img src=x>",
    "\0",
    "9" * 5000,
)


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    """Some bits flipped, bytes cut off, doubled, moved, or numbers replaced by extremes."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if found:
            _mutate_once(found, rng)
    return bytes(found)


def _mutate_once(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    kind = rng.randrange(6)
    if kind == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        del data[at : at + rng.randrange(1, 64)]
    elif kind == 3:
        begin = rng.randrange(len(data))
        data[at:at] = data[begin : begin + rng.randrange(1, 256)]
    elif kind == 4:
        data[at] = rng.randrange(256)
    else:
        set_number(data, at, rng)


def set_number(data: bytearray, at: int, rng: random.Random) -> None:
    """An extreme number of some width, aligned."""
    width = rng.choice((1, 2, 4, 8))
    at -= at % width
    if at + width > len(data):
        return
    if width == 8 and rng.random() < 0.3:
        data[at : at + 8] = struct.pack("<d", rng.choice(FLOATS))
    else:
        data[at : at + width] = (rng.choice(INTEGERS) & (1 << 8 * width) - 1).to_bytes(
            width, "little"
        )


def mutate_numbers(data: bytes, rng: random.Random) -> bytes:
    """Extreme numbers in a few places; the length stays."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if found:
            set_number(found, rng.randrange(len(found)), rng)
    return bytes(found)


def mutate_json(value: Any, rng: random.Random) -> Any:
    """A copy with a few nodes replaced, left out or doubled."""
    found = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 2, 3))):
        holder, place = _any_node(found, rng)
        what = rng.randrange(8)
        if what == 0 and isinstance(holder, dict):
            del holder[place]
        elif what == 1 and isinstance(holder, list) and holder is not found:
            holder.append(copy.deepcopy(holder[place]))
        else:
            holder[place] = any_value(rng, near=holder[place])
    return found[0]


def _any_node(root: list[Any], rng: random.Random) -> tuple[Any, Any]:
    """A container and the key of one thing in it, anywhere below."""
    holder, place = root, 0
    while isinstance(holder[place], dict | list) and holder[place] and rng.random() < 0.85:
        holder = holder[place]
        place = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    return holder, place


def any_value(rng: random.Random, near: Any = None) -> Any:
    """Something extreme, often of the same kind."""
    kinds: tuple[tuple[Any, ...], ...] = (
        INTEGERS,
        FLOATS,
        TEXTS,
        (None, True, False, [], {}, [[]], [None] * 5),
    )
    for number, kind in enumerate((int, float, str)):
        if isinstance(near, kind) and not isinstance(near, bool) and rng.random() < 0.7:
            return rng.choice(kinds[number])
    if rng.random() < 0.03:
        return _nested(rng)
    return rng.choice(rng.choice(kinds))


def _nested(rng: random.Random) -> Any:
    nested: Any = []
    for _ in range(rng.choice((50, 150))):
        nested = [nested] if rng.random() < 0.5 else {"a": nested}
    return nested
