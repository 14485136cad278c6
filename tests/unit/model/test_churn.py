from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.model.churn import MAX_TYPES, OTHER_TYPE, ChurnHistory, Totals
from inspector.model.churn_lines import nice_secs
from inspector.model.snapshot import Collection, Vitals
from inspector.model.time_marks import Mark, MarkKind
from tests.helpers.snapshots import T0, make_vitals

STEADY = 50


def steady(
    *,
    readings: int = STEADY,
    every: float = 0.1,
    births: int = 3,
    deaths: int = 2,
    capacity: int = 8192,
) -> ChurnHistory:
    """A history in which each reading brings the same births and deaths of the first type."""
    history = ChurnHistory(capacity=capacity)
    for i in range(readings):
        history.add(make_vitals(T0 + i * every, [100 + births * i, 5], [deaths * i, 0]))
    return history


def with_collection(at: float, serial: int, *, forced: bool = False) -> Vitals:
    return Vitals(
        at,
        0,
        0,
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        (Collection(serial, at - 0.5, 0.0384, 312, 2, forced),),
    )


def test_handles_born_before_the_first_reading_are_not_births() -> None:
    assert steady(readings=1).totals(0, T0 + 100) == Totals(0, 0)


def test_handles_that_were_there_before_the_agent_count_among_the_living_of_their_type() -> None:
    history = ChurnHistory()
    history.add(make_vitals(T0, [0, 7], [0, 0], before=[1_120, 0]))
    history.add(make_vitals(T0 + 1, [4, 7], [1, 0], before=[1_120, 0]))
    assert history.live_line(T0, T0 + 1, points=100, type_index=1).values.tolist() == [1_120, 1_123]
    assert history.busiest_types(T0, T0 + 1, 5) == (1, 2)
    assert history.totals(T0, T0 + 1, 1) == Totals(4, 1)


def test_counters_of_an_older_recording_count_those_born_since_its_agent_came() -> None:
    history = ChurnHistory()
    history.add(Vitals(T0, 3, 0, np.array([0, 5]), np.array([0, 2])))
    assert history.live_line(T0, T0, points=100, type_index=1).values.tolist() == [3]


def test_totals_between_two_moments_are_exact() -> None:
    history = steady()
    assert history.totals(T0, T0 + 100) == Totals(3 * (STEADY - 1), 2 * (STEADY - 1))
    assert history.totals(T0 + 1.0, T0 + 2.0) == Totals(30, 20)
    assert history.totals(T0 + 1.0, T0 + 2.0, 2) == Totals(0, 0)
    assert history.totals(T0 + 1.0, T0 + 2.0, 99) == Totals(0, 0)


def test_a_reading_that_is_not_newer_is_left_out() -> None:
    history = steady(readings=2)
    assert not history.add(make_vitals(T0, [1], [0]))
    assert not history.add(make_vitals(math.nan, [1], [0]))
    assert len(history) == 2


def test_a_rate_says_the_window_it_was_measured_over() -> None:
    rates = steady().rates(1.0)
    assert rates.births == pytest.approx(30)
    assert rates.deaths == pytest.approx(20)
    assert rates.window_secs == pytest.approx(1.0, abs=0.11)


def test_a_rate_of_one_type_leaves_out_the_others() -> None:
    assert steady().rates(1.0, 2).births == 0
    assert steady().rates(1.0, 1).births == pytest.approx(30)


def test_a_rate_needs_two_readings() -> None:
    for history in (ChurnHistory(), steady(readings=1)):
        assert math.isnan(history.rates(1.0).births)


def test_a_rate_is_not_computed_across_a_gap() -> None:
    history = steady()
    history.add_gap()
    history.add(make_vitals(T0 + 5.5, [10_000], [0]))
    assert math.isnan(history.rates(2.0).births)
    history.add(make_vitals(T0 + 5.6, [10_001], [0]))
    assert history.rates(2.0).births == pytest.approx(10)


def test_readings_that_stayed_away_for_long_are_a_gap_and_not_a_zero() -> None:
    history = steady()
    history.add(make_vitals(T0 + 60, [100_000, 5], [0, 0]))
    history.add(make_vitals(T0 + 60.1, [100_000, 5], [0, 0]))
    births, _ = history.rate_line(T0, T0 + 61, width_secs=1.0)
    assert math.isnan(births.value_at(T0 + 30))
    assert births.value_at(T0 + 2.5) == pytest.approx(30)
    live = history.live_line(T0, T0 + 61, points=1000)
    assert math.isnan(live.value_at(T0 + 30))


def test_counters_that_begin_anew_are_a_gap_and_not_negative_births() -> None:
    history = steady()
    history.add(make_vitals(T0 + 5.0, [1, 0], [0, 0]))
    assert math.isnan(history.rates(1.0).births)
    assert np.nanmin(history.rate_line(T0, T0 + 6, width_secs=0.5)[0].values) >= 0


def test_the_area_under_the_rates_is_the_number_of_births() -> None:
    history = steady(readings=200, every=0.07)
    births, deaths = history.rate_line(T0, T0 + 14, width_secs=0.5)
    steps = births.at.reshape(-1, 2)
    width = np.diff(steps, axis=1).ravel()
    area = float((births.values[::2] * width).sum())
    covered = steps[-1, 1] - steps[0, 0]
    assert area == pytest.approx(3 / 0.07 * covered)
    assert float((deaths.values[::2] * width).sum()) == pytest.approx(2 / 0.07 * covered)


def test_steps_stay_where_they_are_while_time_passes() -> None:
    history = steady(readings=200, every=0.1)
    before = history.rate_line(T0 + 5, T0 + 15, width_secs=0.5)[0]
    after = history.rate_line(T0 + 5.13, T0 + 15.13, width_secs=0.5)[0]
    assert set(before.at[2:-2]) <= set(after.at)


