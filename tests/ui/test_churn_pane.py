from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from inspector.model.churn import MarkKind
from inspector.model.snapshot import Collection, Snapshot, TargetState, Vitals
from inspector.model.time_of_day import range_text
from inspector.ui.theme import DARK, LIGHT
from inspector.ui.views.churn import FIRST_READING, GONE, NO_TARGET, RECORDED, ChurnPane
from inspector.ui.widgets.churn_lines import REST, TOTAL
from inspector.ui.widgets.churn_plot import ChurnPlot
from inspector.ui.widgets.time_window import auto_span
from tests.helpers.snapshots import T0, World, big_snapshot, make_vitals, snapshot_of, with_state
from tests.helpers.widget_life import what_is_left

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
NAMES = ("TodoList", "TodoItem", "Journal", "Listener", "Cursor", "Blob", "Span")


def named(at: float = T0 - 1) -> Snapshot:
    """A snapshot that knows seven types and no handles, whose counters are the first reading."""
    snapshot = snapshot_of(world=World(types=NAMES), at=at)
    return dataclasses.replace(snapshot, vitals=make_vitals(at, [100] * len(NAMES), [0] * len(NAMES)))


def readings(count: int = 100, every: float = 0.1, collections: tuple[Collection, ...] = ()) -> Iterator[Vitals]:
    """Each reading, type k brings k births and one death."""
    for i in range(count):
        vitals = make_vitals(T0 + i * every, [100 + k * i for k in range(1, 8)], [i] * 7)
        yield dataclasses.replace(vitals, collections=collections)


@pytest.fixture
def pane(qtbot: Any) -> ChurnPane:
    pane = ChurnPane(LIGHT)
    qtbot.addWidget(pane)
    pane.resize(1200, 260)
    pane.show()
    return pane


@pytest.fixture
def fed(pane: ChurnPane) -> ChurnPane:
    pane.show_snapshot(named())
    for vitals in readings():
        pane.show_vitals(vitals)
    pane.plot.set_span(60)
    pane.plot.draw_now()
    return pane


def place_of(plot: ChurnPlot, share: float) -> QPointF:
    """A point of the canvas at that share of the time axis."""
    box = plot._live.getViewBox()
    return QPointF(box.mapToScene(QPointF(box.width() * share, 20)))


SHIFT, NO_KEY = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


def mouse(plot: ChurnPlot, kind: QEvent.Type, place: QPointF, button: Any = LEFT, keys: Any = NO_KEY) -> None:
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
    event = QMouseEvent(kind, place, place, button, button, keys)
    QApplication.sendEvent(plot._canvas.viewport(), event)


def drag(plot: ChurnPlot, first: float, last: float, button: Any = LEFT, keys: Any = NO_KEY) -> None:
    mouse(plot, QEvent.Type.MouseButtonPress, place_of(plot, first), button, keys)
    mouse(plot, QEvent.Type.MouseMove, place_of(plot, last), button, keys)
    mouse(plot, QEvent.Type.MouseButtonRelease, place_of(plot, last), button, keys)


