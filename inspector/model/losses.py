"""Losses and refusals in words, with their meaning for the numbers on screen.

Apart from the panes because vital signs, status line and dialog say the same. Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.snapshot import Lost

SAMPLER_SKIPS: Final = "sampler_skips"
OVERWRITTEN: Final = "overwritten_events"
"""History that was not read in time. All counts are right without it."""
_LOSSES: Final = {
    "untracked_handles": (
        "handles without a row",
        ("They work, but no table shows them, and live counts are short by as many as live"),
    ),
    "threads": ("threads without a record", "Their names and calls in flight are unknown"),
    "types": ("types without a name", "Their handles are listed without a type"),
    "sites": ("stacks without room", "Handles created there show no site"),
    "strings": ("names or lines without room", "Some names and sites are empty"),
    "events": (
        "events of threads without a ring",
        ("The history of handles used on these threads has holes"),
    ),
    "overwritten_events": (
        "events overwritten before they were read",
        (
            "Histories and balances of objects that were busy then have holes: each thread "
            "keeps its "
            "newest 4,096 events"
        ),
    ),
    "deep_calls": (
        "calls nested too deep to be recorded",
        ("Calls in flight may be short while they run"),
    ),
    "unreadable": (
        "counts that could not be read",
        ("The strong and weak counts of these rows were unknown at that moment"),
    ),
    "control_drops": (
        "requests refused or given up",
        ("A viewer asked for something that was not done"),
    ),
    "descriptors": (
        "descriptors of the agent that the program closed",
        "The agent opened new descriptors; connected viewers had to connect again",
    ),
    "panics": (
        "panics caught at the boundary",
        ("A native call failed; it was reported as an error to the caller"),
    ),
    "outside_doubtful": (
        "finds that could not be told from remains",
        ("They changed while they were read: a handle may be missing"),
    ),
    "outside_swapped_mib": (
        "MiB of memory in swap",
        ("They were left there: handles whose proxies lie in them are missing"),
    ),
    "outside_unread_mib": (
        "MiB of memory that could not be read",
        ("Handles whose proxies lie in them are missing"),
    ),
    "outside_left_out_mib": (
        "MiB of memory beyond the limit of one look",
        "Handles whose proxies lie in them are missing",
    ),
    "outside_hits": ("finds beyond the limit of one look", "Handles among them are missing"),
    "damaged_rows": (
        "rows that could not be understood",
        ("They are left out of the tables of this snapshot"),
    ),
}
_REFUSED: Final = {
    "misuse_zero": ("uses of the number 0", "It is never a handle"),
    "misuse_stale": (
        "uses after release",
        ("The handle had been released; its tombstone names the thread and the line"),
    ),
    "misuse_type": (
        "uses as another type",
        ("The handle names an object of a type that the call does not take"),
    ),
    "misuse_unknown": (
        "uses of a number that was never a handle",
        ("The number was made up or damaged"),
    ),
    "misuse_closed": ("uses of a closed resource", "It was closed before, or closed twice"),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter that is not zero."""

    count: int
    what: str
    """``handles without a row``."""
    meaning: str
    """A sentence without a full stop, or ``""``."""


def losses_of(lost: Lost) -> tuple[Counted, ...]:
    """Losses, the largest first."""
    return _counted(
        {
            name: n
            for name, n in lost.counts.items()
            if not name.startswith("misuse_") and name != SAMPLER_SKIPS
        },
        _LOSSES,
    )


def missing_of(lost: Lost) -> tuple[Counted, ...]:
    """Losses that make numbers on screen short, the largest first."""
    return losses_of(Lost({name: n for name, n in lost.counts.items() if name != OVERWRITTEN}))


def history_of(lost: Lost) -> tuple[Counted, ...]:
    """History that was overwritten before it was read: no count is short by it."""
    return losses_of(Lost({OVERWRITTEN: lost.counts.get(OVERWRITTEN, 0)}))


def missing_count(lost: Lost) -> int:
    """Everything lost but overwritten history."""
    return lost.total() - lost.counts.get(OVERWRITTEN, 0)


def refused_of(lost: Lost) -> tuple[Counted, ...]:
    """Refusals, the most frequent first."""
    return _counted(
        {name: n for name, n in lost.counts.items() if name.startswith("misuse_")}, _REFUSED
    )


def notes_of(lost: Lost) -> tuple[Counted, ...]:
    """Counters that are neither, but good to know."""
    skips = lost.counts.get(SAMPLER_SKIPS, 0)
    meaning = (
        "Passes over the counts were cut short to keep the cost for the target low: counts "
        "are sampled less often than asked for"
    )
    return (Counted(skips, "passes of the sampler cut short", meaning),) if skips else ()


def _counted(counts: dict[str, int], words: dict[str, tuple[str, str]]) -> tuple[Counted, ...]:
    """Counters of a newer version that have no words here keep their names."""
    found = [
        Counted(n, *words.get(name, (name.replace("_", " "), "")))
        for name, n in counts.items()
        if n
    ]
    return tuple(sorted(found, key=lambda each: -each.count))
