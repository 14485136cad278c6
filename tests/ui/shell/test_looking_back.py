"""One cursor in time moves all panes: of a live target, and of a recording."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from pytestqt.qtbot import QtBot

from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.screenshot import stamp_text
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.panes_read import texts
from tests.helpers.reading import button, click, is_shown, text_of
from tests.helpers.snapshots import T0, Row
from tests.helpers.timelines import legend, mouse, place_of
from tests.helpers.windows import Open, publish
from tests.ui.shell.test_reopening import live_window, reopen, save, settle, state_at, vitals_at

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
MOMENT = T0 + 15


@pytest.fixture
def live(qtbot: QtBot, open_window: Open, tmp_path: Path) -> MainWindow:
    window = live_window(qtbot, open_window, tmp_path)
    window.attachment.set_paused(False)
    return window


def look_back(qtbot: QtBot, window: MainWindow, at: float = MOMENT) -> None:
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.workbench.timeline.plot.moment_wanted.emit(at)
    settle_past(qtbot, window)


def settle_past(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(
        lambda: (
            window.changes.plain is not None
            and window.changes.plain.facts.snapshot is window.attachment.shown
        )
    )


def live_counts(window: MainWindow) -> dict[str, float]:
    table = window.workbench.handles.changes.changes.table
    assert table is not None
    return {row.type_name: row.live for row in table.rows}


def test_a_moment_of_the_timeline_is_shown_in_every_pane(qtbot: QtBot, live: MainWindow) -> None:
    look_back(qtbot, live)
    assert live_counts(live) == {"TodoItem": 24, "Journal": 1}
    assert live.attachment.situation.paused
    assert live.workbench.timeline.plot.moment.at == MOMENT
    assert text_of(live.verdict, "Numbers").startswith("live 25 ")
    assert live.findings.shown.at <= MOMENT < live.findings.report.at
    assert is_shown(live.replay, "Back to live")
    live.workbench.timeline.plot.draw_now()
    # the legend's numbers change a few times a second only
    qtbot.waitUntil(lambda: legend(live.workbench.timeline)[0] == "All  25")
    assert "·  25 live  ·" in stamp_text(live.attachment.shown)[0]
    assert "25 s before you looked back" in text_of(live.replay, "Moment")


def test_events_after_the_moment_are_not_shown(qtbot: QtBot, live: MainWindow) -> None:
    live.workbench.drawer.open_pane("events")
    qtbot.waitUntil(lambda: live.workbench.events.table.model().rowCount() == 2)
    look_back(qtbot, live, T0 + 1.5)
    qtbot.waitUntil(lambda: live.workbench.events.table.model().rowCount() == 1)
    live.looking_back.cursor.back()
    qtbot.waitUntil(lambda: live.workbench.events.table.model().rowCount() == 2)


@pytest.mark.parametrize("way", ["button", "key", "resume"])
def test_the_way_back_to_live(qtbot: QtBot, live: MainWindow, way: str) -> None:
    look_back(qtbot, live)
    if way == "button":
        click(live.replay, "Back to live")
    elif way == "key":
        qtbot.keyClick(live.workbench.timeline.plot, Qt.Key.Key_End)  # type: ignore[no-untyped-call]
    else:
        live.commands["pause"].trigger()
    assert live.looking_back.cursor.moment is None
    assert not live.attachment.situation.paused
    assert live.attachment.shown is live.attachment.snapshot
    assert live.replay.isHidden()
    assert live.workbench.timeline.plot.moment.at is None
    settle(qtbot, live)
    assert live_counts(live)["TodoItem"] == 49
    assert live.findings.shown is live.findings.report


def test_a_click_chooses_the_moment_and_a_drag_of_its_line_moves_it(
    qtbot: QtBot, live: MainWindow
) -> None:
    plot = live.workbench.timeline.plot
    plot.draw_now()
    with qtbot.waitSignal(live.attachment.snapshot_shown):
        for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            mouse(plot, kind, place_of(plot, 0.5))
    first = live.looking_back.cursor.moment
    assert first is not None
    assert abs(first - plot.moment_at(place_of(plot, 0.5))) < 0.5
    with qtbot.waitSignal(live.looking_back.cursor.moved):
        mouse(plot, QEvent.Type.MouseButtonPress, place_of(plot, 0.5))
        mouse(plot, QEvent.Type.MouseMove, place_of(plot, 0.6))
        mouse(plot, QEvent.Type.MouseButtonRelease, place_of(plot, 0.6))
    assert live.looking_back.cursor.moment > first
    assert live.workbench.handles.query.filter.source == ""


def test_keys_move_the_moment(qtbot: QtBot, live: MainWindow) -> None:
    look_back(qtbot, live)
    plot = live.workbench.timeline.plot
    with qtbot.waitSignal(live.looking_back.cursor.moved):
        qtbot.keyClick(plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)  # type: ignore[no-untyped-call]
    assert live.looking_back.cursor.moment < MOMENT
    qtbot.waitUntil(lambda: live.attachment.shown.taken_at < MOMENT)


def test_the_target_is_still_read_while_a_person_looks_back(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    session = FakeSession(state_at(0))
    window = open_window(FakeConnector(sessions={4711: session}, folder=tmp_path))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    for secs in (1, 2):
        publish(qtbot, window, session, state_at(secs))
    look_back(qtbot, window, T0 + 1)
    session.on_pump(lambda: session.publish_vitals(vitals_at(2.5)))
    publish(qtbot, window, session, state_at(3))
    assert window.attachment.shown is not None
    assert window.attachment.shown.taken_at == T0 + 1
    assert text_of(window.verdict, "Numbers").startswith("live 11 ")
    window.looking_back.cursor.back()
    assert window.attachment.shown.taken_at == T0 + 3
    assert text_of(window.verdict, "Numbers").startswith("live 13 ")


def test_a_mark_is_set_at_the_moment_that_is_shown(qtbot: QtBot, live: MainWindow) -> None:
    look_back(qtbot, live)
    live.commands["mark"].trigger()
    qtbot.waitUntil(lambda: len(live.marks.marks) == 2)
    assert [mark.at for mark in live.marks.marks] == [MOMENT, T0 + 20]
    assert len(live.marks.marks[0]) == 25


def test_a_picture_of_an_earlier_moment_reopens_at_it(
    qtbot: QtBot, live: MainWindow, open_window: Open, tmp_path: Path
) -> None:
    look_back(qtbot, live)
    save(qtbot, live, tmp_path / "shot.png")
    table = texts(live.workbench.handles)
    again = reopen(qtbot, open_window, tmp_path / "shot.png")
    assert texts(again.workbench.handles) == table
    assert again.workbench.timeline.plot.moment.at == MOMENT
    assert again.findings.report.at <= MOMENT


def test_a_handle_without_a_row_is_said(qtbot: QtBot, live: MainWindow) -> None:
    live.workbench.timeline.history.clear()
    for tenth in range(20):
        live.workbench.timeline.history.add(vitals_at(60 + tenth / 10))
    look_back(qtbot, live, T0 + 61)
    assert text_of(live.replay, "Handles without a row").endswith("have no row any more")
    assert button(live.replay, "Back to live").isVisible()
    assert Row(1).id in live.attachment.shown.handles.ids.tolist()
