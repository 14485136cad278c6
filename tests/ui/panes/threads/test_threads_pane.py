from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QWidget

from inspector.model.filter import parse
from inspector.model.snapshot import CallInFlight, Snapshot, TargetState
from inspector.model.threads import thread_table
from inspector.model.wording import UNKNOWN_TEXT
from inspector.ui.kit.live_records import Moment
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.panes.threads.pane import NO_TARGET, NO_THREAD, ThreadsPane
from inspector.ui.panes.threads.thread_model import thread_model
from inspector.vocabulary import Resource
from tests.helpers.snapshots import T0, Row, World, big_snapshot, handle_id, snapshot_of, with_state
from tests.helpers.widget_life import what_is_left

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
THREAD, STATE, TID, OWNS, LIVE, CREATED, RELEASED, PENDING, IN_FLIGHT, OLDEST = range(10)
ENDED = World(ended_threads=("worker-3",))


def waiting_for(owner: str, slot: int = 1) -> Row:
    return Row(slot, type="Journal", resource=Resource.WAITING_OWNER, owner=owner)


def column(model: QAbstractItemModel, number: int) -> list[str]:
    return [model.index(row, number).data() for row in range(model.rowCount())]


def pane_of(qtbot: Any, snapshot: Snapshot | None = None) -> ThreadsPane:
    pane = ThreadsPane(LIGHT)
    qtbot.addWidget(pane)
    if snapshot is not None:
        pane.show_snapshot(snapshot)
    return pane


def test_the_table_keeps_qt_s_rules(qapp: Any, qtmodeltester: Any) -> None:
    model = thread_model(LIGHT, Moment())
    qtmodeltester.check(model, force_py=False)
    for world in (
        World(),
        World(threads=("a", "b")),
        World(threads=tuple(f"t{i}" for i in range(300))),
        World(threads=()),
    ):
        model.set_rows(thread_table(snapshot_of(world=world)))
        for number in range(model.columnCount()):
            model.sort(number)
            qtmodeltester.check(model, force_py=False)
        assert model.rowCount() == len(world.threads)


def test_the_thread_that_closes_wait_for_stands_on_top(qtbot: Any) -> None:
    pane = pane_of(
        qtbot, snapshot_of([waiting_for("worker-3"), Row(2, thread="worker-1")], world=ENDED)
    )
    model = pane.table.model()
    assert column(model, THREAD) == ["worker-3", "MainThread", "worker-1", "worker-2"]
    assert column(model, STATE) == ["ended", "alive", "alive", "alive"]
    assert column(model, PENDING) == ["1", "0", "0", "0"]
    assert column(model, LIVE) == ["0", "1", "1", "0"]
    assert column(model, OWNS) == ["1", "0", "0", "0"]
    assert column(model, TID) == ["9004", "9001", "9002", "9003"]


def test_a_close_that_waits_for_an_ended_thread_is_explained(qtbot: Any) -> None:
    pane = pane_of(
        qtbot, snapshot_of([waiting_for("worker-3"), waiting_for("worker-2", 2)], world=ENDED)
    )
    model = pane.table.model()
    tips = {
        model.index(row, THREAD).data(): model.index(row, PENDING).data(Qt.ItemDataRole.ToolTipRole)
        for row in range(4)
    }
    assert tips["worker-3"] == "The thread has ended: a drain runs these closes"
    assert tips["worker-2"] == "They run when the thread next calls into the library"
    assert tips["MainThread"] == "Nothing waits for this thread"


def test_a_call_in_flight_has_its_age_or_the_reason_why_not(qtbot: Any) -> None:
    snapshot = snapshot_of(state=TargetState.ENDED)
    threads = dict(snapshot.threads)
    threads[2] = dataclasses.replace(threads[2], calls=(CallInFlight(2, T0 - 12),))
    threads[3] = dataclasses.replace(threads[3], calls=(CallInFlight(2, float("nan")),))
    pane = pane_of(qtbot, dataclasses.replace(snapshot, threads=threads))
    model = pane.table.model()
    model.sort(OLDEST, Qt.SortOrder.DescendingOrder)
    assert column(model, OLDEST) == ["12 s", UNKNOWN_TEXT, UNKNOWN_TEXT, UNKNOWN_TEXT]
    tips = {
        model.index(row, THREAD).data(): model.index(row, OLDEST).data(Qt.ItemDataRole.ToolTipRole)
        for row in range(4)
    }
    assert tips["worker-2"] == "Times of calls are recorded from level history on"
    assert tips["worker-3"] == "No call runs on this thread"
    assert tips["worker-1"].startswith("Began at ")


