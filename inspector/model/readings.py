"""Readings of a target's counters as columns, oldest first. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import UNKNOWN, Floats, Ints, Vitals


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """One row a reading."""

    at: Floats
    joined: npt.NDArray[np.bool_]
    """The reading continues the reading before."""
    live: Ints
    """Lowest, highest and newest live count of the readings that the row stands for."""
    totals: Ints
    """Handles made and released, of all types."""
    created: Ints
    """A column each type; so are the next two."""
    released: Ints
    lives: Ints

    def thinned(self) -> Readings:
        """Without every second reading of the older half."""
        live, joined = self.live.copy(), self.joined.copy()
        kept = join_older(live, joined, len(self.at))
        columns = {each.name: getattr(self, each.name) for each in fields(self)}
        columns |= {"live": live, "joined": joined}
        return Readings(**{name: column[kept] for name, column in columns.items()})

    def newest(self, count: int) -> list[Vitals]:
        """The counters of the newest readings, oldest first."""
        return [self._vitals(row) for row in range(max(len(self.at) - count, 0), len(self.at))]

    def until(self, at: float) -> Readings:
        """The readings up to a moment, at least the first."""
        end = max(int(np.searchsorted(self.at, at, side="right")), 1)
        return Readings(*(getattr(self, each.name)[:end] for each in fields(self)))

    def at_moment(self, at: float) -> Vitals:
        """The counters of the last reading at or before a moment, else of the first."""
        return self.until(at).newest(1)[0]

    def _vitals(self, row: int) -> Vitals:
        return Vitals(
            at=float(self.at[row]),
            live=int(self.live[row, 2]),
            pending=UNKNOWN,
            created=self.created[row],
            released=self.released[row],
            lives=self.lives[row],
        )


def join_older(live: Ints, joined: npt.NDArray[np.bool_], count: int) -> Ints:
    """Join pairs of the older half of ``count`` rows, and give the rows that stay.

    The very first stays, so that totals since the beginning do too. A row that stays takes the
    lowest and the highest live count of the row before it.
    """
    half = count // 2 // 2 * 2 + 1
    pairs = np.arange(1, half, 2)
    live[pairs + 1, 0] = np.minimum(live[pairs, 0], live[pairs + 1, 0])
    live[pairs + 1, 1] = np.maximum(live[pairs, 1], live[pairs + 1, 1])
    joined[pairs + 1] &= joined[pairs]
    return np.concatenate(([0], pairs + 1, np.arange(half, count))).astype(np.int64)
