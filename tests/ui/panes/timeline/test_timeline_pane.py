from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QSettings, Qt, QTimer
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from inspector.model.diff import diff
from inspector.model.marks import mark_now
from inspector.model.snapshot import Collection, TargetState
from inspector.model.time_marks import MarkKind
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.timeline.lines import REST, TOTAL
from inspector.ui.panes.timeline.pane import FIRST_READING, GONE, NO_TARGET, RECORDED, TimelinePane
from inspector.ui.panes.timeline.plot import TimelinePlot
from tests.helpers.reading import is_shown, part, text_of
from tests.helpers.snapshots import (
    T0,
    Row,
    World,
    big_snapshot,
    make_vitals,
    snapshot_of,
    with_state,
)
from tests.helpers.timelines import legend, legend_buttons, named, readings
from tests.helpers.widget_life import what_is_left

NO_PLOT = "Why there is no plot"
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


def message(pane: TimelinePane) -> str:
    """The sentence in place of the plot; empty when the plot is shown."""
    return text_of(pane, NO_PLOT) if is_shown(pane, NO_PLOT) else ""


def types_of(pane: TimelinePane) -> list[str]:
    """Types with a line of their own, in the order of the legend."""
    return [
        text.partition("  ")[0]
        for text in legend(pane)
        if not text.startswith(("All  ", "Other types  "))
    ]


def pen_of(pane: TimelinePane, key: int) -> QPen:
    """The pen of the line of live handles."""
    pen = pane.plot.curves[key][0].opts["pen"]
    assert isinstance(pen, QPen)
    return pen


def test_an_empty_pane_says_what_would_fill_it(pane: TimelinePane) -> None:
    assert message(pane) == NO_TARGET
    pane.show_snapshot(named())
    assert message(pane) == FIRST_READING


def test_a_recorded_state_has_no_time_to_show(pane: TimelinePane) -> None:
    pane.show_snapshot(with_state(named(), TargetState.RECORDED))
    assert message(pane) == RECORDED
    assert len(pane.history) == 0


def test_the_births_that_lived_on_to_the_later_mark_are_shaded_within_all_births(
    fed: TimelinePane,
) -> None:
    begin, end = fed.history.first_at + 1, fed.history.last_at - 1
    middle = (begin + end) / 2
    snapshot = snapshot_of([Row(number, age_secs=T0 - begin) for number in range(1, 4)])
    first, later = mark_now(snapshot_of([], at=T0 - 1), "mark 1"), mark_now(snapshot, "mark 2")
    fed.show_comparison(diff(first, later))
    fed.plot.draw_now()
    assert fed.plot.shade.curve.isVisible()
    at, values = fed.plot.shade.curve.getData()
    assert values[at + fed.history.first_at < middle].max() > 0
    assert values[at + fed.history.first_at > middle].max() == 0
    assert fed.plot.canvas.births_caption.text == "births/s, shaded: alive at mark 2"
    fed.show_comparison(None)
    assert not fed.plot.shade.curve.isVisible()
    assert fed.plot.canvas.births_caption.text == "births/s"


def test_a_target_that_was_gone_before_says_so(pane: TimelinePane) -> None:
    pane.show_snapshot(with_state(named(), TargetState.POST_MORTEM))
    assert message(pane) == GONE


def test_the_second_reading_opens_the_plot(pane: TimelinePane) -> None:
    pane.show_snapshot(named())
    pane.show_vitals(make_vitals(T0, [101] * 7, [0] * 7))
    assert (message(pane), pane.plot.isVisible()) == ("", True)


def test_a_burst_of_readings_is_one_frame(qtbot: Any, pane: TimelinePane) -> None:
    pane.show_snapshot(named())
    frames: list[object] = []
    pane.plot.painted.connect(frames.append)
    with qtbot.waitSignal(pane.plot.painted):
        for vitals in readings():
            pane.show_vitals(vitals)
    assert len(frames) == 1


def test_what_came_while_the_pane_was_hidden_is_drawn_when_it_is_shown(
    qtbot: Any, pane: TimelinePane
) -> None:
    pane.hide()
    pane.show_snapshot(named())
    with qtbot.assertNotEmitted(pane.plot.painted):
        for vitals in readings(count=10):
            pane.show_vitals(vitals)
    with qtbot.waitSignal(pane.plot.painted):
        pane.show()


