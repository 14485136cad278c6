from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.time_of_day import parse_range, range_text

NOON = time.mktime((2025, 6, 15, 12, 0, 0, 0, 0, -1))


def test_a_time_of_day_is_the_newest_that_has_been() -> None:
    before, after = parse_range("11:00..11:30"), parse_range("23:00..23:30:15")
    assert before is not None
    assert after is not None
    assert before.moments(NOON) == (NOON - 3600, NOON - 1800)
    assert after.moments(NOON) == (NOON - 13 * 3600, NOON - 12.5 * 3600 + 15)


def test_a_range_may_reach_over_midnight() -> None:
    found = parse_range("23:00..01:00")
    assert found is not None
    assert found.moments(NOON) == (NOON - 13 * 3600, NOON - 11 * 3600)


def test_what_is_chosen_a_moment_ahead_is_of_today() -> None:
    found = parse_range("12:00:00.5..12:00:02")
    assert found is not None
    assert found.moments(NOON) == (NOON + 0.5, NOON + 2)


@pytest.mark.parametrize(
    ("text", "moments"),
    [("11:00..", (NOON - 3600, math.inf)), ("..11:00", (-math.inf, NOON - 3600))],
)
def test_an_end_that_is_missing_is_open(text: str, moments: tuple[float, float]) -> None:
    found = parse_range(text)
    assert found is not None
    assert found.moments(NOON) == moments


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "11:00",
        "11..12",
        "24:00..",
        "11:60..",
        "11:00:60..",
        "x..11:00",
        "11:00..12:00..13:00",
    ],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    assert parse_range(text) is None


@given(st.floats(0, 3600), st.floats(0, 3600))
def test_what_is_written_is_read_back_to_a_hundredth_of_a_second(
    before: float, length: float
) -> None:
    begin = NOON - 7200 + before
    found = parse_range(range_text(begin, begin + length))
    assert found is not None
    assert found.moments(NOON) == pytest.approx((begin, begin + length), abs=0.011)
