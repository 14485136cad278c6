from __future__ import annotations

import pytest

from inspector.model.churn import ChurnHistory
from inspector.ui.panes.timeline.time_window import TimeWindow
from tests.helpers.snapshots import T0, make_vitals


def window_over(secs: int) -> tuple[TimeWindow, ChurnHistory]:
    history = ChurnHistory()
    for i in range(secs + 1):
        history.add(make_vitals(T0 + i, [i], [0]))
    return TimeWindow(history), history


def test_it_follows_with_a_little_room_at_the_right() -> None:
    window, history = window_over(100)
    assert window.visible_range == pytest.approx((T0 + 100 - 59.4, T0 + 100.6))
    history.add(make_vitals(T0 + 101, [101], [0]))
    assert window.visible_range[1] == pytest.approx(T0 + 101.6)


def test_it_tells_whether_following_changed() -> None:
    window, _ = window_over(100)
    assert not window.set_following(True)
    assert window.set_following(False)
    assert not window.set_following(False)


def test_paused_it_stands_still_and_goes_on_where_time_is() -> None:
    window, history = window_over(100)
    before = window.visible_range
    window.set_paused(True)
    history.add(make_vitals(T0 + 101, [101], [0]))
    assert window.visible_range == before
    window.set_paused(False)
    assert window.visible_range[1] == pytest.approx(before[1] + 1)


def test_it_cannot_be_moved_to_where_nothing_is() -> None:
    window, _ = window_over(100)
    window.set_span(20)
    window.set_following(False)
    window.pan_to(T0 - 5000)
    assert window.visible_range[0] == T0 - 10
    window.pan_to(T0 + 5000)
    assert window.visible_range[0] == T0 + 98


def test_an_empty_history_can_be_zoomed_and_has_no_moment() -> None:
    window = TimeWindow(ChurnHistory())
    assert window.is_empty()
    window.zoom(0.5, None)
    assert window.span_secs == 5