def wheel(plot: ChurnPlot, notches: int, place: QPointF) -> None:
    no_buttons, no_keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    turned = QPoint(0, 120 * notches)
    event = QWheelEvent(place, place, QPoint(), turned, no_buttons, no_keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(plot._canvas.viewport(), event)


def legend(pane: ChurnPane) -> list[str]:
    return [button.text() for button in pane.legend._buttons.values()]


def test_an_empty_pane_says_what_would_fill_it(pane: ChurnPane) -> None:
    assert pane._pages.currentWidget() is pane._message
    assert pane._message.text() == NO_TARGET
    pane.show_snapshot(named())
    assert pane._message.text() == FIRST_READING
    assert pane._pages.currentWidget() is pane._message


def test_a_recorded_state_has_no_time_to_show(pane: ChurnPane) -> None:
    pane.show_snapshot(with_state(named(), TargetState.RECORDED))
    assert pane._message.text() == RECORDED
    assert len(pane.history) == 0


def test_a_target_that_was_gone_before_says_so(pane: ChurnPane) -> None:
    pane.show_snapshot(with_state(named(), TargetState.POST_MORTEM))
    assert pane._message.text() == GONE
    assert pane._pages.currentWidget() is pane._message


def test_the_second_reading_opens_the_plot(pane: ChurnPane) -> None:
    pane.show_snapshot(named())
    pane.show_vitals(make_vitals(T0, [101] * 7, [0] * 7))
    assert pane._pages.currentWidget() is pane._page


def test_a_burst_of_readings_is_one_frame(qtbot: Any, pane: ChurnPane) -> None:
    pane.show_snapshot(named())
    frames: list[object] = []
    pane.plot.painted.connect(frames.append)
    with qtbot.waitSignal(pane.plot.painted):
        for vitals in readings():
            pane.show_vitals(vitals)
    assert len(frames) == 1


def test_what_came_while_the_pane_was_hidden_is_drawn_when_it_is_shown(qtbot: Any, pane: ChurnPane) -> None:
    pane.hide()
    pane.show_snapshot(named())
    with qtbot.assertNotEmitted(pane.plot.painted):
        for vitals in readings(count=10):
            pane.show_vitals(vitals)
    with qtbot.waitSignal(pane.plot.painted):
        pane.show()


def test_the_lines_show_live_handles_births_and_deaths(fed: ChurnPane) -> None:
    total = fed.plot._curves[TOTAL]
    live, births, deaths = (curve.getData()[1] for curve in total)
    assert live[-1] == 700 + 28 * 99 - 7 * 99
    assert np.nanmax(births) == pytest.approx(280)
    assert np.nanmin(deaths) == pytest.approx(-70)


def test_the_busiest_types_have_lines_and_the_rest_has_one(qtbot: Any, pane: ChurnPane) -> None:
    pane.show_snapshot(named())
    for vitals in readings(count=100):
        pane.show_vitals(vitals)
    pane.plot.draw_now()
    assert sorted(pane.plot._types) == [3, 4, 5, 6, 7]
    rest = pane.plot._curves[REST][0].getData()[1]
    assert rest[-1] == (100 + 99 - 99) + (100 + 2 * 99 - 99)


def test_the_legend_names_each_line_with_its_newest_value(fed: ChurnPane) -> None:
    assert legend(fed)[0] == "All  2,779"
    assert "Span  694" in legend(fed)
    assert any(text.startswith("Other types") for text in legend(fed))


def test_the_legend_s_numbers_change_a_few_times_a_second_only(qtbot: Any, fed: ChurnPane) -> None:
    fed.show_vitals(make_vitals(T0 + 10, [1000] * 7, [0] * 7))
    fed.plot.draw_now()
    assert legend(fed)[0] == "All  2,779"
    fed._calm.timeout.emit()
    assert legend(fed)[0] == "All  7,000"


def test_the_busiest_type_comes_first_and_later_types_keep_their_places(pane: ChurnPane) -> None:
    pane.show_snapshot(named())
    for vitals in readings(count=31):
        pane.show_vitals(vitals)
    assert pane._types == (7, 6, 5, 4, 3)
    pane.show_vitals(make_vitals(T0 + 20, [140, 4000, 5000, 900, 800, 700, 311], [30] * 7))
    assert pane._types == (6, 5, 4, 3, 2)


def test_a_click_in_the_legend_hides_a_line_and_another_brings_it_back(qtbot: Any, fed: ChurnPane) -> None:
    button = fed.legend._buttons[7]
    with qtbot.waitSignal(fed.legend.toggled) as switched:
        button.click()
    assert switched.args == [frozenset({7})]
    fed.plot.draw_now()
    assert not fed.plot._curves[7][0].isVisible()
    assert button.text() == "Span  off"
    button.click()
    fed.plot.draw_now()
    assert fed.plot._curves[7][0].isVisible()


def test_a_double_click_in_the_legend_shows_the_type_s_handles(qtbot: Any, fed: ChurnPane) -> None:
    with qtbot.waitSignal(fed.filter_wanted) as wanted:
        qtbot.mouseDClick(fed.legend._buttons[7], Qt.MouseButton.LeftButton)
    assert wanted.args == ['type:"Span"']


def test_types_of_one_colour_differ_by_their_dashes(pane: ChurnPane) -> None:
    names = [name for name in (f"T{i}" for i in range(200)) if LIGHT.category(name) == LIGHT.category("T0")][:3]
    snapshot = snapshot_of(world=World(types=names), at=T0 - 1)
    pane.show_snapshot(dataclasses.replace(snapshot, vitals=make_vitals(T0 - 1, [5] * 3, [0] * 3)))
    pane.show_vitals(make_vitals(T0 + 5, [9] * 3, [0] * 3))
    pens = [pane.plot._pens[index] for index in (1, 2, 3)]
    assert len({pen.color().name() for pen in pens}) == 1
    assert len({pen.style() for pen in pens}) == 3


def test_the_plot_follows_the_newest_reading(fed: ChurnPane) -> None:
    before = fed.plot.visible_range[1]
    fed.show_vitals(make_vitals(T0 + 30, [9000] * 7, [100] * 7))
    assert fed.plot.visible_range[1] == pytest.approx(before + 30 - 9.9)


@pytest.mark.parametrize(("first", "last"), [(0.90, 0.96), (0.96, 0.90)])
def test_dragging_over_the_timeline_asks_for_what_was_born_there(qtbot: Any, fed: ChurnPane, first: float, last: float) -> None:
    begin, end = (fed.plot._moment_at(place_of(fed.plot, share)) for share in (0.90, 0.96))
    with qtbot.waitSignal(fed.born_wanted) as wanted:
        drag(fed.plot, first, last)
    assert wanted.args == [f"born:{range_text(begin, end)}"]
    assert fed.plot.following
    assert fed.plot._ranges.is_shown


def test_a_range_ends_where_the_view_ends(qtbot: Any, fed: ChurnPane) -> None:
    _, end = fed.plot.visible_range
    with qtbot.waitSignal(fed.plot.range_selected) as selected:
        drag(fed.plot, 0.9, 1.4)
    assert selected.args[1] == pytest.approx(end)


def test_a_click_takes_the_range_away_and_does_nothing_where_there_is_none(qtbot: Any, fed: ChurnPane) -> None:
    with qtbot.assertNotEmitted(fed.born_wanted):
        drag(fed.plot, 0.5, 0.5)
    fed.show_range((T0, T0 + 1))
    with qtbot.waitSignal(fed.born_wanted) as wanted:
        drag(fed.plot, 0.5, 0.5)
    assert wanted.args == [""]
    fed.show_range(None)
    assert not fed.plot._ranges.is_shown


def test_a_range_without_a_beginning_is_marked_too(fed: ChurnPane) -> None:
    fed.show_range((-math.inf, T0 + 1))
    fed.plot.draw_now()
    assert fed.plot._ranges.is_shown
    assert not fed.grab().isNull()


@pytest.mark.parametrize(("button", "keys"), [(LEFT, SHIFT), (MIDDLE, NO_KEY)])
def test_panning_looks_back_and_double_click_returns_to_now(qtbot: Any, fed: ChurnPane, button: Any, keys: Any) -> None:
    plot = fed.plot
    plot.set_span(5)
    begin = plot.visible_range[0]
    with qtbot.waitSignal(plot.following_changed) as changed:
        drag(plot, 0.5, 0.7, button, keys)
    assert changed.args == [False]
    assert plot.visible_range[0] == pytest.approx(begin - 1, abs=0.05)
    assert not fed._live_button.isChecked()
    fed.show_vitals(make_vitals(T0 + 30, [9000] * 7, [100] * 7))
    assert plot.visible_range[0] == pytest.approx(begin - 1, abs=0.05)
    mouse(plot, QEvent.Type.MouseButtonDblClick, place_of(plot, 0.5))
    assert plot.following
    assert fed._live_button.isChecked()


def test_a_small_shake_of_the_hand_is_no_drag(fed: ChurnPane) -> None:
    place = place_of(fed.plot, 0.5)
    mouse(fed.plot, QEvent.Type.MouseButtonPress, place)
    mouse(fed.plot, QEvent.Type.MouseMove, place + QPointF(2, 0))
    mouse(fed.plot, QEvent.Type.MouseButtonRelease, place + QPointF(2, 0))
    assert fed.plot.following
    assert not fed.plot._ranges.is_shown


def test_the_wheel_zooms_around_now_while_following_and_around_the_pointer_else(fed: ChurnPane) -> None:
    plot = fed.plot
    end = plot.visible_range[1]
    wheel(plot, 3, place_of(plot, 0.5))
    assert plot.span_secs < 60
    assert plot.visible_range[1] == pytest.approx(end, abs=0.5)
    plot.set_following(False)
    place = place_of(plot, 0.25)
    under = plot._moment_at(place)
    wheel(plot, -2, place)
    assert plot._moment_at(place) == pytest.approx(under, abs=1e-3)


def test_zooming_ends_at_a_second_and_at_the_whole_history(fed: ChurnPane) -> None:
    wheel(fed.plot, 100, place_of(fed.plot, 0.5))
    assert fed.plot.span_secs == 1.0
    wheel(fed.plot, -100, place_of(fed.plot, 0.5))
    assert fed.plot.span_secs == pytest.approx(66.0)


def test_the_keyboard_pans_zooms_and_returns(qtbot: Any, fed: ChurnPane) -> None:
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


def test_the_keyboard_s_place_is_seen(qtbot: Any, fed: ChurnPane) -> None:
    fed.activateWindow()
    with qtbot.waitActive(fed):
        fed.plot.setFocus()
    assert fed.plot.grab().toImage().pixelColor(0, 40).name() == LIGHT.accent
    fed.plot.clearFocus()
    assert fed.plot.grab().toImage().pixelColor(0, 40).name() == LIGHT.surface


def test_a_chosen_width_is_shown(fed: ChurnPane) -> None:
    fed._span.setCurrentIndex(3)
    fed._span.activated.emit(3)
    assert fed.plot.span_secs == 300
    fed.plot.draw_now()
    assert fed.plot.span_secs == 300
    fed._span.activated.emit(0)
    fed.plot.draw_now()
    assert fed.plot.span_secs == 20


@pytest.mark.parametrize(("history", "span"), [(0, 10), (9, 10), (9.9, 20), (25, 30), (59, 60), (3600, 60)])
def test_a_short_history_is_shown_whole_and_a_long_one_by_its_newest_minute(history: float, span: float) -> None:
    assert auto_span(history) == span


def test_zooming_by_hand_stays_and_the_chosen_width_says_so(fed: ChurnPane) -> None:
    wheel(fed.plot, 1, place_of(fed.plot, 0.5))
    assert fed._span.currentIndex() == -1
    span = fed.plot.span_secs
    fed.show_vitals(make_vitals(T0 + 30, [9000] * 7, [100] * 7))
    fed.plot.draw_now()
    assert fed.plot.span_secs == span


def test_paused_it_stands_still_and_forgets_nothing(fed: ChurnPane) -> None:
    fed.set_paused(True)
    before = fed.plot.visible_range
    fed.show_vitals(make_vitals(T0 + 12, [9000] * 7, [100] * 7))
    assert fed.plot.visible_range == before
    fed.set_paused(False)
    assert fed.plot.visible_range[1] > before[1]
    assert fed.history.last_at == T0 + 12


def test_paused_neither_lines_nor_the_legend_s_numbers_change(fed: ChurnPane) -> None:
    fed.set_paused(True)
    line = fed.plot._curves[TOTAL][0].getData()
    fed.show_vitals(make_vitals(T0 + 10.1, [9000] * 7, [100] * 7))
    fed.plot.draw_now()
    fed._calm.timeout.emit()
    assert np.array_equal(fed.plot._curves[TOTAL][0].getData(), line)
    assert legend(fed)[0] == "All  2,779"


def labels(plot: ChurnPlot) -> dict[str, tuple[float, float]]:
    """First and last pixel of each label, by its text."""
    shown = [label for label in plot._marks._labels if label.isVisible()]
    boxes = {label.toPlainText(): label.mapRectToScene(label.boundingRect()) for label in shown}
    return {text: (box.left(), box.right()) for text, box in boxes.items()}


def test_a_label_near_the_right_edge_stands_left_of_its_line(fed: ChurnPane) -> None:
    box = fed.plot._live.getViewBox()
    edge = box.mapToScene(QPointF(box.width(), 0)).x()
    fed.add_mark(T0 + 9.8)
    fed.plot.draw_now()
    fed.grab()  # labels take their places when they are painted
    assert set(labels(fed.plot)) == {"attached", "mark"}
    assert labels(fed.plot)["mark"][1] < edge
    assert labels(fed.plot)["attached"][1] < labels(fed.plot)["mark"][0]


def test_the_pointer_reads_the_values_of_its_moment(qtbot: Any, fed: ChurnPane) -> None:
    mouse(fed.plot, QEvent.Type.MouseMove, place_of(fed.plot, 0.95))
    fed.plot.draw_now()
    assert fed._readout.isVisible()
    at = fed._pointed_at
    live = 700 + 21 * math.floor((at - T0) / 0.1 + 1e-6)
    assert f"live {live:,}" in fed._readout.text()
    assert "+280/s  −70/s over 500 ms" in fed._readout.text()
    assert legend(fed)[0] == f"All  {live:,}"
    QApplication.sendEvent(fed.plot._canvas.viewport(), QEvent(QEvent.Type.Leave))
    fed.plot.draw_now()
    assert not fed._readout.isVisible()


def test_before_the_first_reading_the_pointer_reads_nothing(fed: ChurnPane) -> None:
    mouse(fed.plot, QEvent.Type.MouseMove, place_of(fed.plot, 0.2))
    fed.plot.draw_now()
    assert "no reading" in fed._readout.text()


def test_the_pointer_on_a_collection_says_what_it_freed(fed: ChurnPane) -> None:
    collection = Collection(1, fed.plot._moment_at(place_of(fed.plot, 0.95)), 0.0384, 312, 2, True)
    fed.show_vitals(dataclasses.replace(make_vitals(T0 + 10, [9000] * 7, [100] * 7), collections=(collection,)))
    fed.plot._point_at(place_of(fed.plot, 0.95))
    fed.plot._pointed_at = collection.at
    fed._pointed_at = collection.at
    fed.plot.draw_now()
    assert "Forced collection freed 312 objects in 38.4 ms" in fed._readout.text()


def test_collections_marks_and_attaching_are_vertical_lines_with_a_name(fed: ChurnPane) -> None:
    fed.add_mark(T0 + 4, "before the upload")
    collection = Collection(1, T0 + 6, 0.01, 3, 0, False)
    fed.show_vitals(dataclasses.replace(make_vitals(T0 + 10, [9000] * 7, [100] * 7), collections=(collection,)))
    fed.plot.draw_now()
    curves = {kind: fed.plot._marks._curves[kind][0].getData()[0] for kind in MarkKind}
    assert curves[MarkKind.MARK][0] == pytest.approx(5)
    assert curves[MarkKind.COLLECTION][0] == pytest.approx(7)
    assert curves[MarkKind.ATTACH][0] == pytest.approx(0)
    shown = [label.toPlainText() for label in fed.plot._marks._labels if label.isVisible()]
    assert shown == ["mark", "attached"]


def test_a_gap_breaks_every_line(fed: ChurnPane) -> None:
    fed.show_vitals(make_vitals(T0 + 25, [900] * 7, [100] * 7))
    fed.show_vitals(make_vitals(T0 + 26, [901] * 7, [100] * 7))
    fed.plot.draw_now()
    for curve in fed.plot._curves[TOTAL]:
        assert np.isnan(curve.getData()[1]).any()
        assert curve.opts["connect"] == "finite"


def test_the_scale_stays_while_the_values_fit_it(fed: ChurnPane) -> None:
    before = fed.plot._live.viewRange()[1]
    fed.show_vitals(make_vitals(T0 + 10, [100 + k * 99 - 3 for k in range(1, 8)], [99] * 7))
    fed.plot.draw_now()
    assert fed.plot._live.viewRange()[1] == before
    assert before[0] == 0


def test_another_process_begins_a_new_time_axis(fed: ChurnPane) -> None:
    other = named(at=T0 + 50)
    fed.show_snapshot(dataclasses.replace(other, target=dataclasses.replace(other.target, pid=4712)))
    assert len(fed.history) == 1
    assert [mark.kind for mark in fed.history.marks] == [MarkKind.ATTACH]
    fed.clear()
    assert fed._message.text() == NO_TARGET
    assert legend(fed) == []


def test_a_lost_target_keeps_its_lines(fed: ChurnPane) -> None:
    count = len(fed.history)
    fed.show_snapshot(with_state(named(), TargetState.POST_MORTEM))
    fed.plot.draw_now()
    assert len(fed.history) == count
    assert fed._pages.currentWidget() is fed._page


def test_a_hundred_thousand_handles_of_many_types_are_shown(pane: ChurnPane) -> None:
    big = big_snapshot(100_000, world=World(types=tuple(f"Type{i}" for i in range(300))))
    pane.show_snapshot(big)
    pane.show_vitals(dataclasses.replace(big.vitals, at=T0 + 1))
    pane.plot.draw_now()
    assert legend(pane)[0] == "All  100,000"


def test_another_theme_redraws_every_line_in_its_colours(fed: ChurnPane) -> None:
    fed.set_theme(DARK)
    fed.plot.draw_now()
    assert fed.plot._pens[TOTAL].color().name() == DARK.text
    assert fed.plot._curves[TOTAL][0].opts["pen"].color().name() == DARK.text
    picture = fed.plot._canvas.grab().toImage()
    assert picture.pixelColor(picture.width() - 3, 3).name() == DARK.surface


def test_the_legend_leaves_out_what_has_no_room(qtbot: Any, fed: ChurnPane) -> None:
    fed.resize(420, 200)
    QApplication.processEvents()
    shown = [button for button in fed.legend._buttons.values() if button.isVisible()]
    assert 0 < len(shown) < len(fed.legend._buttons)
    assert all(button.geometry().right() <= fed.legend.width() for button in shown)


def test_the_plot_says_its_values_to_a_screen_reader(fed: ChurnPane) -> None:
    assert fed.plot.accessibleName() == "Timeline of live handles, births and deaths"
    assert "live 2,779" in fed.plot.accessibleDescription()


def test_a_dropped_pane_leaves_nothing(qapp: Any) -> None:
    pane: list[QWidget] = [ChurnPane(LIGHT)]
    pane[0].show_snapshot(named())
    pane[0].show_vitals(make_vitals(T0, [101] * 7, [0] * 7))
    pane[0].show()
    pane[0].plot.draw_now()
    assert what_is_left(pane, ["plot", "legend", "history"]) == []
