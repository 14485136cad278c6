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
    top: int = 0
    """The address of the last holder that was found, where there is no root; 0: unknown."""


@dataclass(frozen=True, slots=True)
class UnseenHolder:
    """A holder of which the collector tells nothing: the target's memory leads from it."""

    text: str
    """``rpds.HashTrieMap at 0x7f…``, ``static data of libfoo.so``."""
    address: int
    """The object, or the memory."""
    words: int
    """Words in it that lead to the object, or to memory on the way."""
    steps: int
    """Allocations of native code between it and the object."""
    is_certain: bool
    """Otherwise the words may be remains."""
    held: str = ""
    """The object that it holds, where that is a holder of the proxy; ``""``: the proxy itself."""

    def line(self) -> str:
        """The holder in one line; ``≈``: the words may be remains."""
        way = f", {self.steps:,} allocation{'s'[: self.steps != 1]} away" if self.steps else ""
        held = f", holds {self.held}" if self.held else ""
        return f"{'' if self.is_certain else '≈ '}{self.text}{way}{held}"


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
    address: int = 0
    """The proxy; 0: unknown."""
    unseen: tuple[UnseenHolder, ...] = ()
    """Holders that the collector does not tell, found in memory; certain holders first."""
    memory_note: str = ""
    """The extent of the search in memory, or why there was none; ``""``: none was needed."""

    @property
    def is_explained(self) -> bool:
        """Python's own answer is whole: every reference is known, and each path has its root."""
        is_known = self.known_references >= self.references
        return is_known and all(path.is_rooted for path in self.paths) and bool(self.paths)

    def notes(self) -> tuple[str, ...]:
        """Blind spots of the collector about it, in sentences without a full stop."""
        memory = (self.memory_note,) if self.memory_note else ()
        hidden = _hidden([self.hides_referents] if self.hides_referents else [])
        return (*self._unknown(), *memory, *hidden)

    def _unknown(self) -> tuple[str, ...]:
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
    edges_note: str = ""
    """How far the destructors told what such instances hold; ``""``: there was none to try."""

    def notes(self) -> tuple[str, ...]:
        """Blind spots of the search, in sentences without a full stop."""
        edges = (self.edges_note,) if self.edges_note else ()
        return (*edges, *_hidden(self.hidden_kinds))


def joined_reports(reports: Sequence[CycleReport]) -> CycleReport:
    """Several searches as one; a cycle that several found is listed once."""
    cycles = tuple(dict.fromkeys(cycle for report in reports for cycle in report.cycles))
    return CycleReport(
        cycles,
        len(cycles),
        sum(report.looked_at for report in reports),
        any(report.is_cut for report in reports),
        tuple(dict.fromkeys(kind for report in reports for kind in report.hidden_kinds)),
        next((report.edges_note for report in reports if report.edges_note), ""),
    )
