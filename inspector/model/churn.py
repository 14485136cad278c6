"""Births and deaths over time: a bounded history of counters, and the figures read off it.

The counters of a target only grow, so births between two moments are a difference: exact, however
rarely they were read and however much of the past was thinned out. A hole in the readings is a gap,
never a zero. One thread (the window's).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model import caps
from inspector.model.caps import Use
from inspector.model.churn_lines import Line, broken, decimated, nice_secs, stepped
from inspector.model.fields import COUNT_LIMIT
from inspector.model.readings import Readings, join_older
from inspector.model.snapshot import Floats, Ints, Vitals
from inspector.model.time_marks import TimeMarks

CAPACITY: Final = caps.TIMELINE.most
"""Readings kept."""
MAX_TYPES: Final = caps.TIMELINE_TYPES.most
"""Types told apart; those with a higher index are one: ``OTHER_TYPE``."""
OTHER_TYPE: Final = 0
GAP_SECS: Final = 5.0
"""No reading for longer than that is a gap: the slowest refresh is one in 2 s."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Births and deaths per second.

    The window is the real window: between the two readings that were compared.
    """

    births: float
    deaths: float
    window_secs: float


@dataclass(frozen=True, slots=True)
class Totals:
    """Births and deaths between two moments, exact at readings."""

    created: int
    released: int


class ChurnHistory:
    """The counters of one target since the window looked, in bounded memory.

    When it is full, the older half is thinned to every second reading, which keeps the lowest and
    the highest live count of the readings it stands for. So the whole time since the beginning
    stays, the older the coarser.
    """

    def __init__(self, *, capacity: int = CAPACITY, gap_secs: float = GAP_SECS) -> None:
        """Keep at most ``capacity`` readings (at least 16)."""
        self._capacity = max(capacity, 16)
        self._gap_secs = gap_secs
        self.marks = TimeMarks()
        self.clear()

    def clear(self) -> None:
        """Forget everything: another target."""
        self._count = 0
        self._types = 4
        self._most_types = 0
        self._at = np.zeros(self._capacity)
        self._live = np.zeros((self._capacity, 3), np.int64)
        self._joined = np.zeros(self._capacity, np.bool_)
        self._totals = np.zeros((self._capacity, 2), np.int64)
        self._created = np.zeros((self._capacity, self._types), np.int64)
        self._released = np.zeros((self._capacity, self._types), np.int64)
        self._lives = np.zeros((self._capacity, self._types), np.int64)
        self._break = True
        self._joined_away = 0
        self.marks.clear()

    def uses(self) -> tuple[Use, ...]:
        """The amounts that are kept."""
        return (
            Use(caps.TIMELINE, self._count, self._joined_away),
            Use(caps.TIMELINE_TYPES, min(self._most_types, MAX_TYPES), self._types_left_out()),
            self.marks.use,
        )

    def _types_left_out(self) -> int:
        return max(self._most_types - MAX_TYPES, 0)

    def __len__(self) -> int:
        """Readings kept."""
        return self._count

    @property
    def first_at(self) -> float:
        """Time of the oldest reading, ``nan`` when there is none."""
        return float(self._at[0]) if self._count else float("nan")

    @property
    def last_at(self) -> float:
        """Time of the newest reading, ``nan`` when there is none."""
        return float(self._at[self._count - 1]) if self._count else float("nan")

    @property
    def live(self) -> int:
        """Newest live count; 0 before the first reading."""
        return int(self._live[self._count - 1, 2]) if self._count else 0

    def add(self, vitals: Vitals) -> bool:
        """Take a reading; ``False`` when it is not newer than the last one and was left out."""
        self.marks.add_collections(vitals.collections)
        if not np.isfinite(vitals.at) or (self._count and vitals.at <= self.last_at):
            return False
        self._make_room(max(len(vitals.created), len(vitals.released)))
        row = self._count
        self._at[row] = vitals.at
        self._live[row] = min(max(vitals.live, -COUNT_LIMIT), COUNT_LIMIT)
        self._totals[row] = vitals.created.sum(), vitals.released.sum()
        self._put(self._created, row, vitals.created)
        self._put(self._released, row, vitals.released)
        self._put(self._lives, row, vitals.live_by_type())
        self._joined[row] = not self._break and self._follows(row)
        self._break = False
        self._count += 1
        return True

    def readings(self) -> Readings:
        """A copy of all readings, for another thread."""
        count, types = self._count, min(max(self._most_types, 1), MAX_TYPES)
        return Readings(
            self._at[:count].copy(),
            self._joined[:count].copy(),
            self._live[:count].copy(),
            self._totals[:count].copy(),
            self._created[:count, :types].copy(),
            self._released[:count, :types].copy(),
            self._lives[:count, :types].copy(),
        )

    def restore(self, readings: Readings) -> None:
        """Take the readings of an earlier history instead of all that is known."""
        self.clear()
        count = min(len(readings.at), self._capacity)
        self._make_room(readings.created.shape[1])
        self._count = count
        for column, found in (
            (self._at, readings.at),
            (self._joined, readings.joined),
            (self._live, readings.live),
            (self._totals, readings.totals),
        ):
            column[:count] = found[-count:]
        for table, found in (
            (self._created, readings.created),
            (self._released, readings.released),
            (self._lives, readings.lives),
        ):
            table[:count, : found.shape[1]] = found[-count:]

    def add_gap(self) -> None:
        """The next reading does not continue the last: nothing is drawn or computed across."""
        self._break = True

    def totals(self, begin: float, end: float, type_index: int | None = None) -> Totals:
        """Births and deaths from the last reading at or before ``begin`` to that of ``end``."""
        if not self._count:
            return Totals(0, 0)
        first, last = self._row_at(begin), self._row_at(end)
        created, released = self._sums(type_index)
        return Totals(int(created[last] - created[first]), int(released[last] - released[first]))

    def rates(
        self, window_secs: float, type_index: int | None = None, *, until: float = np.inf
    ) -> Rates:
        """Births and deaths per second over about the last ``window_secs`` before ``until``.

        ``nan`` when there are no two joined readings in it.
        """
        last = self._row_at(until) if self._count else -1
        first = self._rates_from(window_secs, last)
        if first >= last:
            return Rates(float("nan"), float("nan"), float("nan"))
        secs = float(self._at[last] - self._at[first])
        created, released = self._sums(type_index)
        return Rates(
            float(created[last] - created[first]) / secs,
            float(released[last] - released[first]) / secs,
            secs,
        )

    def busiest_types(self, begin: float, end: float, limit: int) -> tuple[int, ...]:
        """Indices of the busiest types between the two moments, the busiest first.

        Live handles, births and deaths decide.
        """
        if not self._count:
            return ()
        first, last = self._row_at(begin), self._row_at(end)
        created, released = self._created[: self._count], self._released[: self._count]
        score = (
            self._lives[last]
            + (created[last] - created[first])
            + (released[last] - released[first])
        )
        order = np.argsort(-score, kind="stable")
        return tuple(int(index) for index in order if score[index] > 0 and index != OTHER_TYPE)[
            :limit
        ]

    def live_line(
        self, begin: float, end: float, *, points: int, type_index: int | None = None
    ) -> Line:
        """Live handles over time, in at most about ``points`` points.

        If readings are denser, each step shows the lowest and the highest, so that no peak is lost.
        """
        first, last = self._span(begin, end)
        if type_index is None:
            low, high, newest = (self._live[first:last, column] for column in range(3))
        else:
            low = high = newest = self._lives_of(type_index)[first:last]
        at, joined = self._at[first:last], self._joined[first:last]
        if last - first <= points and np.array_equal(low, high):
            return broken(at, newest.astype(np.float64), joined)
        return decimated(at, low, high, joined=joined, width=nice_secs((end - begin) * 2 / points))

    def rate_line(
        self, begin: float, end: float, *, width_secs: float, type_index: int | None = None
    ) -> tuple[Line, Line]:
        """Births and deaths per second as steps of ``width_secs``.

        Steps are aligned to the clock, so that they do not flicker while scrolling.

        The area under them is the exact number of births and deaths. Two points a step.
        """
        edges = self._edges(begin, end, width_secs)
        if len(edges) < 2:
            empty = Line(np.empty(0), np.empty(0))
            return empty, empty
        gaps = self._gap_steps(edges)
        first, last = self._span(edges[0], edges[-1])
        created, released = self._sums(type_index)
        births, deaths = (
            stepped(
                edges,
                np.diff(np.interp(edges, self._at[first:last], counts[first:last])) / width_secs,
                gaps,
            )
            for counts in (created, released)
        )
        return births, deaths

    def _follows(self, row: int) -> bool:
        """The reading continues the last: in time, and with counters that did not start again."""
        soon = float(self._at[row] - self._at[row - 1]) <= self._gap_secs
        return soon and bool((self._totals[row] >= self._totals[row - 1]).all())

    def _put(self, table: Ints, row: int, counts: Ints) -> None:
        kept = min(len(counts), MAX_TYPES)
        table[row, :kept] = counts[:kept]
        table[row, kept:] = 0
        table[row, OTHER_TYPE] = counts[MAX_TYPES:].sum()

    def _make_room(self, types: int) -> None:
        if self._count == self._capacity:
            self._thin()
        self._most_types = max(self._most_types, types)
        wanted = min(types, MAX_TYPES)
        if wanted > self._types:
            added = max(wanted, min(self._types * 2, MAX_TYPES)) - self._types
            self._created = np.pad(self._created, ((0, 0), (0, added)))
            self._released = np.pad(self._released, ((0, 0), (0, added)))
            self._lives = np.pad(self._lives, ((0, 0), (0, added)))
            self._types += added

    def _thin(self) -> None:
        """Leave every second reading of the older half.

        The very first stays, so that totals since the beginning do too.
        """
        kept = join_older(self._live, self._joined, self._count)
        for table in (
            self._at,
            self._live,
            self._joined,
            self._totals,
            self._created,
            self._released,
            self._lives,
        ):
            table[: len(kept)] = table[kept]
        self._joined_away += self._count - len(kept)
        self._count = len(kept)

    def _sums(self, type_index: int | None) -> tuple[Ints, Ints]:
        created, released = self._created[: self._count], self._released[: self._count]
        if type_index is None:
            return self._totals[: self._count, 0], self._totals[: self._count, 1]
        if not 0 <= type_index < self._types:
            nothing = np.zeros(self._count, np.int64)
            return nothing, nothing
        return created[:, type_index], released[:, type_index]

    def _lives_of(self, type_index: int) -> Ints:
        return (
            self._lives[: self._count, type_index]
            if 0 <= type_index < self._types
            else np.zeros(self._count, np.int64)
        )

    def _row_at(self, at: float) -> int:
        """The last reading at or before ``at``, or the first of all."""
        return max(int(np.searchsorted(self._at[: self._count], at, side="right")) - 1, 0)

    def _rates_from(self, window_secs: float, last: int) -> int:
        first = self._row_at(float(self._at[last]) - window_secs) if self._count else 0
        breaks = np.flatnonzero(~self._joined[first + 1 : last + 1])
        return first + 1 + int(breaks[-1]) if len(breaks) else first

    def _span(self, begin: float, end: float) -> tuple[int, int]:
        """Rows from ``begin`` to ``end`` as a half-open range.

        It starts at the last row at or before ``begin``, and ends with the first at or after
        ``end``.
        """
        at = self._at[: self._count]
        first = max(int(np.searchsorted(at, begin, side="right")) - 1, 0)
        return first, min(int(np.searchsorted(at, end, side="left")) + 1, self._count)

    def _edges(self, begin: float, end: float, width_secs: float) -> Floats:
        if not self._count or width_secs <= 0:
            return np.empty(0)
        first = np.ceil(max(begin - width_secs, self.first_at) / width_secs)
        last = np.floor(min(end + width_secs, self.last_at) / width_secs)
        edges: Floats = np.arange(first, last + 1) * width_secs
        return edges

    def _gap_steps(self, edges: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which steps touch a gap."""
        steps = np.zeros(len(edges) - 1, np.bool_)
        breaks = np.flatnonzero(~self._joined[1 : self._count]) + 1
        begins = np.searchsorted(edges, self._at[breaks - 1], side="right") - 1
        ends = np.searchsorted(edges, self._at[breaks], side="left")
        for begin, end in zip(begins, ends, strict=True):
            steps[max(int(begin), 0) : max(int(end), 0)] = True
        return steps
