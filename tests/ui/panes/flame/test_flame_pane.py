from __future__ import annotations

import dataclasses
import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inspector.model.flame import Flame, FlameGraph, Weight, build_flames
from inspector.model.snapshot import Snapshot, Target
from inspector.ui.kit.theme import DARK, Theme
from inspector.ui.panes.flame import pane as flame
from inspector.ui.panes.flame.icicle import ROW_HEIGHT, Icicle, value_text
from inspector.ui.panes.flame.pane import EMPTY, NO_TARGET, FlamePane, note_text
from inspector.ui.session.bridge import BackgroundRunner
from inspector.vocabulary import Level
from tests.helpers.reading import click, is_busy
from tests.helpers.snapshots import Row, big_snapshot, snapshot_of
from tests.helpers.widget_life import what_is_left

ROWS = (Row(1, "TodoItem"), Row(2, "TodoItem"), Row(3, "Journal", site=2))


@pytest.fixture
def pane(qtbot: QtBot, theme: Theme, runner: BackgroundRunner) -> FlamePane:
    made = FlamePane(theme, runner)
    qtbot.addWidget(made)
    made.resize(800, 240)
    made.show()
    return made


@pytest.fixture
def icicle(qtbot: QtBot, theme: Theme) -> Icicle:
    made = Icicle(theme)
    qtbot.addWidget(made)
    made.resize(600, 120)
    made.show_graph(build_flames(snapshot_of(ROWS)))
    made.show()
    return made


def centre(icicle: Icicle, text: str) -> QPoint:
    graph = icicle.graph
    assert graph is not None
    return (
        icicle.area(next(flame for flame in graph.flames if flame.text == text)).center().toPoint()
    )


def test_without_a_target_the_pane_says_so(pane: FlamePane) -> None:
    assert pane.note.text() == NO_TARGET


def test_what_is_alive_is_drawn_and_summed_up(pane: FlamePane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of(ROWS))
    qtbot.waitUntil(lambda: pane.note.text().startswith("3 handles alive"))
    assert "one frame each" in pane.note.text()
    assert not pane.grab().isNull()


def test_nothing_alive_is_an_answer(pane: FlamePane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of())
    qtbot.waitUntil(lambda: pane.note.text() == EMPTY)


def test_the_weight_can_be_switched_to_bytes(pane: FlamePane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of(ROWS))
    qtbot.waitUntil(lambda: pane.note.text().startswith("3 handles"))
    pane.weight.setCurrentIndex(1)
    qtbot.waitUntil(lambda: "bytes alive" in pane.note.text() or "unknown size" in pane.note.text())


def test_a_click_filters_the_table_and_zooms_in(pane: FlamePane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of(ROWS))
    qtbot.waitUntil(lambda: pane.icicle.focus is not None)
    with qtbot.waitSignal(pane.filter_wanted) as wanted:
        qtbot.mouseClick(pane.icicle, Qt.MouseButton.LeftButton, pos=centre(pane.icicle, "Journal"))
    assert wanted.args[0].startswith('type:"Journal" site:')
    assert pane.icicle.focus is not None
    assert pane.icicle.focus.text == "Journal"  # type: ignore[union-attr]
    with qtbot.waitSignal(pane.filter_wanted) as wanted:
        click(pane, "Show everything")
    assert wanted.args == [""]
    assert pane.icicle.focus.depth == 0  # type: ignore[union-attr]


def test_the_zoom_stays_on_its_frame_when_the_graph_is_built_anew(icicle: Icicle) -> None:
    icicle.zoom(next(i for i, flame in enumerate(icicle.graph.flames) if flame.is_type))  # type: ignore[union-attr]
    text = icicle.focus.text  # type: ignore[union-attr]
    icicle.show_graph(build_flames(snapshot_of((*ROWS, Row(9, "TodoItem")))))
    assert icicle.focus.text == text  # type: ignore[union-attr]
    icicle.show_graph(build_flames(snapshot_of((Row(3, "Journal", site=0),))))
    assert icicle.focus.depth == 0  # type: ignore[union-attr]


