"""The growth of memory beside the growth of live objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import span
from inspector.model.findings.trend import ENOUGH_SECS, Trend
from inspector.model.limits import MEMORY
from inspector.model.wording import plural

KEY: Final = "memory-growth"
SMALL_MIB: Final = 8
"""Less growth says nothing: an allocator takes memory in pieces."""
KIB_PER_MIB: Final = 1024
OTHERS: Final = "the growth is an allocator's, or of objects that are not followed"


@dataclass(frozen=True, slots=True)
class MemoryGrowth:
    """Compares the memory of the process with its live objects. Accuses nothing."""

    key: str = KEY
    title: str = "Live objects or allocator"
    about: str = (
        "Memory that grows while no live object does belongs to an allocator, a cache, or to"
        " objects that are not followed"
    )
    min_span_secs: float = ENOUGH_SECS

    def check(self, facts: Facts) -> list[Finding]:
        """One finding that names both, or why it cannot."""
        trend = facts.trend
        used = _used(trend)
        if not used:
            return [Finding(self.key, Verdict.UNMEASURED, "The memory was not recorded")]
        if trend.span_secs < self.min_span_secs or not trend.covers_all_stretches():
            return [Finding(self.key, Verdict.YOUNG, "Too young for a comparison")]
        grew, objects = used[-1] - used[0], _grown_objects(trend)
        over = f"in {span(trend.span_secs)}"
        if grew < SMALL_MIB:
            text = f"Memory grew by less than {SMALL_MIB} MiB {over}"
            return [Finding(self.key, Verdict.OK, text)]
        if objects <= 0:
            text = f"Memory grew by {grew:,} MiB {over} and no number of live objects: {OTHERS}"
            return [Finding(self.key, Verdict.UNMEASURED, text, evidence=_evidence(used))]
        each = grew * KIB_PER_MIB / objects
        text = (
            f"Memory grew by {grew:,} MiB {over}, and {plural(objects, 'live object')} more: "
            f"{each:,.1f} KiB for each"
        )
        return [Finding(self.key, Verdict.OK, text, evidence=_evidence(used))]


def _used(trend: Trend) -> list[int]:
    """MiB of memory at each observation that has it."""
    return [
        limit.used for each in trend.observations for limit in each.limits if limit.name == MEMORY
    ]


def _grown_objects(trend: Trend) -> int:
    """Live handles of all types: the newest number less the first."""
    first, newest = trend.observations[0], trend.observations[-1]
    return int(newest.live.sum()) - int(first.live.sum())


def _evidence(used: list[int]) -> tuple[str, ...]:
    return (f"Memory of its own: {used[0]:,} → {used[-1]:,} MiB",)
