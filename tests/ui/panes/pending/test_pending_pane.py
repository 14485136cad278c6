from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from inspector.model.pending import pending_closes
from inspector.model.snapshot import CloseDeadline, Snapshot, TargetState
from inspector.model.wording import UNKNOWN_TEXT
from inspector.ui.kit.column_model import KEY_ROLE
from inspector.ui.kit.live_records import Moment
from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.panes.pending.model import pending_model
from inspector.ui.panes.pending.pane import LEVEL_OFF, NO_TARGET, PendingPane
from inspector.vocabulary import Level, Resource
from tests.helpers.reading import timer_of
from tests.helpers.snapshots import T0, Row, World, big_snapshot, handle_id, snapshot_of, with_state
from tests.helpers.widget_life import what_is_left

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
WAITING, HANDLE, TYPE, REASON, IN_FLIGHT, WAITS_FOR, ASKED_BY, DEADLINE = range(8)


def closing(slot: int, secs: float, **more: Any) -> Row:
    row = Row(
        slot,
        type="Journal",
        resource=Resource.DRAINING,
        in_flight=1,
        requester="worker-1",
        changed_secs=secs,
    )
    return dataclasses.replace(row, **more)


def texts(model: QAbstractItemModel, column: int) -> list[str]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


def pane_of(
    qtbot: Any, snapshot: Snapshot | None = None, clock: RunningClock | None = None
) -> PendingPane:
    pane = PendingPane(LIGHT, clock=clock)
    qtbot.addWidget(pane)
    if snapshot is not None:
        pane.show_snapshot(snapshot)
    return pane


def test_the_table_keeps_qt_s_rules_through_every_kind_of_change(
    qapp: Any, qtmodeltester: Any
) -> None:
    moment = Moment()
    moment.at = T0
    model = pending_model(LIGHT, moment)
    qtmodeltester.check(model, force_py=False)
    storms = [
        [],
        [closing(1, 5), closing(2, 9), closing(3, 1)],
        [closing(2, 9), closing(3, 1), closing(4, 2), closing(9, 20)],
        [closing(9, 1), closing(2, 2), closing(3, 30)],
        [closing(slot, slot) for slot in range(1, 400, 2)],
        [closing(slot, slot) for slot in range(2, 400, 3)],
        [],
    ]
    for rows in storms:
        closes = pending_closes(snapshot_of(rows))
        model.set_rows(closes)
        qtmodeltester.check(model, force_py=False)
        for column in range(model.columnCount()):
            model.sort(column, Qt.SortOrder.DescendingOrder)
            assert sorted(texts(model, HANDLE)) == sorted(f"#{row.slot}.1" for row in rows)
        model.sort(WAITING, Qt.SortOrder.DescendingOrder)
        assert texts(model, HANDLE) == [
            f"#{row.slot}.1" for row in sorted(rows, key=lambda row: -row.changed_secs)
        ]


def test_the_oldest_close_stands_on_top_with_all_that_is_known_of_it(qtbot: Any) -> None:
    rows = [
        closing(1, 3),
        closing(2, 41, resource=Resource.WAITING_OWNER, owner="worker-3", in_flight=0, last_site=2),
    ]
    pane = pane_of(
        qtbot, snapshot_of(rows, world=World(ended_threads=("worker-3",)), state=TargetState.ENDED)
    )
    model = pane.table.model()
    assert [model.index(0, column).data() for column in range(7)] == [
        "41 s",
        "#2.1",
        "Journal",
        "Its owner worker-3 has ended: a drain runs it",
        "0",
        "worker-3 (ended)",
        "worker-1  storage.py:12 open_journal",
    ]


def test_a_close_that_cannot_run_any_more_stands_out_by_icon_and_colour(qtbot: Any) -> None:
    rows = [closing(2, 41, resource=Resource.WAITING_OWNER, owner="worker-3"), closing(1, 3)]
    pane = pane_of(qtbot, snapshot_of(rows, world=World(ended_threads=("worker-3",))))
    model = pane.table.model()
    colours = [
        model.index(row, WAITING).data(Qt.ItemDataRole.ForegroundRole).name() for row in (0, 1)
    ]
    icons = [
        model.index(row, WAITING).data(Qt.ItemDataRole.DecorationRole).toImage() for row in (0, 1)
    ]
    assert colours == [LIGHT.suspect, LIGHT.waiting]
    assert icons[0] != icons[1]


def test_a_deadline_counts_down_and_none_is_a_dash_that_says_so(qtbot: Any) -> None:
    snapshot = snapshot_of([closing(1, 3), closing(2, 4)])
    deadline = CloseDeadline(handle_id(1), snapshot.taken_at + 30)
    pane = pane_of(qtbot, dataclasses.replace(snapshot, deadlines=(deadline,)))
    model = pane.table.model()
    shown = {model.index(row, 1).data(): model.index(row, DEADLINE).data() for row in range(2)}
    assert shown == {"#1.1": "30 s", "#2.1": UNKNOWN_TEXT}
    tips = {
        model.index(row, DEADLINE).data(Qt.ItemDataRole.ToolTipRole).split(" ")[0]
        for row in range(2)
    }
    assert tips == {"Withdrawn", "It"}


