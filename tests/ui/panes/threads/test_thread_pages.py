from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from inspector.model.snapshot import CallInFlight, Snapshot
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.panes.threads.pane import NO_CALL, NO_TARGET, ThreadsPane
from inspector.vocabulary import Reference
from tests.helpers.snapshots import T0, Row, big_snapshot, snapshot_of
from tests.helpers.widget_life import what_is_left

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
MATRIX, CALLS = 1, 2
MADE_HERE = Row(1, thread="worker-1")
MOVED = Row(2, reference=Reference.RELEASED, thread="worker-1", last_thread="worker-2")
STAYED = Row(3, reference=Reference.RELEASED, thread="worker-2", last_thread="worker-2")
SNAPSHOT = snapshot_of([MADE_HERE, MOVED, STAYED])


def pane_of(qtbot: Any, page: int, snapshot: Snapshot | None = SNAPSHOT) -> ThreadsPane:
    pane = ThreadsPane(LIGHT)
    qtbot.addWidget(pane)
    pane.show()
    pane.show_page(page)
    if snapshot is not None:
        pane.show_snapshot(snapshot)
    return pane


def calling(since: float) -> Snapshot:
    threads = {
        index: dataclasses.replace(
            row, calls=(CallInFlight(MADE_HERE.id, since),) if index == 2 else ()
        )
        for index, row in SNAPSHOT.threads.items()
    }
    return dataclasses.replace(SNAPSHOT, threads=threads)


def matrix_texts(pane: ThreadsPane) -> list[list[str]]:
    return [line.split("\t") for line in pane.matrix.as_text().split("\n")]


def test_the_matrix_shows_where_handles_went(qtbot: Any) -> None:
    pane = pane_of(qtbot, MATRIX)
    assert matrix_texts(pane) == [
        ["Created on", "Alive", "→ worker-2"],
        ["worker-1", "1", "1"],
        ["worker-2", "0", "1"],
    ]
    moved, stayed = pane.matrix.item(0, 2), pane.matrix.item(1, 2)
    assert moved is not None
    assert stayed is not None
    assert moved.font().bold()
    assert not stayed.font().bold()


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (0, 'created:"worker-1"'),
        (1, 'created:"worker-1" state:live -state:closed'),
        (2, 'created:"worker-1" ended:"worker-2"'),
    ],
)
def test_every_cell_of_the_matrix_is_a_door(qtbot: Any, column: int, wanted: str) -> None:
    pane = pane_of(qtbot, MATRIX)
    with qtbot.waitSignal(pane.filter_wanted) as filtered:
        pane.matrix.setCurrentCell(0, column)
        qtbot.keyClick(pane.matrix, Qt.Key.Key_Return)
    assert filtered.args == [wanted]


def test_the_matrix_can_be_copied(qtbot: Any) -> None:
    pane = pane_of(qtbot, MATRIX)
    qtbot.keyClick(pane.matrix, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().startswith("Created on\tAlive\t→ worker-2\n")


def test_the_matrix_is_only_computed_in_front_and_shown_when_it_comes_there(qtbot: Any) -> None:
    pane = pane_of(qtbot, 0)
    assert pane.matrix.rowCount() == 0
    pane.title_actions[MATRIX].trigger()
    assert pane.matrix.rowCount() == 2


def test_the_selection_of_the_matrix_survives_newer_counts(qtbot: Any) -> None:
    pane = pane_of(qtbot, MATRIX)
    pane.matrix.setCurrentCell(1, 2)
    pane.show_snapshot(snapshot_of([MADE_HERE, MOVED, STAYED, Row(4, thread="worker-1")], serial=2))
    assert (pane.matrix.currentRow(), pane.matrix.currentColumn()) == (1, 2)
    assert matrix_texts(pane)[1][1] == "2"


def test_calls_are_listed_with_their_age_and_lead_to_their_handle(qtbot: Any) -> None:
    pane = pane_of(qtbot, CALLS, calling(T0 - 41))
    model = pane.calls.model()
    assert [model.index(0, column).data() for column in range(5)] == [
        "41 s",
        "#1.1",
        "TodoItem",
        "worker-1",
        "0",
    ]
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        pane.calls.clicked.emit(model.index(0, 0))
    assert chosen.args == [MADE_HERE.id]


def test_no_call_is_an_answer(qtbot: Any) -> None:
    pane = pane_of(qtbot, CALLS)
    assert pane.calls.message == NO_CALL
    pane.clear()
    assert pane.calls.message == NO_TARGET


def test_a_call_of_unknown_age_says_from_which_level_on_it_is_known(qtbot: Any) -> None:
    pane = pane_of(qtbot, CALLS, calling(float("nan")))
    index = pane.calls.model().index(0, 0)
    assert index.data() == "–"
    assert "level history" in index.data(Qt.ItemDataRole.ToolTipRole)


def test_all_pages_survive_a_large_table_an_empty_one_and_another_theme(qtbot: Any) -> None:
    pane = pane_of(qtbot, MATRIX, big_snapshot(100_000, tombstones=20_000))
    pane.set_theme(DARK)
    assert pane.matrix.rowCount() == 4
    pane.show_snapshot(snapshot_of([], serial=2))
    assert pane.matrix.rowCount() == 0
    pane.clear()


def test_a_dropped_pane_leaves_nothing(qtbot: Any) -> None:
    pane = [ThreadsPane(LIGHT)]
    pane[0].show_page(MATRIX)
    pane[0].show_snapshot(SNAPSHOT)
    assert what_is_left(pane) == []