def test_escape_zooms_out_one_step(icicle: Icicle, qtbot: QtBot) -> None:
    qtbot.mouseClick(icicle, Qt.MouseButton.LeftButton, pos=centre(icicle, "Journal"))
    depths = []
    while icicle.focus is not None and icicle.focus.depth:
        depths.append(icicle.focus.depth)
        qtbot.keyClick(icicle, Qt.Key.Key_Escape)
    assert depths == list(range(depths[0], 0, -1))


def test_a_rectangle_tells_its_value_and_share(icicle: Icicle) -> None:
    index = icicle.flame_at(QPointF(3, 1))
    assert icicle.tip(index).startswith("everything that lives\n3 handles, 100.0% of everything")
    assert icicle.flame_at(QPointF(3, 50 * ROW_HEIGHT)) == -1


def test_values_are_told_in_their_unit() -> None:
    assert [value_text(1, Weight.COUNT), value_text(1204, Weight.COUNT)] == [
        "1 handle",
        "1,204 handles",
    ]
    assert [value_text(12, Weight.BYTES), value_text(3 << 20, Weight.BYTES)] == [
        "12 bytes",
        "3.0 MiB",
    ]


def target_at(level: Level) -> Target:
    return dataclasses.replace(snapshot_of().target, level=level)


def test_levels_that_record_no_stacks_are_named() -> None:
    graph = build_flames(snapshot_of(ROWS))
    assert "whole stacks at level stacks" in note_text(graph, target_at(Level.HISTORY))
    assert "from level history on" in note_text(graph, target_at(Level.COUNT))
    assert "level" not in note_text(graph, target_at(Level.STACKS))


def test_a_hundred_thousand_rows_are_drawn_and_forgotten(pane: FlamePane, qtbot: QtBot) -> None:
    pane.show_snapshot(big_snapshot(100_000))
    qtbot.waitUntil(lambda: pane.note.text().startswith("100,000 handles"), timeout=20_000)
    pane.set_theme(DARK)
    assert not pane.grab().isNull()
    pane.clear()
    assert pane.note.text() == NO_TARGET


def test_a_dropped_pane_leaves_nothing(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    made = FlamePane(theme, runner)
    gone = weakref.ref(made)
    made.deleteLater()
    qtbot.wait(1)
    del made
    gc.collect()
    assert gone() is None


def test_a_pane_that_is_dropped_while_its_graph_is_built_leaves_nothing(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(snapshot: Snapshot, weight: Weight) -> FlameGraph:
        begun.set()
        may_end.wait(10)
        return build_flames(snapshot, weight)

    monkeypatch.setattr(flame, "build_flames", slow)
    pane: list[QWidget] = [FlamePane(theme, runner)]
    pane[0].resize(800, 240)
    pane[0].show()
    pane[0].show_snapshot(snapshot_of(ROWS))  # type: ignore[attr-defined]
    qtbot.waitUntil(begun.is_set)
    assert what_is_left(pane) == []
    may_end.set()
    done: list[str] = []
    runner.run(lambda: "after it", done.append, lambda _error: None)
    qtbot.waitUntil(lambda: bool(done))


def test_only_the_weight_that_was_chosen_last_is_shown(pane: FlamePane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of(ROWS))
    for place in (1, 0, 1):
        pane.weight.setCurrentIndex(place)
    qtbot.waitUntil(lambda: not is_busy(pane))
    assert "bytes alive" in pane.note.text() or "unknown size" in pane.note.text()


def test_a_flame_is_what_a_click_hands_out(icicle: Icicle, qtbot: QtBot) -> None:
    with qtbot.waitSignal(icicle.flame_chosen) as chosen:
        qtbot.mouseClick(icicle, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert isinstance(chosen.args[0], Flame)
