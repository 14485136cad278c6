from __future__ import annotations

from pytestqt.qtbot import QtBot

from inspector.ui.panes.handles.pane import HandlesPane
from inspector.ui.panes.handles.query_runner import LARGE, QueryRunner
from tests.helpers.snapshots import big_snapshot


def test_100_000_rows_are_arranged_off_the_gui_thread(pane: HandlesPane, qtbot: QtBot) -> None:
    assert LARGE < 100_000
    with qtbot.waitSignal(pane.findChildren(QueryRunner)[0].arranged):
        pane.show_snapshot(big_snapshot(100_000, tombstones=500))
        assert pane.model.rowCount() == 0
    pane.model.fold_all(folded=False)
    assert pane.model.rowCount() == 99_503
    pane.grab()


def test_of_large_snapshots_that_pile_up_the_newest_is_shown(
    pane: HandlesPane, qtbot: QtBot
) -> None:
    shown = []
    pane.findChildren(QueryRunner)[0].arranged.connect(
        lambda arrangement: shown.append(arrangement.snapshot.serial)
    )
    for serial in (1, 2, 3, 4):
        pane.show_snapshot(big_snapshot(60_000, serial=serial))
    qtbot.waitUntil(lambda: shown[-1:] == [4])
    assert shown == [1, 4]