def test_the_lines_show_live_handles_births_and_deaths(fed: TimelinePane) -> None:
    total = fed.plot.curves[TOTAL]
    live, births, deaths = (curve.getData()[1] for curve in total)
    assert live[-1] == 700 + 28 * 99 - 7 * 99
    assert np.nanmax(births) == pytest.approx(280)
    assert np.nanmin(deaths) == pytest.approx(-70)


def test_the_busiest_types_have_lines_and_the_rest_has_one(qtbot: Any, pane: TimelinePane) -> None:
    pane.show_snapshot(named())
    for vitals in readings(count=100):
        pane.show_vitals(vitals)
    pane.plot.draw_now()
    assert sorted(pane.plot.curves) == [REST, TOTAL, 3, 4, 5, 6, 7]
    rest = pane.plot.curves[REST][0].getData()[1]
    assert rest[-1] == (100 + 99 - 99) + (100 + 2 * 99 - 99)


def test_the_legend_names_each_line_with_its_newest_value(fed: TimelinePane) -> None:
    assert legend(fed)[0] == "All  2,779"
    assert "Span  694" in legend(fed)
    assert any(text.startswith("Other types") for text in legend(fed))


def test_the_legend_s_numbers_change_a_few_times_a_second_only(
    fed: TimelinePane, calm: QTimer
) -> None:
    fed.show_vitals(make_vitals(T0 + 10, [1000] * 7, [0] * 7))
    fed.plot.draw_now()
    assert legend(fed)[0] == "All  2,779"
    calm.timeout.emit()
    assert legend(fed)[0] == "All  7,000"


def test_the_busiest_type_comes_first_and_later_types_keep_their_places(pane: TimelinePane) -> None:
    pane.show_snapshot(named())
    for vitals in readings(count=31):
        pane.show_vitals(vitals)
    assert types_of(pane) == ["Span", "Blob", "Cursor", "Listener", "Journal"]
    pane.show_vitals(make_vitals(T0 + 20, [140, 4000, 5000, 900, 800, 700, 311], [30] * 7))
    assert types_of(pane) == ["Blob", "Cursor", "Listener", "Journal", "TodoItem"]


def test_a_click_in_the_legend_hides_a_line_and_another_brings_it_back(
    qtbot: Any, fed: TimelinePane
) -> None:
    button = part(fed.legend, "Span", QToolButton)
    with qtbot.waitSignal(fed.legend.toggled) as switched:
        button.click()
    assert switched.args == [frozenset({7})]
    fed.plot.draw_now()
    assert not fed.plot.curves[7][0].isVisible()
    assert button.text() == "Span  off"
    button.click()
    fed.plot.draw_now()
    assert fed.plot.curves[7][0].isVisible()


def test_a_double_click_in_the_legend_shows_the_type_s_handles(
    qtbot: Any, fed: TimelinePane
) -> None:
    with qtbot.waitSignal(fed.filter_wanted) as wanted:
        qtbot.mouseDClick(part(fed.legend, "Span", QToolButton), Qt.MouseButton.LeftButton)
    assert wanted.args == ['type:"Span"']


def test_types_of_one_colour_differ_by_their_dashes(qtbot: Any, settings: QSettings) -> None:
    names = [f"T{i}" for i in range(3)]
    settings.setValue("type_colors", json.dumps(dict.fromkeys(names, 2)))
    pane = TimelinePane(LIGHT, colors=TypeColors(settings))
    qtbot.addWidget(pane)
    pane.resize(900, 300)
    pane.show()
    snapshot = snapshot_of(world=World(types=names), at=T0 - 1)
    pane.show_snapshot(dataclasses.replace(snapshot, vitals=make_vitals(T0 - 1, [5] * 3, [0] * 3)))
    pane.show_vitals(make_vitals(T0 + 5, [9] * 3, [0] * 3))
    pens = [pen_of(pane, index) for index in (1, 2, 3)]
    assert len({pen.color().name() for pen in pens}) == 1
    assert len({pen.style() for pen in pens}) == 3


