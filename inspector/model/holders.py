"""Holders of an object in a target's answer.

They are paths from Python's roots, named native references, and cycles.

Pure; any thread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

_NUMBERS: Final = re.compile(r" at 0x[0-9a-f]+|\d+")


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a path from a root down to an object.

    It is the holder of the next step, and how it holds.
    """

    kind: str
    """``global``, ``class``, ``local``, ``context``, ``exit`` and ``native`` are roots;
    ``attribute``, ``item``, ``closure``, ``suspended``, ``other`` lead on."""
    text: str
    file: str = ""
    line: int = 0
    """0: it has none."""


@dataclass(frozen=True, slots=True)
class RetainerPath:
    """Why one holder of a proxy lives."""

    steps: tuple[PathStep, ...]
    """From the root down; the last one holds the proxy."""
    is_rooted: bool
    """Otherwise no root was found: it is garbage that nothing collected yet, or something holds it
    that Python cannot see."""


@dataclass(frozen=True, slots=True)
class Retainers:
    """The holders of a proxy, shortest path first."""

    paths: tuple[RetainerPath, ...]
    holders: int
    """Direct holders that were found; more than there are paths when some are not told."""
    looked_at: int
    is_cut: bool
    """The search ended at its limit."""
    longest_step_secs: float
    """The longest time that the interpreter was held."""
    references: int = -1
    """References on the proxy, the tool's own left out; -1: unknown."""
    known_references: int = -1
    """Those of objects that the collector knows and of running functions; -1: unknown."""
    hides_referents: str = ""
    """The proxy's class, or one above it, that does not tell the collector what its instances hold;
    ``""``: none."""

    def notes(self) -> tuple[str, ...]:
        """Blind spots of the collector about it, in sentences without a full stop."""
        return (*self._unseen(), *_hidden([self.hides_referents] if self.hides_referents else []))

    def _unseen(self) -> tuple[str, ...]:
        if self.known_references >= self.references:
            return ()
        known = (
            f"{self.known_references} of {self.references} "
            f"{'references are' if self.references != 1 else 'reference is'} known to Python"
        )
        return (f"{known}; the rest is held by code that the collector does not see",)


def _hidden(kinds: Sequence[str]) -> tuple[str, ...]:
    """Consequences of classes that do not report their instances' references."""
    return tuple(
        (
            f"{kind} lacks support of the collector: references that it holds are not seen, and a "
            "cycle through it is never freed"
        )
        for kind in kinds
    )


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """How far a search is."""

    looked_at: int
    found: int


@dataclass(frozen=True, slots=True)
class NamedHolder:
    """References of one name on an object."""

    label: str
    """The field, or the name that native code gave."""
    count: int
    type: str = ""
    """Type of the object whose field it is; ``""``: the reference belongs to no object."""
    address: int = 0
    """That object's allocation."""
    is_exact: bool = True
    """The object said so; otherwise a scan of its memory found it."""
    handle: int = 0
    """The row that stands for the reference itself, such as a pending call's; 0: it has none."""
    since: float = float("nan")
    """When that row was born, as in the snapshot."""

    def text(self) -> str:
        """``TodoList.items``, ``pending call Client.relays``, or ``“recent items”``.

        Also ``≈ Wallet, 2 pointers away``.
        """
        if self.handle:
            return self.label
        if not self.is_exact:
            return f"≈ {self.type}, {self.label}"
        return f"{self.type}.{self.label}" if self.type else f"“{self.label}”"


@dataclass(frozen=True, slots=True)
class NativeHolders:
    """The native references on an object that have a name."""

    named: tuple[NamedHolder, ...]
    unread: int = 0
    """Objects that could not be asked, because another thread was changing them."""
    unnamed: int = 0
    """More fields than are told, counted."""

    def beside(self, keepers: tuple[NamedHolder, ...]) -> NativeHolders:
        """These, after the ``keepers`` that the table shows."""
        return replace(self, named=(*keepers, *self.named))

    def total(self) -> int:
        """References with a name."""
        return sum(holder.count for holder in self.named) + self.unnamed


@dataclass(frozen=True, slots=True)
class CycleNode:
    """A node of a cycle, and the edge to the next node; the last node's leads to the first."""

    side: str
    """``python`` or ``native``."""
    text: str
    edge: str
    handle: int = 0
    """0: it has none."""
    file: str = ""
    line: int = 0
    is_exact: bool = True
    """The edge was told by the object itself; otherwise found by reading its memory."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle across the boundary, which no garbage collector takes apart."""

    nodes: tuple[CycleNode, ...]
    cut: str
    """The edge to cut: ``attribute items of app.Watcher at 0x…``; ``""``: none can be told."""
    is_exact: bool

    def kind(self) -> tuple[str, ...]:
        """The common part of cycles that are alike: their nodes and edges without numbers."""
        return tuple(
            _NUMBERS.sub("", f"{node.side} {node.text} {node.edge}") for node in self.nodes
        )

    def cut_index(self) -> int:
        """The node whose edge is to be cut; -1: none."""
        return next(
            (
                index
                for index, node in enumerate(self.nodes)
                if node.side == "python" and node.edge == self.cut
            ),
            -1,
        )


@dataclass(frozen=True, slots=True)
class CycleReport:
    """The cycles that were found, shortest first."""

    cycles: tuple[Cycle, ...]
    count: int
    """More than ``cycles`` when some are not told."""
    looked_at: int
    is_cut: bool
    hidden_kinds: tuple[str, ...] = ()
    """Followed classes that do not tell the collector what their instances hold."""

    def notes(self) -> tuple[str, ...]:
        """Blind spots of the search, in sentences without a full stop."""
        return _hidden(self.hidden_kinds)
