"""The objects and counts that a what-if drop would lower, in terms of Rust and Python.

A number that falls is a Python object's count if an object is there; otherwise the strong count of
an ``Arc`` or ``Rc`` if it is the first word of an allocation. One thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.attach.outside.surroundings import Around, Surroundings
from inspector.attach.outside.whatif import Drop, EffectKind

MOST_STRONG: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class ReleasedObject:
    """A Python object on which references would be released."""

    address: int
    kind: str
    """Its class, with the module."""
    references: int
    ends: bool
    """It would end."""


@dataclass(frozen=True, slots=True)
class ReleasedArc:
    """An ``Arc`` or ``Rc`` on which a reference would be released."""

    address: int
    strong: int
    """Before the drop."""
    weak: int
    """Without the reference that all strong references share; -1: unknown."""
    is_atomic: bool
    """An ``Arc``; otherwise an ``Rc``."""


@dataclass(frozen=True, slots=True)
class Released:
    """The effects of one drop."""

    object: int
    python: tuple[ReleasedObject, ...]
    arcs: tuple[ReleasedArc, ...]
    allocations: int
    """Blocks of memory that would be given back."""
    stopped: str
    """Why the destructor was not followed to its end; ``""``: it was."""


def released_by(drop: Drop, around: Surroundings) -> Released:
    """The effects of a drop, judged by the memory around each."""
    python, arcs = [], []
    ended = set(drop.of(EffectKind.ENDS)["address"].tolist())
    freed = set(drop.of(EffectKind.FREED)["address"].tolist())
    own_class = around.type_at(drop.object)
    for effect in drop.of(EffectKind.ATOMIC, EffectKind.PLAIN):
        place, before, after = (int(effect[name]) for name in ("address", "before", "after"))
        is_atomic = int(effect["kind"]) == EffectKind.ATOMIC
        kind = None if is_atomic else around.object_at(place)
        if kind is not None:
            if place != own_class:
                ends = place in ended
                python.append(ReleasedObject(place, kind.name, before - after, ends))
        elif _is_count(place, before, after, is_atomic, freed, around):
            weak = around.word(place + 8)
            arcs.append(ReleasedArc(place, before, _weak(weak, before, after), is_atomic))
    return Released(drop.object, tuple(python), tuple(arcs), len(freed), drop.stopped)


def _is_count(
    place: int, before: int, after: int, is_atomic: bool, freed: set[int], around: Surroundings
) -> bool:
    """Whether a number is the strong count at the head of an allocation of its own."""
    if before - after != 1 or not 0 < before < MOST_STRONG:
        return False
    if place in freed:
        return True
    found = around.of(place)
    if found.kind is Around.STATIC:
        return False
    is_head = found.kind is Around.ALLOCATION and found.start == place
    return is_head or (is_atomic and found.kind is Around.UNKNOWN)


def _weak(word: int, _before: int, _after: int) -> int:
    """The weak count of an ``Arc``, whose strong references share one."""
    return word - 1 if 0 < word < MOST_STRONG else -1
