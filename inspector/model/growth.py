"""The growth test: repeat a scenario, mark after each round, keep only what every round left.

Objects left by one round may be a cache that fills; objects left by every round, and still there at
the end, are not. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from inspector.errors import InspectorError
from inspector.model.marks import MarkedState

MIN_ROUNDS: Final = 2
"""Fewer say nothing: two marks are one round."""


class GrowthError(InspectorError):
    """The marks cannot be compared; the message says why."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A type and place that left handles behind in each round."""

    type_name: str
    site: str
    """``""``: not recorded."""
    per_round: tuple[int, ...]
    """Handles made in each round that were alive at the end."""

    @property
    def total(self) -> int:
        """In all rounds."""
        return sum(self.per_round)

    @property
    def is_steady(self) -> bool:
        """The same in each round: it belongs to the scenario, not to chance."""
        return len(set(self.per_round)) == 1


def growth(marks: Sequence[MarkedState]) -> tuple[Grown, ...]:
    """The handles that every round between marks left behind, the steadiest and largest first.

    Raises ``GrowthError`` for fewer than two rounds, or marks of different processes.
    """
    ordered = sorted(marks, key=lambda mark: mark.at)
    if len(ordered) <= MIN_ROUNDS:
        raise GrowthError(
            f"{MIN_ROUNDS + 1} marks are needed for {MIN_ROUNDS} rounds, there are {len(ordered)}"
        )
    if len({mark.process for mark in ordered}) > 1:
        raise GrowthError("the marks are of different processes")
    rounds = [_left_behind(first, then, ordered[-1]) for first, then in pairwise(ordered)]
    always = set.intersection(*(set(each) for each in rounds))
    grown = [Grown(*name, tuple(each[name] for each in rounds)) for name in always]
    return tuple(
        sorted(grown, key=lambda each: (not each.is_steady, -each.total, each.type_name, each.site))
    )


def _left_behind(
    first: MarkedState, then: MarkedState, last: MarkedState
) -> dict[tuple[str, str], int]:
    """Handles alive at ``last`` that were made between the two, by type and site."""
    made = np.isin(last.ids, then.ids) & ~np.isin(last.ids, first.ids)
    counted: dict[tuple[str, str], int] = {}
    for key, count in zip(
        *np.unique(last.types[made] << 32 | last.sites[made], return_counts=True), strict=True
    ):
        type_index, site_index = int(key) >> 32, int(key) & 0xFFFF_FFFF
        name = (
            last.type_names.get(type_index, f"type {type_index}"),
            last.site_names.get(site_index, ""),
        )
        counted[name] = counted.get(name, 0) + int(count)
    return counted
