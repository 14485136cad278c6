from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model import wording

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (12408, "12,408"), (-1, "–"), (None, "–"), (NAN, "–")]
)
def test_numbers_are_grouped_and_unknown_is_a_dash(value: float | None, text: str) -> None:
    assert wording.number(value) == text


def test_negative_counts_carry_a_real_minus() -> None:
    assert wording.signed(-1204) == "−1,204"


@pytest.mark.parametrize(
    ("secs", "text"),
    [
        (0.4, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (41, "41 s"),
        (119, "119 s"),
        (240, "4 min"),
        (7300, "2 h"),
        (200_000, "2 d"),
        (-0.01, "0.0 s"),
        (NAN, "–"),
    ],
)
def test_ages_are_for_people(secs: float, text: str) -> None:
    assert wording.age(secs) == text


@pytest.mark.parametrize(
    ("secs", "text"),
    [
        (0.00004, "40 µs"),
        (0.0009996, "1 ms"),
        (0.003, "3 ms"),
        (0.9996, "1.0 s"),
        (1.2, "1.2 s"),
        (NAN, "–"),
    ],
)
def test_durations_choose_their_unit(secs: float, text: str) -> None:
    assert wording.duration(secs) == text


@pytest.mark.parametrize(
    ("per_sec", "text"), [(0, "0/s"), (2.04, "2.0/s"), (1240.4, "1,240/s"), (NAN, "–")]
)
def test_rates_say_per_second(per_sec: float, text: str) -> None:
    assert wording.rate(per_sec) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(-1, "–"), (0, "0 B"), (999, "999 B"), (3_100_000, "3.1 MB"), (5 * 10**12, "5000.0 GB")],
)
def test_sizes_choose_their_unit(size: int, text: str) -> None:
    assert wording.size(size) == text


def test_one_is_singular() -> None:
    assert [wording.plural(n, "handle") for n in (0, 1, 1204)] == [
        "0 handles",
        "1 handle",
        "1,204 handles",
    ]
    assert wording.plural(2, "proxy", "proxies") == "2 proxies"


@given(st.floats(0, 1e9))
def test_an_age_is_short_whatever_it_is(secs: float) -> None:
    assert len(wording.age(secs)) <= 9