def test_paused_it_stands_still_and_forgets_nothing(fed: TimelinePane) -> None:
    fed.set_paused(True)
    before = fed.plot.visible_range
    fed.show_vitals(make_vitals(T0 + 12, [9000] * 7, [100] * 7))
    assert fed.plot.visible_range == before
    fed.set_paused(False)
    assert fed.plot.visible_range[1] > before[1]
    assert fed.history.last_at == T0 + 12


def test_paused_neither_lines_nor_the_legend_s_numbers_change(
    fed: TimelinePane, calm: QTimer
) -> None:
    fed.set_paused(True)
    line = fed.plot.curves[TOTAL][0].getData()
    fed.show_vitals(make_vitals(T0 + 10.1, [9000] * 7, [100] * 7))
    fed.plot.draw_now()
    calm.timeout.emit()
    assert np.array_equal(fed.plot.curves[TOTAL][0].getData(), line)
    assert legend(fed)[0] == "All  2,779"


def labels(plot: TimelinePlot) -> dict[str, tuple[float, float]]:
    """First and last pixel of each label, by its text."""
    shown = [label for label in plot.marks.labels if label.isVisible()]
    boxes = {label.toPlainText(): label.mapRectToScene(label.boundingRect()) for label in shown}
    return {text: (box.left(), box.right()) for text, box in boxes.items()}


def test_a_label_near_the_right_edge_stands_left_of_its_line(fed: TimelinePane) -> None:
    box = fed.plot.canvas.live.getViewBox()
    edge = box.mapToScene(QPointF(box.width(), 0)).x()
    fed.add_mark(T0 + 9.8)
    fed.plot.draw_now()
    fed.grab()  # labels take their places when they are painted
    assert set(labels(fed.plot)) == {"attached", "mark"}
    assert labels(fed.plot)["mark"][1] < edge
    assert labels(fed.plot)["attached"][1] < labels(fed.plot)["mark"][0]


def test_a_plot_that_is_lower_than_a_word_has_no_labels(fed: TimelinePane) -> None:
    fed.resize(fed.width(), 72)
    fed.grab()
    fed.plot.draw_now()
    assert labels(fed.plot) == {}
    fed.resize(fed.width(), 300)
    fed.grab()
    fed.plot.draw_now()
    assert set(labels(fed.plot)) == {"attached"}


def test_collections_marks_and_attaching_are_vertical_lines_with_a_name(fed: TimelinePane) -> None:
    fed.add_mark(T0 + 4, "before the upload")
    collection = Collection(1, T0 + 6, 0.01, 3, 0, False)
    fed.show_vitals(
        dataclasses.replace(make_vitals(T0 + 10, [9000] * 7, [100] * 7), collections=(collection,))
    )
    fed.plot.draw_now()
    curves = {kind: fed.plot.marks.curves[kind][0].getData()[0] for kind in MarkKind}
    assert curves[MarkKind.MARK][0] == pytest.approx(5)
    assert curves[MarkKind.COLLECTION][0] == pytest.approx(7)
    assert curves[MarkKind.ATTACH][0] == pytest.approx(0)
    shown = [label.toPlainText() for label in fed.plot.marks.labels if label.isVisible()]
    assert shown == ["mark", "attached"]


def test_a_gap_breaks_every_line(fed: TimelinePane) -> None:
    fed.show_vitals(make_vitals(T0 + 25, [900] * 7, [100] * 7))
    fed.show_vitals(make_vitals(T0 + 26, [901] * 7, [100] * 7))
    fed.plot.draw_now()
    for curve in fed.plot.curves[TOTAL]:
        assert np.isnan(curve.getData()[1]).any()
        assert curve.opts["connect"] == "finite"


def test_the_scale_stays_while_the_values_fit_it(fed: TimelinePane) -> None:
    before = fed.plot.canvas.live.viewRange()[1]
    fed.show_vitals(make_vitals(T0 + 10, [100 + k * 99 - 3 for k in range(1, 8)], [99] * 7))
    fed.plot.draw_now()
    assert fed.plot.canvas.live.viewRange()[1] == before
    assert before[0] == 0


def test_another_process_begins_a_new_time_axis(fed: TimelinePane) -> None:
    other = named(at=T0 + 50)
    fed.show_snapshot(
        dataclasses.replace(other, target=dataclasses.replace(other.target, pid=4712))
    )
    assert len(fed.history) == 1
    assert [mark.kind for mark in fed.history.marks] == [MarkKind.ATTACH]
    fed.clear()
    assert message(fed) == NO_TARGET
    assert legend(fed) == []


