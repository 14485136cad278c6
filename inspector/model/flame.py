"""Live objects by the place of their birth.

It is a tree of stack frames whose widths are handles, or bytes.

Counting rows is vectorised; the tree is built over the distinct pairs of site and type, of which
there are few. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from inspector.model.fields import COUNT_LIMIT
from inspector.model.filter import quoted
from inspector.model.snapshot import UNKNOWN, Ints, Snapshot
from inspector.model.stacks import Frame, Site
from inspector.model.states import alive
from inspector.source_places import starts_code

NOT_RECORDED: Final = "site not recorded"


class Weight(StrEnum):
    """The meaning of a width."""

    COUNT = "handles"
    BYTES = "bytes"
    """Of distinct objects, as far as the size of their type is known."""


@dataclass(frozen=True, slots=True)
class Flame:
    """One rectangle. ``left`` and ``width`` are shares of the whole, 0 to 1."""

    text: str
    depth: int
    left: float
    width: float
    value: int
    """Handles, or bytes, of everything above it."""
    parent: int
    """Index of the rectangle below; -1 for the root."""
    filter: str
    """Shows its rows in the table; ``""`` for the root."""
    where: str = ""
    """``/src/app.py:41``: of a frame, for its colour and tooltip."""
    is_type: bool = False


@dataclass(frozen=True, slots=True)
class FlameGraph:
    """All rectangles, each after the one below it; the root is the first."""

    flames: tuple[Flame, ...]
    weight: Weight
    depth: int
    """Level of the highest rectangle."""
    unrecorded: int = 0
    """Live handles whose site was not recorded."""
    unsized: int = 0
    """Live objects whose size is not known; by bytes they are left out."""

    @property
    def total(self) -> int:
        """Handles, or bytes, of everything."""
        return self.flames[0].value


@dataclass(slots=True)
class _Node:
    """A frame in the making."""

    text: str
    filter: str = ""
    where: str = ""
    is_type: bool = False
    value: int = 0
    inner: dict[str, _Node] = field(default_factory=dict)


def build_flames(snapshot: Snapshot, weight: Weight = Weight.COUNT) -> FlameGraph:
    """The graph of the live objects of a snapshot, outermost frames first, types at the tips."""
    handles = snapshot.handles
    rows = np.flatnonzero(alive(handles))
    unsized = 0
    weights = np.ones(len(rows), dtype=np.int64)
    if weight is Weight.BYTES:
        rows = rows[_first_of_object(handles.addresses[rows])]
        weights = _sizes(snapshot)[handles.types[rows]]
        unsized = int(np.count_nonzero(weights == UNKNOWN))
        weights = np.maximum(weights, 0)
    root = _Node("everything that lives")
    sites, types = handles.created_sites[rows], handles.types[rows]
    span = int(types.max(initial=0)) + 1
    pairs, inverse = np.unique(sites * span + types, return_inverse=True)
    totals = np.bincount(inverse, weights=weights, minlength=len(pairs)).astype(np.int64)
    for pair, value in zip(pairs.tolist(), totals.tolist(), strict=True):
        _add(root, snapshot, snapshot.sites.get(pair // span), pair % span, value)
    flames = _laid_out(root)
    return FlameGraph(
        flames=tuple(flames),
        weight=weight,
        depth=max(flame.depth for flame in flames),
        unrecorded=int(np.count_nonzero(~np.isin(sites, list(snapshot.sites)))),
        unsized=unsized,
    )


def _first_of_object(addresses: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> Ints:
    """One row of each object; rows without an address are objects of their own."""
    _, first = np.unique(addresses, return_index=True)
    return np.union1d(first, np.flatnonzero(addresses == 0)).astype(np.int64)


def _sizes(snapshot: Snapshot) -> Ints:
    """Bytes of a value of each type, by index.

    ``UNKNOWN`` where they are not known, or are none that there may be.
    """
    sizes = np.full(
        max((*snapshot.types, int(snapshot.handles.types.max(initial=0)))) + 1,
        UNKNOWN,
        dtype=np.int64,
    )
    for index, row in snapshot.types.items():
        sizes[index] = row.size_bytes if row.size_bytes <= COUNT_LIMIT else UNKNOWN
    return sizes


def _outermost_first(frames: Sequence[Frame]) -> Sequence[Frame]:
    """The stack from outside inwards, without the frames that only start a thread or program.

    The innermost frame always stays.
    """
    outer = len(frames)
    while outer > 1 and starts_code(frames[outer - 1].file):
        outer -= 1
    return frames[:outer][::-1]


def _add(root: _Node, snapshot: Snapshot, site: Site | None, type_index: int, value: int) -> None:
    """Count one pair of site and type along its stack."""
    known = snapshot.types.get(type_index)
    name = known.name if known else f"type {type_index}"
    root.value += value
    node = root
    frames = _outermost_first(site.frames) if site is not None else ()
    if not frames:
        node = node.inner.setdefault(NOT_RECORDED, _Node(NOT_RECORDED))
        node.value += value
    for frame in frames:
        text = frame.short()
        node = node.inner.setdefault(
            text, _Node(text, filter=f"site:{quoted(text)}", where=frame.place())
        )
        node.value += value
    place = f" site:{quoted(site.short())}" if site is not None and frames else ""
    tip = node.inner.setdefault(
        f"\0{name}", _Node(name, filter=f"type:{quoted(name)}{place}", is_type=True)
    )
    tip.value += value


def _laid_out(root: _Node) -> list[Flame]:
    """Rectangles, each after its parent; siblings by size, the largest on the left."""
    total = max(root.value, 1)
    flames: list[Flame] = []
    waiting: list[tuple[_Node, int, float, int]] = [(root, 0, 0.0, -1)]
    while waiting:
        node, depth, left, parent = waiting.pop()
        index = len(flames)
        flames.append(
            Flame(
                node.text,
                depth,
                left,
                node.value / total,
                node.value,
                parent,
                node.filter,
                node.where,
                node.is_type,
            )
        )
        for inner in sorted(node.inner.values(), key=lambda each: (-each.value, each.text)):
            waiting.append((inner, depth + 1, left, index))
            left += inner.value / total
    return flames
