"""Counts and handles of a process that changes between the two: no torn reading is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from inspector.attach.outside import arcs
from inspector.attach.outside.counts import Counts, Held, handles_with_counts
from inspector.attach.outside.memory import Gathered, OutsideMemory
from inspector.attach.outside.seen import UNKNOWN

OBJECT, OUTER = 0x1000, 0x2000
"""Places of an object's own ``Arc`` and of the ``Arc`` around it."""
A, B, C = 0x10, 0x20, 0x30
"""Places of proxies."""
State = tuple[Sequence[int], int | Sequence[int]]
"""The proxies of a search, and the strong counts read between it and the next: the last repeats."""


@dataclass
class Process:
    """A process with one object, which is in the next state at each search."""

    states: Sequence[State]
    is_trait: bool = False
    """The handles point into an ``Arc`` around the object, and that one changes."""
    searches: int = 0
    reads: int = field(default=0, init=False)

    def search(self) -> Held:
        places = np.array(self._state(self.searches)[0], np.uint64)
        self.searches, self.reads = self.searches + 1, 0
        handles, nothing = np.full(len(places), 7, np.uint64), np.zeros(len(places), np.uint64)
        outers = nothing + np.uint64(OUTER) if self.is_trait else nothing
        kinds = np.zeros(len(places), np.int64)
        return Held(kinds, places, handles, nothing + np.uint64(OBJECT), outers)

    def gather(self, addresses: npt.ArrayLike, each_bytes: int) -> Gathered:
        places = np.asarray(addresses, np.uint64).tolist()
        words = np.array([[self._strong(place), 1] for place in places], np.uint64)
        self.reads += 1
        return Gathered(words.view(np.uint8), np.ones(len(places), np.bool_))

    def _state(self, number: int) -> State:
        return self.states[min(number, len(self.states) - 1)]

    def _strong(self, place: int) -> int:
        found = self._state(self.searches - 1)[1]
        if self.is_trait and place == OBJECT:
            return 1
        return found if isinstance(found, int) else found[min(self.reads, len(found) - 1)]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arcs, "PAUSE_SECS", 0.0)


def looked_at(process: Process, *, ending: Sequence[int] = ()) -> tuple[Held, Counts]:
    return handles_with_counts(cast("OutsideMemory", process), process.search, ending=ending)


def strong(process: Process, *, ending: Sequence[int] = ()) -> list[int]:
    """The count that the handles point at, for each handle."""
    found = looked_at(process, ending=ending)[1]
    return (found.outer if process.is_trait else found.strong).tolist()


BOTH, ONE = [A, B], [A]


@pytest.mark.parametrize("is_trait", [False, True])
def test_a_handle_that_was_away_while_the_count_was_read_is_no_missing_reference(
    is_trait: bool,
) -> None:
    # B is dropped after the first search, and made at the same place before the second
    assert strong(Process([(BOTH, 1), (BOTH, 2)], is_trait)) == [2, 2]


@pytest.mark.parametrize("is_trait", [False, True])
def test_numbers_that_differ_from_reading_to_reading_are_unknown(is_trait: bool) -> None:
    process = Process([(BOTH, 1), (BOTH, 2), (BOTH, 1), (BOTH, 2)], is_trait)
    assert strong(process) == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("is_trait", [False, True])
def test_a_reference_that_is_missing_all_the_time_is_told(is_trait: bool) -> None:
    assert strong(Process([(BOTH, 1)], is_trait)) == [1, 1]


@pytest.mark.parametrize("is_trait", [False, True])
def test_a_reference_that_lacks_while_a_finaliser_runs_is_unknown(is_trait: bool) -> None:
    assert strong(Process([(BOTH, 1)], is_trait), ending=[B]) == [UNKNOWN, UNKNOWN]
    assert strong(Process([(BOTH, 2)], is_trait), ending=[B]) == [2, 2]
    assert strong(Process([(BOTH, 1)], is_trait), ending=[C]) == [1, 1]


def test_a_handle_made_and_dropped_between_two_searches_is_no_native_reference() -> None:
    # the count of the first reading is that of two handles; the look after the search sees it fall
    made = [2] * (arcs.LOOKS + 1)
    process = Process([(ONE, made), (ONE, 1)])
    first = process.searches
    assert strong(process) == [1]
    assert process.searches - first > 2, "the first reading is not believed"


def test_an_object_whose_handles_change_is_known_once_two_readings_agree() -> None:
    assert strong(Process([(ONE, 1), (BOTH, 2)])) == [2, 2]
    assert strong(Process([(ONE, 1), (BOTH, 2), (ONE, 1), (BOTH, 2)])) == [UNKNOWN, UNKNOWN]


def test_an_object_that_rests_is_known_after_two_searches() -> None:
    process = Process([([A, B, C], 5)])
    held, found = looked_at(process)
    assert (found.strong.tolist(), found.moving.tolist()) == ([5] * 3, [False] * 3)
    assert (process.searches, held.places.tolist()) == (2, [A, B, C])


def test_calls_move_a_count_and_its_rest_is_the_least() -> None:
    process = Process([(ONE, [3, 2, 4, 2, 2, 1, 3])])
    _, found = looked_at(process)
    assert (found.strong.tolist(), found.moving.tolist()) == ([1], [True])
