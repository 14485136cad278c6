from __future__ import annotations

import time

import pytest

from inspector.ui.panes.timeline.count_axis import step_of
from inspector.ui.panes.timeline.lines import ceiling
from inspector.ui.panes.timeline.marks import thinned
from inspector.ui.panes.timeline.time_axis import STEPS_SECS, clock_label, step_secs

AFTERNOON = time.mktime((2026, 1, 5, 14, 3, 20, 0, 0, -1))


@pytest.mark.parametrize(
    ("spacing", "text"),
    [
        (3600, "14:03"),
        (60, "14:03"),
        (15, "14:03:20"),
        (1, "14:03:20"),
        (0.5, "14:03:20.5"),
        (0.05, "14:03:20.50"),
    ],
)
def test_a_label_is_as_exact_as_its_spacing_asks(spacing: float, text: str) -> None:
    assert clock_label(AFTERNOON + (0.5 if spacing < 1 else 0), spacing) == text


def test_a_fraction_that_rounds_up_carries_into_the_second() -> None:
    assert clock_label(AFTERNOON + 0.97, 0.5) == "14:03:21.0"


@pytest.mark.parametrize("span", [0.5, 10, 60, 3600, 86_400, 864_000])
@pytest.mark.parametrize("pixels", [300, 1400])
def test_labels_have_room_and_are_not_few(span: float, pixels: float) -> None:
    step = step_secs(span, pixels)
    assert step * pixels / span >= 90
    assert step in STEPS_SECS or step % 86_400 == 0


@pytest.mark.parametrize(
    ("span", "pixels", "step"),
    [(20_000, 200, 2000), (6000, 45, 2000), (6, 400, 1), (0.5, 100, 1), (100, 70, 20)],
)
def test_labels_of_counts_are_round_and_do_not_touch(
    span: float, pixels: float, step: float
) -> None:
    assert step_of(span, pixels) == step


def test_a_scale_is_round_has_air_and_stays_while_it_fits() -> None:
    assert ceiling(0, 0) == 5
    assert ceiling(1900, 0) == 2500
    assert ceiling(1900, 2500) == 2500
    assert ceiling(1100, 2500) == 2500
    assert ceiling(900, 2500) == 1000
    assert ceiling(2450, 2500) == 3000


def test_marks_that_lie_together_are_one_line_and_do_not_change_while_scrolling() -> None:
    moments = [i * 0.01 for i in range(1000)]
    assert len(thinned(moments, 1.0)) == 10
    assert list(thinned(moments[50:], 1.0))[1:] == list(thinned(moments, 1.0))[1:]
    assert len(thinned([], 1.0)) == 0
