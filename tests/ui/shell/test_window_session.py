from __future__ import annotations

import dataclasses
import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inspector.model.change_groups import GroupBy
from inspector.model.findings.leads import Coverage
from inspector.model.snapshot import TargetState
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import Level, Reference
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.reading import fact
from tests.helpers.snapshots import (
    T0,
    Row,
    big_snapshot,
    handle_id,
    make_vitals,
    snapshot_of,
    with_state,
)
from tests.helpers.windows import JOURNAL, SNAPSHOT, Attach, Open, answer, arm, publish


def test_the_window_opens_on_the_start_page(open_window: Open) -> None:
    window = open_window()
    assert window.pages.currentWidget() is window.start
    assert not window.vital_signs.isVisible()
    assert window.toolbar.chip.accessibleName() == "Target: No target"


def test_attaching_shows_the_target_in_every_part(attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    assert window.pages.currentWidget() is window.workbench
    assert window.toolbar.chip.accessibleName() == "Target: app.py · 4711 · live"
    assert window.windowTitle().startswith("app.py (4711)")
    assert window.workbench.handles.model.rowCount() == 4
    assert window.toolbar.level.currentData() == Level.HISTORY
    assert session.intervals == [(0.1, 1 / 60)]
    assert window.vital_signs.isVisible()
    assert not window.banner.isVisible()


def test_a_process_that_cannot_be_attached_is_one_line(qtbot: QtBot, open_window: Open) -> None:
    window = open_window()
    window.attachment.attach(99)
    qtbot.waitUntil(lambda: window.result.text == "Process 99 does not exist")
    assert window.pages.currentWidget() is window.start
    assert window.commands["attach"].isEnabled()


def test_the_demo_is_one_click(qtbot: QtBot, open_window: Open) -> None:
    window = open_window(FakeConnector(demo=FakeSession(SNAPSHOT)))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        qtbot.mouseClick(window.start.demo, Qt.MouseButton.LeftButton)
    window.workbench.handles.group_by(GroupBy.NONE)
    assert window.workbench.handles.model.rowCount() == 4


def test_detaching_ends_the_session_and_returns_to_the_start_page(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    window.commands["detach"].trigger()
    qtbot.waitUntil(lambda: session.ended)
    assert session.listeners == []
    assert window.pages.currentWidget() is window.start
    assert window.workbench.handles.model.rowCount() == 0
    assert not window.commands["screenshot"].isEnabled()


def test_attaching_to_another_process_ends_the_first_session(
    qtbot: QtBot, open_window: Open
) -> None:
    first, second = FakeSession(SNAPSHOT), FakeSession(snapshot_of([Row(9)]))
    window = open_window(FakeConnector(sessions={1: first, 2: second}))
    for pid in (1, 2):
        with qtbot.waitSignal(window.attachment.snapshot_shown):
            window.attachment.attach(pid)
    qtbot.waitUntil(lambda: first.ended)
    assert not second.ended
    window.workbench.handles.group_by(GroupBy.NONE)
    assert window.workbench.handles.model.rowCount() == 2


def test_pause_freezes_the_panes_but_not_the_vital_signs(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_Space)
    assert window.commands["pause"].isChecked()
    publish(qtbot, window, session, snapshot_of([Row(1), JOURNAL, Row(3)], serial=2))
    assert window.workbench.handles.model.rowCount() == 4
    assert "Paused" in window.status.state.accessibleName()
    with qtbot.waitSignal(window.attachment.vitals_seen):
        session.publish_vitals(make_vitals(T0 + 1, [5], [0]))
    window.commands["pause"].trigger()
    assert window.workbench.handles.model.rowCount() == 5


def test_a_pause_leaves_no_gap_in_the_timeline(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    timeline = window.workbench.timeline
    window.commands["pause"].trigger()
    frozen = timeline.plot.newest_at
    for i in range(1, 10):
        with qtbot.waitSignal(window.attachment.vitals_seen):
            session.publish_vitals(make_vitals(T0 + i, [5 + i], [0]))
    assert timeline.plot.newest_at == frozen
    window.commands["pause"].trigger()
    assert timeline.plot.newest_at == T0 + 9
    assert not np.isnan(timeline.history.live_line(T0, T0 + 9, points=100).values).any()


def test_a_range_of_the_timeline_filters_the_table_beside_what_else_is_asked(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(
        snapshot_of(
            [
                Row(1, age_secs=1),
                Row(2, age_secs=30),
                Row(3, age_secs=60),
                Row(4, "Journal", age_secs=30),
            ]
        )
    )
    bench = window.workbench
    with qtbot.waitSignal(window.attachment.vitals_seen):
        session.publish_vitals(make_vitals(T0 + 1, [9], [0]))
    bench.handles.set_filter("type:TodoItem")
    bench.timeline.plot.range_selected.emit(T0 - 40, T0 - 20)
    assert bench.handles.query.filter.source.startswith("type:TodoItem born:")
    assert bench.handles.model.holds(handle_id(2)) is not None
    assert [bench.handles.model.holds(handle_id(slot)) for slot in (1, 3, 4)] == [None] * 3
    assert bench.timeline.plot.ranges.is_shown
    bench.handles.set_filter("")
    assert not bench.timeline.plot.ranges.is_shown


def test_a_window_that_nobody_sees_reads_less_often(attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.showMinimized()
    assert session.intervals[-1] == (1.0, 1.0)
    window.showNormal()
    assert session.intervals[-1] == (0.1, 1 / 60)
    window.hide()
    assert session.intervals[-1] == (1.0, 1.0)


def test_a_slower_rate_than_that_stays_as_it_was_chosen(attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.toolbar.rate_wanted.emit(0.5)
    window.showMinimized()
    assert session.intervals[-1] == (2.0, 1.0)


def test_a_recording_keeps_its_rate_while_nobody_sees_the_window(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    window.commands["record"].setChecked(True)
    qtbot.waitUntil(lambda: window.recording.is_on)
    window.showMinimized()
    assert session.intervals[-1] == (0.1, 1 / 60)
    with qtbot.waitSignal(window.recording.told):
        window.commands["record"].setChecked(False)
    assert session.intervals[-1] == (1.0, 1.0)


def test_panes_that_nobody_sees_get_no_snapshot_and_catch_up(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.showMinimized()
    later = dataclasses.replace(snapshot_of([Row(9)]), serial=SNAPSHOT.serial + 1)
    with qtbot.waitSignal(window.attachment.snapshot_seen):
        session.publish(later)
    assert window.attachment.shown is SNAPSHOT
    assert window.attachment.snapshot is later
    window.showNormal()
    assert window.attachment.shown is later
    qtbot.waitUntil(lambda: window.workbench.handles.model.holds(handle_id(9)) is not None)


def test_a_paused_window_stays_paused_when_it_is_seen_again(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.commands["pause"].trigger()
    window.showMinimized()
    later = dataclasses.replace(snapshot_of([Row(9)]), serial=SNAPSHOT.serial + 1)
    with qtbot.waitSignal(window.attachment.snapshot_seen):
        session.publish(later)
    window.showNormal()
    assert window.attachment.shown is SNAPSHOT


def test_the_rate_and_the_level_are_asked_of_the_session(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.toolbar.rate_wanted.emit(0.5)
    assert session.intervals[-1] == (2.0, 1 / 60)
    window.toolbar.level_wanted.emit(Level.STACKS)
    level, future = session.level_requests[0]
    assert level == Level.STACKS
    assert (
        answer(qtbot, window, lambda: future.set_result(Level.STACKS))
        == "The target records at level stacks"
    )


def test_one_can_look_at_other_processes_and_return_to_the_session(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(with_state(SNAPSHOT, TargetState.HUNG, "stopped"))
    window.commands["attach"].trigger()
    assert window.pages.currentWidget() is window.start
    publish(qtbot, window, session, with_state(SNAPSHOT, TargetState.HUNG, "stopped"))
    assert not window.banner.isVisible()
    assert not window.vital_signs.isVisible()
    assert window.start.back.text() == "Back to app.py"
    window.start.back.click()
    assert window.pages.currentWidget() is window.workbench
    assert window.banner.isVisible()
    assert window.vital_signs.isVisible()
    window.commands["detach"].trigger()
    assert not window.start.back.isVisible()


@pytest.mark.parametrize(
    ("state", "reason", "words", "button"),
    [
        (
            TargetState.HUNG,
            "the interpreter has not answered for 12 s",
            "is hung: the interpreter has not answered for 12 s",
            "",
        ),
        (TargetState.ENDED, "it exited", "has ended: it exited", "Choose another process"),
        (TargetState.POST_MORTEM, "killed", "is gone: killed", "Choose another process"),
        (TargetState.RECORDED, "", "Screenshot of app.py, ", "Choose another process"),
    ],
)
def test_each_state_has_its_sentence_and_button(
    qtbot: QtBot, attach: Attach, state: TargetState, reason: str, words: str, button: str
) -> None:
    window, session = attach(SNAPSHOT)
    publish(qtbot, window, session, with_state(SNAPSHOT, state, reason))
    assert words in window.banner.text
    assert window.banner.isVisible()
    assert window.banner.button.text() == button
    assert window.workbench.handles.model.rowCount() == 4
    if button:
        window.banner.button.click()
        assert window.pages.currentWidget() is window.start


def test_a_target_that_recovers_loses_its_banner_and_can_act_again(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(with_state(SNAPSHOT, TargetState.HUNG, "stopped"))
    arm(window)
    assert window.banner.isVisible()
    assert not window.commands["gc"].isEnabled()
    publish(qtbot, window, session, SNAPSHOT)
    assert window.commands["gc"].isEnabled()
    assert not window.banner.isVisible()


def test_a_selected_handle_is_shown_in_detail_through_its_death(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    window.workbench.choose(handle_id(1))
    publish(
        qtbot,
        window,
        session,
        snapshot_of([Row(1, reference=Reference.DROPPED), JOURNAL], serial=2),
    )
    assert window.workbench.detail.handle == handle_id(1)
    assert "dropped" in fact(window.workbench.detail, "Changed").text()


def test_100_000_handles_go_through_the_whole_window(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(big_snapshot(100_000, tombstones=1000, pending=20))
    qtbot.waitUntil(lambda: window.workbench.handles.model.rowCount() == 3)
    publish(qtbot, window, session, big_snapshot(100_500, tombstones=1000, pending=20, serial=2))
    window.workbench.choose(handle_id(50_000))
    assert window.workbench.detail.handle == handle_id(50_000)
    assert not window.grab().isNull()


def test_a_closed_window_ends_its_session_and_leaves_nothing(
    qtbot: QtBot, settings, tmp_path: Path
) -> None:
    session = FakeSession(SNAPSHOT)
    window = MainWindow(FakeConnector(sessions={4711: session}, folder=tmp_path), settings)
    window.show()
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    left = [
        weakref.ref(part)
        for part in (
            window,
            window.workbench,
            window.workbench.handles,
            window.attachment,
            window.start,
        )
    ]
    window.close()
    qtbot.waitUntil(lambda: session.ended)
    window.deleteLater()
    del window
    qtbot.waitUntil(lambda: gc.collect() >= 0 and all(part() is None for part in left))


def test_a_target_that_does_not_answer_is_not_asked_again_for_its_coverage(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    for turn in range(1, 6):
        later = dataclasses.replace(
            SNAPSHOT, serial=SNAPSHOT.serial + turn, taken_at=SNAPSHOT.taken_at + turn * 20
        )
        publish(qtbot, window, session, later)
    assert len(session.coverage_requests) == 1
    with qtbot.waitSignal(window.findings.coverage_changed):
        session.coverage_requests[0].set_result(Coverage())
    later = dataclasses.replace(SNAPSHOT, serial=99, taken_at=SNAPSHOT.taken_at + 200)
    publish(qtbot, window, session, later)
    assert len(session.coverage_requests) == 2
