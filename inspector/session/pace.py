"""When a live session reads its target next: often while it changes, seldom while it is quiet.

A reading of the counters is cheap and notices births, deaths, closes and losses. A look at all rows
costs more. Owned by the session's pump thread; no I/O, and the time is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SNAPSHOT_SECS: Final = 0.1
VITALS_SECS: Final = 1 / 60
PROBE_SECS: Final = 0.1
"""How often the lock and ``/proc`` are looked at."""
QUIET_AFTER_SECS: Final = 1.0
"""Without a change for so long, a target is quiet."""
QUIET_READ_SECS: Final = 0.05
"""From one reading of a quiet target's counters to the next: a change is noticed that soon."""
QUIET_VITALS_SECS: Final = 0.5
"""From one announcement of unchanged counters to the next."""
QUIET_SNAPSHOT_SECS: Final = 1.0
"""From one announcement of an unchanged state to the next. Ages, costs and rules on growth need
that."""
QUIET_SHARE: Final = 0.05
"""The share of a core that looks at the rows of a quiet target may take."""
REST_SHARE: Final = 0.5
"""The least rest after a snapshot, as a share of the time that it took: a huge table must not take
a whole core."""


@dataclass(slots=True)
class Pace:
    """The times of the next readings; monotonic seconds."""

    snapshot_secs: float = SNAPSHOT_SECS
    """The wished interval; the real interval is never shorter."""
    vitals_secs: float = VITALS_SECS
    next_snapshot: float = 0.0
    next_vitals: float = 0.0
    next_probe: float = 0.0
    _changed_at: float = float("inf")
    """The last change; infinite before the first look."""
    _told_vitals_at: float = float("-inf")
    _told_snapshot_at: float = float("-inf")

    def wish(self, *, snapshot_secs: float, vitals_secs: float) -> None:
        """Other intervals: read both at once."""
        self.snapshot_secs, self.vitals_secs = snapshot_secs, vitals_secs
        self.next_snapshot = self.next_vitals = 0.0
        self._told_snapshot_at = self._told_vitals_at = float("-inf")

    def next_due(self) -> float:
        """When the pump has something to do next."""
        return min(self.next_snapshot, self.next_vitals, self.next_probe)

    def is_quiet(self, now: float) -> bool:
        """Whether nothing has changed for a while."""
        return now - self._changed_at >= QUIET_AFTER_SECS

    def note_probe(self, now: float) -> None:
        """The condition of the target was looked at; an unwatched target's less often."""
        self.next_probe = now + max(PROBE_SECS, min(self.snapshot_secs, self.vitals_secs) / 2)

    def note_vitals(self, now: float, *, has_changed: bool) -> bool:
        """The counters were read. Returns whether to announce them.

        After quiet, a change brings the next snapshot forward to now.
        """
        was_quiet = self.is_quiet(now)
        if has_changed:
            self._changed_at = now
            if was_quiet:
                self.next_snapshot = now
        is_quiet = was_quiet and not has_changed
        self.next_vitals = now + max(self.vitals_secs, QUIET_READ_SECS if is_quiet else 0.0)
        is_due = not is_quiet or now - self._told_vitals_at >= QUIET_VITALS_SECS
        if is_due:
            self._told_vitals_at = now
        return is_due

    def note_snapshot(self, began: float, took_secs: float, *, has_changed: bool) -> bool:
        """All rows were looked at from ``began`` on. Returns whether to announce the snapshot."""
        if has_changed:
            self._changed_at = began
        is_quiet = self.is_quiet(began)
        self.next_snapshot = next_snapshot_at(
            began, took_secs, every_secs=self.snapshot_secs, is_quiet=is_quiet
        )
        is_due = not is_quiet or began - self._told_snapshot_at >= QUIET_SNAPSHOT_SECS
        if is_due:
            self._told_snapshot_at = began
        return is_due


def next_snapshot_at(
    began: float, took_secs: float, *, every_secs: float, is_quiet: bool = False
) -> float:
    """The time of the snapshot after one that began then: after a rest, on the same clock."""
    factor = 1 / QUIET_SHARE if is_quiet else 1 + REST_SHARE
    return began + max(every_secs, took_secs * factor)
