"""Cycles across the boundary, which no garbage collector takes apart."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import ids_filter
from inspector.model.holders import Cycle, CycleNode
from inspector.model.wording import plural

SHOWN_HANDLES: Final = 4
_PLACE: Final = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class NativeCycles:
    """Tells the cycles that a search found, one finding for cycles that are alike."""

    key: str = "native-cycle"
    title: str = "Cycles through native objects"
    about: str = (
        "Python objects and native objects hold each other. The garbage collector does not know "
        "the reference that native code holds, so it never frees them."
        " Clear the named reference, or make it weak"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """A finding for each kind of cycle, the most frequent first."""
        if facts.cycles is None:
            return [Finding(self.key, Verdict.UNMEASURED, "No cycle was looked for")]
        alike: dict[tuple[str, ...], list[Cycle]] = defaultdict(list)
        for cycle in facts.cycles.cycles:
            alike[cycle.kind()].append(cycle)
        found = [self._finding(each) for each in sorted(alike.values(), key=len, reverse=True)]
        if found:
            return found
        looked_at = plural(facts.cycles.looked_at, "object was", "objects were")
        verdict = Verdict.UNMEASURED if facts.cycles.is_cut else Verdict.OK
        return [Finding(self.key, verdict, f"No cycle was found; {looked_at} looked at")]

    def _finding(self, cycles: list[Cycle]) -> Finding:
        first = cycles[0]
        through = " and ".join(dict.fromkeys(_plain(each.text) for each in _native(first)))
        cut = f": cut {_plain(first.cut)}" if first.cut else ""
        unknown = "" if first.is_exact else ", which the collector does not know"
        rows = tuple(node.handle for cycle in cycles for node in _native(cycle) if node.handle)
        way = " → ".join(f"{_plain(node.text)} ({_plain(node.edge)})" for node in first.nodes)
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{plural(len(cycles), 'cycle')} through {through}{unknown}{cut}",
            subject=f"{through}{cut}",
            evidence=(way, *_doubt(first)),
            filter=ids_filter(rows[:SHOWN_HANDLES]),
            handles=rows[:SHOWN_HANDLES],
        )


def _native(cycle: Cycle) -> list[CycleNode]:
    return [node for node in cycle.nodes if node.side == "native"]


def _plain(text: str) -> str:
    """Without addresses."""
    return _PLACE.sub("", text)


def _doubt(cycle: Cycle) -> tuple[str, ...]:
    """How the edges are known that no object told itself."""
    if cycle.is_exact:
        return ()
    return ("≈ Edges of native objects were found by reading memory: nothing was dropped",)
