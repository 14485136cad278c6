from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QToolButton

from inspector.model.snapshot import Collection
from inspector.model.time_of_day import range_text
from inspector.ui.kit.theme import LIGHT
from inspector.ui.panes.timeline.pane import TimelinePane
from inspector.ui.panes.timeline.time_window import auto_span
from tests.helpers.reading import choose, is_shown, part, text_of
from tests.helpers.snapshots import T0, make_vitals
from tests.helpers.timelines import (
    LEFT,
    MIDDLE,
    NO_KEY,
    SHIFT,
    drag,
    legend,
    mouse,
    place_of,
    wheel,
)

AXIS = "Width of the time axis"
READOUT = "Values at the pointer"
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


def test_the_plot_follows_the_newest_reading(fed: TimelinePane) -> None:
    before = fed.plot.visible_range[1]
    fed.show_vitals(make_vitals(T0 + 30, [9000] * 7, [100] * 7))
    assert fed.plot.visible_range[1] == pytest.approx(before + 30 - 9.9)


@pytest.mark.parametrize(("first", "last"), [(0.90, 0.96), (0.96, 0.90)])
def test_dragging_over_the_timeline_asks_for_what_was_born_there(
    qtbot: Any, fed: TimelinePane, first: float, last: float
) -> None:
    begin, end = (fed.plot.moment_at(place_of(fed.plot, share)) for share in (0.90, 0.96))
    with qtbot.waitSignal(fed.born_wanted) as wanted:
        drag(fed.plot, first, last)
    assert wanted.args == [f"born:{range_text(begin, end)}"]
    assert fed.plot.following
    assert fed.plot.ranges.is_shown


def test_a_range_ends_where_the_view_ends(qtbot: Any, fed: TimelinePane) -> None:
    _, end = fed.plot.visible_range
    with qtbot.waitSignal(fed.plot.range_selected) as selected:
        drag(fed.plot, 0.9, 1.4)
    assert selected.args[1] == pytest.approx(end)


def test_a_click_takes_the_range_away_and_does_nothing_where_there_is_none(
    qtbot: Any, fed: TimelinePane
) -> None:
    with qtbot.assertNotEmitted(fed.born_wanted):
        drag(fed.plot, 0.5, 0.5)
    fed.show_range((T0, T0 + 1))
    with qtbot.waitSignal(fed.born_wanted) as wanted:
        drag(fed.plot, 0.5, 0.5)
    assert wanted.args == [""]
    fed.show_range(None)
    assert not fed.plot.ranges.is_shown


def test_a_range_without_a_beginning_is_marked_too(fed: TimelinePane) -> None:
    fed.show_range((-math.inf, T0 + 1))
    fed.plot.draw_now()
    assert fed.plot.ranges.is_shown
    assert not fed.grab().isNull()


@pytest.mark.parametrize(("button", "keys"), [(LEFT, SHIFT), (MIDDLE, NO_KEY)])
def test_panning_looks_back_and_double_click_returns_to_now(
    qtbot: Any, fed: TimelinePane, button: Any, keys: Any
) -> None:
    plot = fed.plot
    plot.set_span(5)
    begin = plot.visible_range[0]
    with qtbot.waitSignal(plot.following_changed) as changed:
        drag(plot, 0.5, 0.7, button, keys)
    assert changed.args == [False]
    assert plot.visible_range[0] == pytest.approx(begin - 1, abs=0.05)
    assert not part(fed, "Live", QToolButton).isChecked()
    fed.show_vitals(make_vitals(T0 + 30, [9000] * 7, [100] * 7))
    assert plot.visible_range[0] == pytest.approx(begin - 1, abs=0.05)
    mouse(plot, QEvent.Type.MouseButtonDblClick, place_of(plot, 0.5))
    assert plot.following
    assert part(fed, "Live", QToolButton).isChecked()


def test_a_small_shake_of_the_hand_is_no_drag(fed: TimelinePane) -> None:
    place = place_of(fed.plot, 0.5)
    mouse(fed.plot, QEvent.Type.MouseButtonPress, place)
    mouse(fed.plot, QEvent.Type.MouseMove, place + QPointF(2, 0))
    mouse(fed.plot, QEvent.Type.MouseButtonRelease, place + QPointF(2, 0))
    assert fed.plot.following
    assert not fed.plot.ranges.is_shown


