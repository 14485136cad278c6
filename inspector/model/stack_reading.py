"""A reading of the stacks of all threads of a process, with its time. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from inspector.model.snapshot import Snapshot
from inspector.model.stacks import ThreadStack
from inspector.model.wording import age, plural

OLD_SECS: Final = 10.0
"""An older reading may not tell any more where a thread is."""


@dataclass(frozen=True, slots=True)
class StackReading:
    """The stacks of one look. Nothing was stopped for it."""

    at: float
    """When the look began, seconds since the Unix epoch."""
    stacks: tuple[ThreadStack, ...] = ()
    """The main thread first."""
    more: int = 0
    """Threads that were left out."""
    notes: tuple[str, ...] = ()
    """Parts that could not be read, and why: sentences without a full stop."""

    def added_to(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with these stacks, unless it has stacks of its own."""
        return snapshot if snapshot.stacks else replace(snapshot, stacks=self.stacks)

    def age_secs(self, now: float) -> float:
        """Seconds from the look to ``now``."""
        return max(now - self.at, 0.0)

    def is_old(self, now: float) -> bool:
        """Threads may have moved on since."""
        return self.age_secs(now) > OLD_SECS

    def sentence(self, now: float) -> str:
        """How old the reading is, its threads, and the parts that it lacks."""
        more = f" and {self.more:,} more that are not listed" if self.more else ""
        old = ": threads may have moved on since" if self.is_old(now) else ""
        parts = (
            f"Read {age(self.age_secs(now))} ago{old}",
            f"{plural(len(self.stacks), 'thread')}{more}",
            *self.notes,
        )
        return " · ".join(parts)