def test_what_is_not_known_is_a_dash_with_its_reason(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of([closing(1, float("nan"), requester="")]))
    model = pane.table.model()
    assert model.index(0, WAITING).data() == UNKNOWN_TEXT
    assert (
        model.index(0, WAITING).data(Qt.ItemDataRole.ToolTipRole) == "Not recorded for this close"
    )
    assert model.index(0, ASKED_BY).data() == UNKNOWN_TEXT
    assert "Not recorded for this close" in model.index(0, ASKED_BY).data(
        Qt.ItemDataRole.ToolTipRole
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "Nothing is waiting to close. The last close took 3 ms."),
        ({"last_close_secs": float("nan")}, "Nothing is waiting to close"),
    ],
)
def test_an_empty_table_answers_the_question(
    qtbot: Any, change: dict[str, Any], message: str
) -> None:
    assert pane_of(qtbot, dataclasses.replace(snapshot_of(), **change)).table.message == message


def test_an_empty_table_says_when_there_is_no_target_or_nothing_is_recorded(qtbot: Any) -> None:
    pane = pane_of(qtbot)
    assert pane.table.message == NO_TARGET
    quiet = snapshot_of()
    pane.show_snapshot(
        dataclasses.replace(quiet, target=dataclasses.replace(quiet.target, level=Level.OFF))
    )
    assert pane.table.message == LEVEL_OFF
    pane.show_snapshot(with_state(quiet, TargetState.POST_MORTEM))
    assert pane.table.message.startswith("Nothing was waiting to close when the target ended")