def test_the_wheel_zooms_around_now_while_following_and_around_the_pointer_else(
    fed: TimelinePane,
) -> None:
    plot = fed.plot
    end = plot.visible_range[1]
    wheel(plot, 3, place_of(plot, 0.5))
    assert plot.span_secs < 60
    assert plot.visible_range[1] == pytest.approx(end, abs=0.5)
    plot.set_following(False)
    place = place_of(plot, 0.25)
    under = plot.moment_at(place)
    wheel(plot, -2, place)
    assert plot.moment_at(place) == pytest.approx(under, abs=1e-3)


def test_zooming_ends_at_a_second_and_at_the_whole_history(fed: TimelinePane) -> None:
    wheel(fed.plot, 100, place_of(fed.plot, 0.5))
    assert fed.plot.span_secs == 1.0
    wheel(fed.plot, -100, place_of(fed.plot, 0.5))
    assert fed.plot.span_secs == pytest.approx(66.0)


def test_the_keyboard_pans_zooms_and_returns(qtbot: Any, fed: TimelinePane) -> None:
    plot = fed.plot
    begin = plot.visible_range[0]
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.visible_range[0] == pytest.approx(begin - 6)
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.span_secs == pytest.approx(48)
    qtbot.keyClick(plot, Qt.Key.Key_Home)
    assert plot.visible_range[0] == pytest.approx(T0 - 1)
    qtbot.keyClick(plot, Qt.Key.Key_End)
    assert plot.following


def test_the_keyboard_s_place_is_seen(qtbot: Any, fed: TimelinePane) -> None:
    fed.activateWindow()
    with qtbot.waitActive(fed):
        fed.plot.setFocus()
    assert fed.plot.grab().toImage().pixelColor(0, 40).name() == LIGHT.accent
    fed.plot.clearFocus()
    assert fed.plot.grab().toImage().pixelColor(0, 40).name() == LIGHT.surface


def test_a_chosen_width_is_shown(fed: TimelinePane) -> None:
    choose(fed, AXIS, "5 min")
    assert fed.plot.span_secs == 300
    fed.plot.draw_now()
    assert fed.plot.span_secs == 300
    choose(fed, AXIS, "Auto")
    fed.plot.draw_now()
    assert fed.plot.span_secs == 20


@pytest.mark.parametrize(
    ("history", "span"), [(0, 10), (9, 10), (9.9, 20), (25, 30), (59, 60), (3600, 60)]
)
def test_a_short_history_is_shown_whole_and_a_long_one_by_its_newest_minute(
    history: float, span: float
) -> None:
    assert auto_span(history) == span


def test_zooming_by_hand_stays_and_the_chosen_width_says_so(fed: TimelinePane) -> None:
    wheel(fed.plot, 1, place_of(fed.plot, 0.5))
    assert part(fed, AXIS, QComboBox).currentIndex() == -1
    span = fed.plot.span_secs
    fed.show_vitals(make_vitals(T0 + 30, [9000] * 7, [100] * 7))
    fed.plot.draw_now()
    assert fed.plot.span_secs == span


def test_the_pointer_reads_the_values_of_its_moment(qtbot: Any, fed: TimelinePane) -> None:
    pointed: list[float] = []
    fed.plot.pointed.connect(pointed.append)
    mouse(fed.plot, QEvent.Type.MouseMove, place_of(fed.plot, 0.95))
    fed.plot.draw_now()
    assert is_shown(fed, READOUT)
    live = 700 + 21 * math.floor((pointed[-1] - T0) / 0.1 + 1e-6)
    assert f"live {live:,}" in text_of(fed, READOUT)
    assert "+280/s  −70/s over 500 ms" in text_of(fed, READOUT)
    assert legend(fed)[0] == f"All  {live:,}"
    QApplication.sendEvent(fed.plot.canvas.viewport(), QEvent(QEvent.Type.Leave))
    fed.plot.draw_now()
    assert not is_shown(fed, READOUT)


def test_before_the_first_reading_the_pointer_reads_nothing(fed: TimelinePane) -> None:
    mouse(fed.plot, QEvent.Type.MouseMove, place_of(fed.plot, 0.2))
    fed.plot.draw_now()
    assert "no reading" in text_of(fed, READOUT)


def test_the_pointer_on_a_collection_says_what_it_freed(fed: TimelinePane) -> None:
    collection = Collection(1, fed.plot.moment_at(place_of(fed.plot, 0.95)), 0.0384, 312, 2, True)
    fed.show_vitals(
        dataclasses.replace(make_vitals(T0 + 10, [9000] * 7, [100] * 7), collections=(collection,))
    )
    fed.plot.pointed.emit(collection.at)
    fed.plot.draw_now()
    assert "Forced collection freed 312 objects in 38.4 ms" in text_of(fed, READOUT)
