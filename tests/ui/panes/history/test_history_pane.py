from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from inspector.model.balance import balance_of
from inspector.model.snapshot import Snapshot
from inspector.ui.kit.theme import DARK, Theme
from inspector.ui.panes.detail.history_lane import NONE_YET, HistoryLane
from inspector.ui.panes.history.balance_tree import BALANCED, BalanceTree
from inspector.ui.panes.history.pane import CHOOSE, HistoryPane, head_text
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import EventKind, Level
from tests.helpers.fake_session import FakeSession
from tests.helpers.reading import rows_shown
from tests.helpers.snapshots import Row, handle_id, snapshot_of
from tests.unit.model.test_balance import OBJECT, SITES, events

LEAKING = events(
    (EventKind.CLONE, 0, OBJECT, 1),
    (EventKind.CLONE, 0, OBJECT, 1),
    (EventKind.RELEASE, 0, OBJECT, 2),
    (EventKind.CLONE, 0, OBJECT + 64, 2),
)
HANDLE = handle_id(3)
Opened = tuple[HistoryPane, FakeSession, MainWindow]


@pytest.fixture
def opened(attach: Callable[[Snapshot], tuple[MainWindow, FakeSession]]) -> Opened:
    window, session = attach(
        snapshot_of(
            [
                Row(3, "TodoItem", address=OBJECT, age_secs=9),
                Row(4, "Journal", address=OBJECT + 64, age_secs=9),
            ]
        )
    )
    session.events = LEAKING
    window.workbench.open_pane("history")
    return window.workbench.pane("history", HistoryPane), session, window


def test_nothing_selected_is_a_sentence(opened: Opened) -> None:
    pane, _, _ = opened
    assert pane.head.accessibleName() == CHOOSE
    assert pane.tree.message.isVisible()


def test_the_selected_object_s_clones_are_balanced(opened: Opened, qtbot: QtBot) -> None:
    pane, _, window = opened
    window.workbench.choose(HANDLE)
    qtbot.waitUntil(lambda: pane.tree.tree.topLevelItemCount() == 1)
    item = pane.tree.tree.topLevelItem(0)
    assert item is not None
    assert item.text(0) == "+1"
    assert pane.head.accessibleName() == "#3.1, this object: 2 up, 1 down · 1 pair matched"
    assert len(rows_shown(pane.table)) == 3


def test_the_history_of_the_type_is_one_choice_away(opened: Opened, qtbot: QtBot) -> None:
    pane, _, window = opened
    window.workbench.choose(handle_id(4))
    qtbot.waitUntil(lambda: "1 up, 0 down" in pane.head.accessibleName())
    pane.scope.setCurrentIndex(1)
    pane.scope.activated.emit(1)
    qtbot.waitUntil(lambda: "its type" in pane.head.accessibleName())


def test_stacks_of_one_type_are_switched_on_and_off_while_it_runs(
    opened: Opened, qtbot: QtBot
) -> None:
    pane, session, window = opened
    window.workbench.choose(HANDLE)
    assert pane.record.text() == "Record stacks of TodoItem"
    pane.record.click()
    index, level, future = session.type_level_requests[0]
    assert level is Level.STACKS
    future.set_result(None)
    qtbot.waitUntil(lambda: pane.record.text() == "Record TodoItem as the rest")
    pane.record.click()
    assert session.type_level_requests[1][:2] == (index, None)
    session.type_level_requests[1][2].set_result(None)
    qtbot.waitUntil(lambda: pane.record.text() == "Record stacks of TodoItem")


def test_clearing_forgets_the_object(opened: Opened, qtbot: QtBot) -> None:
    pane, _, window = opened
    window.workbench.choose(HANDLE)
    qtbot.waitUntil(lambda: pane.tree.tree.topLevelItemCount() == 1)
    pane.set_theme(DARK)
    pane.clear()
    assert (
        pane.head.accessibleName(),
        len(rows_shown(pane.table)),
        pane.tree.tree.topLevelItemCount(),
    ) == (CHOOSE, 0, 0)


def test_the_detail_s_lane_tells_the_same_history_on_a_line_of_time(
    opened: Opened, qtbot: QtBot
) -> None:
    _, _, window = opened
    window.resize(1440, 1190)
    window.workbench.drawer.set_open(False)
    window.workbench.choose(HANDLE)
    lane = window.workbench.detail.findChild(HistoryLane)
    assert isinstance(lane, HistoryLane)
    assert lane.sentence == NONE_YET
    qtbot.waitUntil(lambda: lane.sentence.startswith("2 up, 1 down, "))
    lane.set_theme(DARK)
    assert not lane.grab().isNull()


def test_a_balanced_object_is_an_answer(qtbot: QtBot, theme: Theme) -> None:
    tree = BalanceTree(theme)
    qtbot.addWidget(tree)
    tree.show_balance(
        balance_of(
            events((EventKind.CLONE, 0, OBJECT, 1), (EventKind.RELEASE, 0, OBJECT, 1)), SITES
        )
    )
    assert tree.message.text() == BALANCED


def test_a_call_site_leads_to_its_line_and_stays_open(qtbot: QtBot, theme: Theme) -> None:
    tree = BalanceTree(theme)
    qtbot.addWidget(tree)
    tree.show_balance(balance_of(LEAKING, SITES))
    item = tree.tree.topLevelItem(0)
    assert item is not None
    item.setExpanded(True)
    with qtbot.waitSignal(tree.line_wanted) as wanted:
        tree.tree.itemActivated.emit(item, 0)
    assert wanted.args[1] in (41, 9)
    text = item.text(1)
    tree.show_balance(
        balance_of(events((EventKind.CLONE, 0, OBJECT, 1), (EventKind.CLONE, 0, OBJECT, 2)), SITES)
    )
    again = [
        found
        for at in range(2)
        if (found := tree.tree.topLevelItem(at)) is not None and found.text(1) == text
    ]
    assert [found.isExpanded() for found in again] == [True]


def test_lost_events_are_said_beside_the_balance() -> None:
    made = balance_of(LEAKING, SITES, lost=12)
    assert "12 events of all objects were lost: the balance may be off" in head_text(
        HANDLE, "this object", made
    )


@pytest.mark.parametrize("room", [345, 640])
def test_no_column_of_the_events_is_cut_off(opened: Opened, room: int) -> None:
    pane, _, _ = opened
    table = pane.table
    table.resize(room + table.width() - table.viewport().width(), 120)
    assert table.horizontalHeader().length() <= table.viewport().width()