def test_a_click_asks_for_the_thread_s_handles(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of([waiting_for("worker-2")]))
    pane.resize(900, 200)
    pane.show()
    with qtbot.waitSignal(pane.filter_wanted) as wanted:
        place = pane.table.visualRect(pane.table.model().index(0, THREAD)).center()
        qtbot.mouseClick(pane.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert wanted.args == ['thread:"worker-2"']


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (LIVE, 'thread:"worker-2"'),
        (OWNS, 'owner:"worker-2"'),
        (PENDING, 'owner:"worker-2" state:pending'),
        (IN_FLIGHT, 'thread:"worker-2"'),
    ],
)
def test_each_number_of_a_thread_leads_to_the_handles_it_counts(
    qtbot: Any, number: int, wanted: str
) -> None:
    pane = pane_of(qtbot, snapshot_of([waiting_for("worker-2")]))
    with qtbot.waitSignal(pane.filter_wanted) as sent:
        pane.table.clicked.emit(pane.table.model().index(0, number))
    assert sent.args == [wanted]
    assert parse(wanted) is not None


def test_a_click_on_a_call_in_flight_leads_to_its_handle(qtbot: Any) -> None:
    snapshot = snapshot_of([Row(7)])
    busy = dataclasses.replace(snapshot.threads[2], calls=(CallInFlight(handle_id(7), T0 - 12),))
    pane = pane_of(qtbot, dataclasses.replace(snapshot, threads={2: busy}))
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        pane.table.clicked.emit(pane.table.model().index(0, IN_FLIGHT))
    assert chosen.args == [handle_id(7)]


def test_the_selection_stays_on_its_thread_when_others_come(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of(world=World(threads=("main", "b"))))
    pane.table.setCurrentIndex(pane.table.model().index(1, 0))
    pane.show_snapshot(
        snapshot_of(
            [dataclasses.replace(waiting_for("c"), thread="b")],
            world=World(threads=("main", "b", "c")),
        )
    )
    assert pane.table.currentIndex().siblingAtColumn(THREAD).data() == "b"
    assert column(pane.table.model(), THREAD)[0] == "c"


def test_an_empty_table_says_why(qtbot: Any) -> None:
    pane = pane_of(qtbot)
    assert pane.table.message == NO_TARGET
    pane.show_snapshot(snapshot_of(world=World(threads=())))
    assert pane.table.message == NO_THREAD
    pane.clear()
    assert pane.table.message == NO_TARGET


def test_the_number_of_threads_is_announced(qtbot: Any) -> None:
    pane = pane_of(qtbot)
    with qtbot.waitSignal(pane.count_changed) as changed:
        pane.show_snapshot(snapshot_of())
    assert changed.args == [4]


def test_a_hundred_thousand_handles_and_a_lost_target_are_shown(qtbot: Any) -> None:
    big = big_snapshot(100_000)
    pane = pane_of(qtbot, big)
    pane.show_snapshot(with_state(big, TargetState.POST_MORTEM))
    assert sum(int(text.replace(",", "")) for text in column(pane.table.model(), LIVE)) == 100_000


def test_the_state_has_a_word_an_icon_and_the_theme_s_colour(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of(world=ENDED))
    pane.set_theme(DARK)
    cell = pane.table.model().index(0, STATE)
    assert cell.data() == "alive"
    assert cell.data(Qt.ItemDataRole.ForegroundRole).name() == DARK.live
    assert cell.data(Qt.ItemDataRole.DecorationRole) is not None


def test_a_dropped_pane_leaves_nothing(qapp: Any) -> None:
    pane: list[QWidget] = [ThreadsPane(LIGHT)]
    pane[0].show_snapshot(snapshot_of([Row(1)]))
    pane[0].show()
    assert what_is_left(pane) == []
