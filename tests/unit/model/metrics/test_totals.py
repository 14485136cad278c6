"""Totals over processes that come and go."""

from __future__ import annotations

from inspector.model.metrics.families import BORN, FOLDED, FORGOTTEN, LIVE, LIVE_MOST, Series
from inspector.model.metrics.reading import ProcessReading
from inspector.model.metrics.totals import OTHER, Totals


def series(family: object, name: str = "Item") -> Series:
    return Series(family, ("shop", "1", "app.py", name))  # type: ignore[arg-type]


def reading(
    identity: int, born: float, live: float = 0, name: str = "Item", *, final: bool = False
) -> ProcessReading:
    values = {series(BORN, name): born}
    if not final:
        values |= {series(LIVE, name): live, series(LIVE_MOST, name): live}
    return ProcessReading((identity,), values, is_final=final)


def test_counters_and_gauges_of_processes_are_merged() -> None:
    values = Totals().take([reading(1, 10, 4), reading(2, 5, 3)])
    assert values[series(BORN)] == 15
    assert (values[series(LIVE)], values[series(LIVE_MOST)]) == (7, 4)


def test_a_counter_never_falls_while_processes_come_and_go() -> None:
    totals = Totals()
    seen = [
        totals.take(readings)[series(BORN)]
        for readings in (
            [reading(1, 10)],
            [reading(1, 12), reading(2, 1)],
            [reading(2, 3)],  # the first is gone without a word
            [reading(2, 4, final=True)],
            [],
            [reading(3, 1)],
            [reading(3, 2), reading(3, 2)],
        )
    ]
    assert seen == [10, 13, 15, 16, 16, 17, 18]


def test_a_counter_that_starts_again_keeps_its_former_count() -> None:
    totals = Totals()
    assert totals.take([reading(1, 100)])[series(BORN)] == 100
    assert totals.take([reading(1, 3)])[series(BORN)] == 103


def test_label_sets_beyond_the_bound_add_to_one_set_and_are_counted() -> None:
    totals = Totals(most_sets=2)
    names = ("A", "B", "C", "D")
    values = totals.take([reading(at, 10, 1, name) for at, name in enumerate(names)])
    other = Series(BORN, (OTHER,) * 4)
    assert values[other] == 20
    assert sum(value for key, value in values.items() if key.family is BORN) == 40
    assert values[Series(FOLDED, (BORN.name,))] == values[Series(FOLDED, (LIVE.name,))] == 2
    assert values[Series(FORGOTTEN, ())] == 0


def test_a_set_without_a_process_makes_room_for_a_new_one() -> None:
    totals = Totals(most_sets=1)
    totals.take([reading(1, 10, name="Old")])
    totals.take([])
    values = totals.take([reading(2, 3, name="New")])
    assert values[series(BORN, "New")] == 3
    assert series(BORN, "Old") not in values
    assert values[Series(FORGOTTEN, ())] == 3


def test_a_folded_process_stays_folded_when_room_appears() -> None:
    totals = Totals(most_sets=1)
    other = Series(BORN, (OTHER,) * 4)
    totals.take([reading(1, 10, name="A"), reading(2, 5, name="B")])
    totals.take([reading(2, 6, name="B")])
    values = totals.take([reading(2, 7, name="B")])
    assert values[other] == 7
    assert values[series(BORN, "A")] == 10
