"""A row that is kept between looks from outside."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from inspector.model.counts import UNSAMPLED
from inspector.model.snapshot import UNKNOWN

SETTLING_LOOKS: Final = 8
"""A count that really grew while calls go on shows after so many looks."""


@dataclass(slots=True)
class KeptRow:
    """A row, live or a tombstone."""

    slot: int
    generation: int
    type_index: int
    address: int
    data: int
    created_at: float
    changed_at: float
    strong: int = UNSAMPLED
    """What the object's own ``Arc`` counts beyond what the look knew, and one; as ``model.counts``
    has it."""
    outer: int = UNSAMPLED
    weak: int = UNKNOWN
    in_flight: int = UNKNOWN
    is_live: bool = True
    site: int = 0
    recent: deque[tuple[int, int, bool]] = field(
        default_factory=lambda: deque(maxlen=SETTLING_LOOKS)
    )
    """Inner and outer count of the last looks since it rested, and whether it moved in them."""

    def take(self, strong: int, weak: int, outer: int, in_flight: int, moving: int) -> None:
        """Take the counts of one more look.

        A count at rest is believed at once, and after calls if two looks read the same count.

        While calls use the object again and again, its resting count is the least of the last
        looks: some calls outlast a look. If an object's handles changed too fast for this look, its
        references beyond them are unchanged.
        """
        if strong == UNSAMPLED:
            return
        now = (strong, outer, bool(moving))
        if not moving and (not any(each[2] for each in self.recent) or self.recent[-1] == now):
            self.recent.clear()
        self.recent.append(now)
        least = min(self.recent, key=lambda each: each[0] + max(each[1], 0))
        above = strong + max(outer, 0) - least[0] - max(least[1], 0)
        self.strong, self.outer, self.weak, self.in_flight = (
            least[0],
            least[1],
            weak,
            max(in_flight, 0) + above,
        )

    def forget(self) -> None:
        """Nothing is known of its counts any more."""
        self.strong = self.outer = UNSAMPLED
        self.weak = self.in_flight = UNKNOWN
        self.recent.clear()
