"""Lifetimes from snapshots and events: each handle once, with all that is known of it."""

from __future__ import annotations

import math

from inspector.model.lifetimes import LifetimeCollector, Lifetimes, seconds_of
from inspector.vocabulary import Reference, Resource
from tests.helpers.events import events_of
from tests.helpers.snapshots import T0, Row, handle_id, snapshot_of


def since_start(at: float) -> float | None:
    return None if math.isnan(at) else round(float(at - T0), 3)


def by_id(found: Lifetimes) -> dict[int, dict[str, object]]:
    return {
        int(found.ids[at]): {
            "born": None
            if math.isnan(found.born_at[at])
            else round(float(found.born_at[at] - T0), 3),
            "died": None
            if math.isnan(found.died_at[at])
            else round(float(found.died_at[at] - T0), 3),
            "alive": bool(found.is_alive[at]),
            "never_closed": bool(found.is_never_closed[at]),
        }
        for at in range(len(found))
    }


def test_each_handle_is_one_lifetime_however_often_it_is_seen() -> None:
    collector = LifetimeCollector()
    stays, goes = Row(1, age_secs=5), Row(2, age_secs=3)
    dead = Row(
        3,
        age_secs=9,
        changed_secs=1,
        reference=Reference.DROPPED,
        resource=Resource.NEVER_CLOSED,
        type="Journal",
    )
    collector.take(snapshot_of([stays, goes, dead], at=T0))
    collector.take(snapshot_of([Row(1, age_secs=6)], at=T0 + 1, serial=2))
    collector.take(
        snapshot_of([Row(1, age_secs=7), Row(2, generation=2, age_secs=0)], at=T0 + 2, serial=3)
    )
    events = events_of(
        (T0 + 0.4, "release", handle_id(2)),
        (T0 + 0.6, "create", handle_id(9)),
        (T0 + 0.8, "release", handle_id(9)),
        (T0 + 1.5, "create", handle_id(1)),
    )
    found = by_id(collector.finish(events))
    assert found == {
        handle_id(1): {"born": -5.0, "died": None, "alive": True, "never_closed": False},
        handle_id(2): {"born": -3.0, "died": 0.4, "alive": False, "never_closed": False},
        handle_id(2, 2): {"born": 2.0, "died": None, "alive": True, "never_closed": False},
        handle_id(3): {"born": -9.0, "died": -1.0, "alive": False, "never_closed": True},
        handle_id(9): {"born": 0.6, "died": 0.8, "alive": False, "never_closed": False},
    }


def test_lifetimes_beyond_the_bound_are_counted() -> None:
    collector = LifetimeCollector(most=3)
    collector.take(snapshot_of([Row(slot) for slot in range(1, 6)]))
    assert len(collector.finish(None)) == 3
    assert collector.left_out == 2


def test_without_a_snapshot_there_is_no_lifetime() -> None:
    assert len(LifetimeCollector().finish(None)) == 0
    assert len(seconds_of(()).at) == 0


def test_a_second_has_its_last_counters() -> None:
    first = snapshot_of([Row(1)], at=T0).vitals
    second = snapshot_of([Row(1), Row(2)], at=T0 + 0.9).vitals
    third = snapshot_of([Row(1)], at=T0 + 1.2).vitals
    found = seconds_of((first, second, third))
    items = found.types == 2
    assert found.at[items].tolist() == [int(T0), int(T0) + 1]
    assert found.live[items].tolist() == [2, 1]