def test_a_line_without_readings_is_empty() -> None:
    history = ChurnHistory()
    assert len(history.live_line(0, 10, points=100).at) == 0
    assert len(history.rate_line(0, 10, width_secs=1.0)[0].at) == 0
    assert len(steady(readings=1).rate_line(T0, T0 + 10, width_secs=1.0)[0].at) == 0
    assert history.busiest_types(0, 10, 5) == ()
    assert history.totals(0, 10) == Totals(0, 0)
    assert math.isnan(history.first_at)
    assert math.isnan(history.last_at)


def test_a_dense_line_keeps_its_peak_when_it_is_thinned_for_the_screen() -> None:
    history = ChurnHistory()
    for i in range(5000):
        history.add(
            make_vitals(T0 + i * 0.01, [1000 if i >= 2345 else 10], [990 if i > 2345 else 0])
        )
    line = history.live_line(T0, T0 + 50, points=200)
    assert len(line.at) <= 220
    assert line.values.max() == 1000
    assert line.values.min() == 10


def test_a_full_history_still_begins_where_it_began_and_keeps_its_totals_and_peaks() -> None:
    history = ChurnHistory(capacity=64)
    for i in range(5000):
        history.add(
            make_vitals(
                T0 + i, [3 * i + (700 if i >= 101 else 0)], [3 * i + (700 if i > 101 else 0)]
            )
        )
    assert len(history) <= 64
    assert history.first_at == T0
    assert history.totals(T0, T0 + 5000) == Totals(3 * 4999 + 700, 3 * 4999 + 700)
    for points in (16, 1000):
        assert history.live_line(T0, T0 + 5000, points=points).values.max() == 700


def test_the_live_line_of_a_type_is_what_it_created_less_what_it_released() -> None:
    line = steady().live_line(T0, T0 + 10, points=1000, type_index=1)
    assert line.values[0] == 100
    assert line.values[-1] == 100 + STEADY - 1


def test_a_type_that_appears_later_was_at_zero_before() -> None:
    history = steady(readings=3)
    history.add(make_vitals(T0 + 0.3, [109, 5, 0, 0, 0, 0, 7], [6, 0, 0, 0, 0, 0, 0]))
    assert history.totals(T0, T0 + 1, 7) == Totals(7, 0)
    assert list(history.live_line(T0, T0 + 1, points=100, type_index=7).values) == [0, 0, 0, 7]


def test_types_beyond_the_limit_are_counted_together() -> None:
    history = ChurnHistory()
    counts = [1] * (MAX_TYPES + 50)
    history.add(make_vitals(T0, [0] * len(counts), [0] * len(counts)))
    history.add(make_vitals(T0 + 1, counts, [0] * len(counts)))
    assert history.totals(T0, T0 + 1).created == len(counts)
    assert history.totals(T0, T0 + 1, OTHER_TYPE).created == len(counts) + 1 - MAX_TYPES


def test_the_busiest_types_come_first_and_idle_ones_not_at_all() -> None:
    history = ChurnHistory()
    history.add(make_vitals(T0, [5, 0, 0, 0], [0, 0, 0, 0]))
    history.add(make_vitals(T0 + 1, [5, 300, 0, 40], [0, 299, 0, 0]))
    assert history.busiest_types(T0, T0 + 1, 8) == (2, 4, 1)
    assert history.busiest_types(T0, T0 + 1, 2) == (2, 4)


def test_a_collection_is_marked_once_though_it_is_reported_many_times() -> None:
    history = ChurnHistory()
    for i in range(3):
        history.add(with_collection(T0 + i, 7))
    history.add(with_collection(T0 + 4, 8, forced=True))
    assert [mark.kind for mark in history.marks] == [MarkKind.COLLECTION, MarkKind.FORCED]
    assert (
        next(iter(history.marks)).text == "Collection of generation 2 freed 312 objects in 38.4 ms"
    )


def test_marks_stay_in_order_and_are_found_by_time() -> None:
    history = ChurnHistory()
    for at in (3.0, 1.0, 2.0):
        history.marks.add(Mark(at, MarkKind.MARK, str(at)))
    assert [mark.text for mark in history.marks.between(1.5, 9)] == ["2.0", "3.0"]


def test_a_cleared_history_knows_nothing() -> None:
    history = steady()
    history.marks.add(Mark(T0, MarkKind.ATTACH, "Attached"))
    history.clear()
    assert (len(history), history.live, len(history.marks)) == (0, 0, 0)
    assert math.isnan(history.rates(1.0).births)


@pytest.mark.parametrize(
    ("secs", "width"), [(0.03, 0.05), (1, 1), (1.1, 2), (7, 10), (0, 1e-3), (86_000, 100_000)]
)
def test_widths_are_round_numbers(secs: float, width: float) -> None:
    assert nice_secs(secs) == pytest.approx(width)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=200),
    st.integers(16, 40),
)
def test_totals_since_the_beginning_are_exact_however_much_was_thinned(
    steps: list[tuple[int, int]], capacity: int
) -> None:
    history = ChurnHistory(capacity=capacity)
    created = released = 0
    history.add(make_vitals(T0, [0], [0]))
    for i, (births, deaths) in enumerate(steps, 1):
        created, released = created + births, released + deaths
        history.add(make_vitals(T0 + i, [created], [released]))
        assert history.totals(T0, T0 + i) == Totals(created, released)
        assert history.totals(T0, T0 + i, 1) == Totals(created, released)
        assert history.live == created - released
    line = history.live_line(T0, T0 + len(steps), points=32)
    assert np.all(np.diff(line.at) >= 0)