def test_a_lost_target_keeps_its_lines(fed: TimelinePane) -> None:
    count = len(fed.history)
    fed.show_snapshot(with_state(named(), TargetState.POST_MORTEM))
    fed.plot.draw_now()
    assert len(fed.history) == count
    assert (message(fed), fed.plot.isVisible()) == ("", True)


def test_a_hundred_thousand_handles_of_many_types_are_shown(pane: TimelinePane) -> None:
    big = big_snapshot(100_000, world=World(types=tuple(f"Type{i}" for i in range(300))))
    pane.show_snapshot(big)
    pane.show_vitals(dataclasses.replace(big.vitals, at=T0 + 1))
    pane.plot.draw_now()
    assert legend(pane)[0] == "All  100,000"


def test_another_theme_redraws_every_line_in_its_colours(fed: TimelinePane) -> None:
    fed.set_theme(DARK)
    fed.plot.draw_now()
    assert {curve.opts["pen"].color().name() for curve in fed.plot.curves[TOTAL]} == {DARK.text}
    picture = fed.plot.canvas.grab().toImage()
    assert picture.pixelColor(picture.width() - 3, 3).name() == DARK.surface


def test_the_legend_leaves_out_what_has_no_room(qtbot: Any, fed: TimelinePane) -> None:
    fed.resize(420, 200)
    QApplication.processEvents()
    shown = [button for button in legend_buttons(fed) if button.isVisible()]
    assert 0 < len(shown) < len(legend_buttons(fed))
    assert all(button.geometry().right() <= fed.legend.width() for button in shown)


def test_the_plot_says_its_values_to_a_screen_reader(fed: TimelinePane) -> None:
    assert fed.plot.accessibleName() == "Timeline of live handles, births and deaths"
    assert "live 2,779" in fed.plot.accessibleDescription()


def test_a_dropped_pane_leaves_nothing(qapp: Any) -> None:
    pane: list[QWidget] = [TimelinePane(LIGHT)]
    pane[0].show_snapshot(named())
    pane[0].show_vitals(make_vitals(T0, [101] * 7, [0] * 7))
    pane[0].show()
    pane[0].plot.draw_now()
    assert what_is_left(pane) == []


def test_mark_lines_end_at_the_edges_of_their_plot_at_every_scale(fed: TimelinePane) -> None:
    fed.add_mark(T0 + 4, "before the upload")
    for hidden in (frozenset(), frozenset({TOTAL})):
        fed.plot.set_hidden(hidden)
        fed.plot.set_since(T0 + 1 if hidden else None)
        fed.plot.draw_now()
        for curve, plot in zip(
            fed.plot.marks.curves[MarkKind.MARK], fed.plot.canvas.plots, strict=True
        ):
            _, ends = curve.getData()
            assert ends.tolist() == plot.getViewBox().viewRange()[1]


def test_a_low_timeline_shows_births_and_deaths_as_two_areas_without_lines(
    fed: TimelinePane,
) -> None:
    fed.resize(1200, 120)
    fed.plot.draw_now()
    shown = {
        key: [curve.isVisible() for curve in curves[1:]] for key, curves in fed.plot.curves.items()
    }
    assert [key for key, rates in shown.items() if any(rates)] == [TOTAL]
    for curve in fed.plot.curves[TOTAL][1:]:
        assert curve.opts["pen"].style() == Qt.PenStyle.NoPen
        assert curve.opts["brush"] is not None
    fed.resize(1200, 260)
    fed.plot.draw_now()
    assert fed.plot.curves[TOTAL][1].opts["pen"].style() != Qt.PenStyle.NoPen


def test_the_modes_are_there_again_after_the_timeline_was_folded(pane: TimelinePane) -> None:
    pane.set_folded(True)
    pane.resize(1300, 30)
    assert not is_shown(pane, "Timeline: Change")
    pane.show_snapshot(named())
    for vitals in readings(3):
        pane.show_vitals(vitals)
    pane.set_folded(False)
    assert is_shown(pane, "Timeline: Change")