def test_a_click_chooses_the_handle(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of([closing(1, 3), closing(7, 9)]))
    pane.resize(900, 200)
    pane.show()
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        place = pane.table.visualRect(pane.table.model().index(0, REASON)).center()
        qtbot.mouseClick(pane.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == [handle_id(7)]


def test_a_click_on_the_owner_thread_asks_for_what_it_owns(qtbot: Any) -> None:
    pane = pane_of(
        qtbot,
        snapshot_of(
            [closing(1, 41, resource=Resource.WAITING_OWNER, owner="worker-3"), closing(2, 3)]
        ),
    )
    with qtbot.waitSignal(pane.filter_wanted) as wanted:
        pane.table.clicked.emit(pane.table.model().index(0, WAITS_FOR))
    assert wanted.args == ['owner:"worker-3"']
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        pane.table.clicked.emit(pane.table.model().index(1, WAITS_FOR))
    assert chosen.args == [handle_id(2)]


@pytest.mark.parametrize("width", [320, 605, 900, 1073, 1440])
def test_no_column_is_cut_off_whatever_the_width(qtbot: Any, width: int) -> None:
    pane = pane_of(qtbot, snapshot_of([closing(1, 3)]))
    pane.resize(width, 200)
    pane.show()
    QApplication.processEvents()
    header = pane.table.horizontalHeader()
    assert header.length() <= max(pane.table.viewport().width(), 88 + 78 + 270 + 80)
    assert not pane.table.isColumnHidden(REASON)
    assert not pane.table.isColumnHidden(DEADLINE)
    assert pane.table.isColumnHidden(TYPE) == (width < 600)
    assert pane.table.isColumnHidden(ASKED_BY) == (width < 1000)


def test_enter_chooses_the_handle_and_copying_takes_the_row(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of([closing(1, 3)], state=TargetState.ENDED))
    pane.table.setCurrentIndex(pane.table.model().index(0, 0))
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        qtbot.keyClick(pane.table, Qt.Key.Key_Return)
    assert chosen.args == [handle_id(1)]
    qtbot.keyClick(pane.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().split("\t")[:3] == ["3.0 s", "#1.1", "Journal"]


@pytest.mark.parametrize("others", [3, 500])
def test_the_selection_stays_on_its_close_while_others_come_and_go(qtbot: Any, others: int) -> None:
    pane = pane_of(qtbot, snapshot_of([closing(1, 3), closing(7, 9), closing(9, 30)]))
    model = pane.table.model()
    pane.table.setCurrentIndex(model.index(texts(model, HANDLE).index("#7.1"), 0))
    pane.show_snapshot(
        snapshot_of(
            [closing(7, 9), *(closing(slot, slot % 20) for slot in range(20, 20 + 2 * others, 2))]
        )
    )
    assert pane.table.currentIndex().data(KEY_ROLE) == handle_id(7)
    assert [index.data(KEY_ROLE) for index in pane.table.selectionModel().selectedRows()] == [
        handle_id(7)
    ]


def test_ages_grow_between_snapshots_and_stand_still_when_paused_or_over(qtbot: Any) -> None:
    seconds = [100.0]
    clock = RunningClock(monotonic=lambda: seconds[0])
    pane = pane_of(qtbot, clock=clock)
    pane.show()
    pane.show_snapshot(snapshot_of([closing(1, 41)]))
    model = pane.table.model()
    assert texts(model, WAITING) == ["41 s"]
    seconds[0] += 2
    with qtbot.waitSignal(model.dataChanged):
        clock.ticked.emit()
    assert texts(model, WAITING) == ["43 s"]
    pane.set_paused(True)
    clock.ticked.emit()
    assert texts(model, WAITING) == ["41 s"]
    assert not timer_of(clock).isActive()
    pane.set_paused(False)
    assert timer_of(clock).isActive()
    pane.show_snapshot(snapshot_of([closing(1, 41)], state=TargetState.ENDED))
    assert not timer_of(clock).isActive()


def test_ages_stop_growing_when_no_snapshot_comes_for_long(qtbot: Any) -> None:
    seconds = [100.0]
    clock = RunningClock(monotonic=lambda: seconds[0])
    pane = pane_of(qtbot, clock=clock)
    pane.show_snapshot(snapshot_of([closing(1, 41)]))
    seconds[0] += 3600
    assert clock.now == T0 + 3


def test_the_number_of_pending_closes_is_announced_when_it_changes(qtbot: Any) -> None:
    pane = pane_of(qtbot)
    with qtbot.waitSignal(pane.count_changed) as changed:
        pane.show_snapshot(snapshot_of([closing(1, 3), closing(2, 3)]))
    assert changed.args == [2]
    with qtbot.assertNotEmitted(pane.count_changed):
        pane.show_snapshot(snapshot_of([closing(1, 4), closing(2, 4)]))
    with qtbot.waitSignal(pane.count_changed) as changed:
        pane.clear()
    assert changed.args == [0]
    assert pane.table.message == NO_TARGET


def test_a_close_storm_is_shown_and_a_lost_target_keeps_it(qtbot: Any) -> None:
    storm = big_snapshot(100_000, pending=50_000)
    pane = pane_of(qtbot, storm)
    assert pane.table.model().rowCount() == 50_000
    pane.show_snapshot(with_state(storm, TargetState.POST_MORTEM))
    assert pane.table.model().rowCount() == 50_000
    pane.show_snapshot(snapshot_of())
    assert pane.table.model().rowCount() == 0


def test_another_theme_gives_other_colours(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of([closing(1, 3)]))
    pane.set_theme(DARK)
    assert (
        pane.table.model().index(0, WAITING).data(Qt.ItemDataRole.ForegroundRole).name()
        == DARK.waiting
    )


def test_numbers_are_aligned_right_in_header_and_cell(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of([closing(1, 3)]))
    model = pane.table.model()
    for alignment in (
        model.index(0, IN_FLIGHT).data(Qt.ItemDataRole.TextAlignmentRole),
        model.headerData(IN_FLIGHT, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole),
    ):
        assert alignment & Qt.AlignmentFlag.AlignRight


def test_a_dropped_pane_leaves_nothing(qapp: Any) -> None:
    pane: list[QWidget] = [PendingPane(LIGHT)]
    pane[0].show_snapshot(snapshot_of([Row(1)]))
    pane[0].show()
    assert what_is_left(pane) == []


def test_keys_are_not_lost_when_one_is_there_twice(qtbot: Any) -> None:
    pane = pane_of(qtbot, snapshot_of([closing(1, 3), closing(2, 3)]))
    doubled = snapshot_of([closing(1, 3), closing(2, 3)])
    handles = dataclasses.replace(doubled.handles, ids=np.full(2, 4, np.uint64))
    pane.show_snapshot(dataclasses.replace(doubled, handles=handles))
    assert texts(pane.table.model(), HANDLE) == ["#2.0", "#2.0"]


def test_short_closes_do_not_make_the_number_on_the_tab_flicker(qtbot: Any) -> None:
    seconds = [0.0]
    clock = RunningClock(monotonic=lambda: seconds[0])
    pane = pane_of(qtbot, snapshot_of([closing(1, 0.2)]), clock)
    counts: list[int] = []
    pane.count_changed.connect(counts.append)
    for serial in range(2, 8):
        rows = [closing(1, 0.2)] if serial % 2 else []
        pane.show_snapshot(snapshot_of(rows, serial=serial))
    assert counts == []
    pane.show_snapshot(snapshot_of([closing(1, 0.2)], serial=9))
    seconds[0] += 2
    clock.ticked.emit()
    assert counts == [1]
