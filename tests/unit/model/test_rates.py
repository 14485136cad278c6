from __future__ import annotations

import math

import pytest

from inspector.model.rates import RateWindow
from tests.helpers.snapshots import T0, make_vitals


def test_one_reading_gives_no_rate() -> None:
    rates = RateWindow()
    rates.add(make_vitals(T0, [5], [0]))
    assert all(math.isnan(rate) for rate in rates.per_type(1))


def test_a_rate_is_the_difference_over_the_window() -> None:
    rates = RateWindow(window_secs=2)
    for second in range(6):
        rates.add(make_vitals(T0 + second, [second * 10], [second * 4]))
    assert rates.per_type(1) == (10, 4)


def test_a_burst_leaves_the_window() -> None:
    rates = RateWindow(window_secs=2)
    for second, created in enumerate([0, 1000, 1000, 1000, 1000]):
        rates.add(make_vitals(T0 + second, [created], [0]))
    assert rates.per_type(1) == (0, 0)


def test_readings_that_are_not_newer_are_ignored() -> None:
    rates = RateWindow()
    rates.add(make_vitals(T0, [0], [0]))
    rates.add(make_vitals(T0 + 1, [10], [0]))
    rates.add(make_vitals(T0 + 1, [99], [0]))
    assert rates.per_type(1)[0] == pytest.approx(10)


def test_a_type_that_came_later_counts_from_zero() -> None:
    rates = RateWindow()
    rates.add(make_vitals(T0, [1], [0]))
    rates.add(make_vitals(T0 + 1, [1, 6], [0, 0]))
    assert rates.per_type(2)[0] == pytest.approx(6)
