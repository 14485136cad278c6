"""Totals over processes that come and go. Used by one thread.

A counter of a label set never falls: the last value of a process that ended stays in its sum. The
number of label sets is bounded. A label set beyond the bound adds to the set ``(other)``, so sums
over all sets stay right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from inspector.model.metrics.families import FOLDED, FORGOTTEN, Family, Merge, Series
from inspector.model.metrics.reading import ProcessReading

OTHER: Final = "(other)"
MOST_SETS: Final = 1000
"""Label sets of one metric."""

Values = dict[Series, float]


class Totals:
    """Sums the readings of all processes, look by look."""

    def __init__(self, most_sets: int = MOST_SETS) -> None:
        """``most_sets``: label sets of one metric, ``(other)`` not counted."""
        self._most_sets = most_sets
        self._sets: dict[Family, dict[Series, None]] = defaultdict(dict)
        """Admitted label sets, the longest unused first."""
        self._gone: Values = {}
        """Counters of processes that ended."""
        self._places: dict[tuple[int, ...], dict[Series, Series]] = {}
        """The admitted set of each counter of a process; it stays while the process lives."""
        self._last: dict[tuple[int, ...], Values] = {}
        """The newest counters of each process."""
        self._forgotten = 0
        self._busy: set[Series] = set()
        """Label sets that a process has now; filled for each look."""
        self._full: set[Family] = set()
        """Metrics of which no label set can be forgotten in this look."""

    def take(self, readings: Iterable[ProcessReading]) -> Values:
        """The values of all processes now. A process without a reading has ended."""
        found = list(readings)
        for identity in self._last.keys() - {each.identity for each in found}:
            self._retire(identity)
        folded: Counter[str] = Counter()
        self._busy = {series for each in found for series in each.values}
        self._busy |= {place for places in self._places.values() for place in places.values()}
        self._full.clear()
        gauges: Values = {}
        for reading in found:
            self._last.setdefault(reading.identity, {})
            for series, value in reading.values.items():
                place = self._place(reading.identity, series)
                if place != series:
                    folded[series.family.name] += 1
                if series.family.is_counter:
                    self._count(reading.identity, series, value)
                else:
                    gauges[place] = _merged(series.family, gauges.get(place), value)
        values = self._counters() | gauges
        for reading in found:
            if reading.is_final:
                self._retire(reading.identity)
        values |= {Series(FOLDED, (name,)): count for name, count in folded.items()}
        return values | {Series(FORGOTTEN, ()): self._forgotten}

    def _place(self, identity: tuple[int, ...], series: Series) -> Series:
        """The label set that a value of a process counts for."""
        places = self._places.setdefault(identity, {})
        if series in places:
            return places[series]
        place = self._admitted(series)
        if series.family.is_counter:
            places[series] = place
        return place

    def _admitted(self, series: Series) -> Series:
        sets = self._sets[series.family]
        if series in sets:
            sets[series] = sets.pop(series)
            return series
        if len(sets) >= self._most_sets:
            is_full = series.family in self._full
            idle = (
                None if is_full else next((each for each in sets if each not in self._busy), None)
            )
            if idle is None:
                self._full.add(series.family)
                return Series(series.family, (OTHER,) * len(series.labels))
            del sets[idle]
            self._gone.pop(idle, None)
            self._forgotten += 1
        sets[series] = None
        return series

    def _count(self, identity: tuple[int, ...], series: Series, value: float) -> None:
        """Note a counter of a process. A counter that fell has started again."""
        last = self._last[identity]
        before = last.get(series, 0.0)
        if value < before:
            self._add_gone(self._places[identity][series], before)
        last[series] = value

    def _counters(self) -> Values:
        values = dict(self._gone)
        for identity, last in self._last.items():
            places = self._places[identity]
            for series, value in last.items():
                values[places[series]] = values.get(places[series], 0.0) + value
        return values

    def _retire(self, identity: tuple[int, ...]) -> None:
        """Keep the counters of a process that ended, under their label sets."""
        places = self._places.pop(identity, {})
        for series, value in self._last.pop(identity, {}).items():
            self._add_gone(places[series], value)

    def _add_gone(self, place: Series, value: float) -> None:
        self._gone[place] = self._gone.get(place, 0.0) + value


def _merged(family: Family, before: float | None, value: float) -> float:
    if before is None:
        return value
    return max(before, value) if family.merge is Merge.MAX else before + value


def by_family(values: Mapping[Series, float]) -> dict[Family, dict[tuple[str, ...], float]]:
    """The values by metric and labels."""
    grouped: dict[Family, dict[tuple[str, ...], float]] = defaultdict(dict)
    for series, value in values.items():
        grouped[series.family][series.labels] = value
    return grouped
