from __future__ import annotations

import dataclasses
import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from inspector.errors import TargetBusyError
from inspector.model.screenshot import extract
from inspector.model.snapshot import Level, Reference, Resource, Snapshot, TargetState
from inspector.session.protocol import Capabilities, CloseAnswer, GcReport
from inspector.ui.command_palette import CommandPalette
from inspector.ui.losses_dialog import LossesDialog
from inspector.ui.main_window import COMPACT_WIDTH, MainWindow
from inspector.ui.screenshot import write_picture
from inspector.ui.theme import DARK
from inspector.ui.workbench import LOW_HEIGHT
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.snapshots import T0, Row, big_snapshot, handle_id, make_vitals, snapshot_of, with_state

Attach = Callable[[Snapshot], tuple[MainWindow, FakeSession]]
Open = Callable[..., MainWindow]
JOURNAL = Row(2, "Journal", resource=Resource.OPEN)
SNAPSHOT = snapshot_of([Row(1), JOURNAL])


def publish(qtbot: QtBot, window: MainWindow, session: FakeSession, snapshot: Snapshot) -> None:
    with qtbot.waitSignal(window.attachment.snapshot_seen):
        session.on_pump(lambda: session.publish(snapshot))


def answer(qtbot: QtBot, window: MainWindow, finish: Callable[[], None]) -> str:
    """What the result bar says once ``finish`` has answered a request."""
    with qtbot.waitSignal(window.attachment.told):
        finish()
    return window.result.text


def arm(window: MainWindow) -> None:
    window.commands["arm"].trigger()


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
    assert window.workbench.handles.model.rowCount() == 4


def test_detaching_ends_the_session_and_returns_to_the_start_page(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.commands["detach"].trigger()
    qtbot.waitUntil(lambda: session.ended)
    assert session.listeners == []
    assert window.pages.currentWidget() is window.start
    assert window.workbench.handles.model.rowCount() == 0
    assert not window.commands["screenshot"].isEnabled()


def test_attaching_to_another_process_ends_the_first_session(qtbot: QtBot, open_window: Open) -> None:
    first, second = FakeSession(SNAPSHOT), FakeSession(snapshot_of([Row(9)]))
    window = open_window(FakeConnector(sessions={1: first, 2: second}))
    for pid in (1, 2):
        with qtbot.waitSignal(window.attachment.snapshot_shown):
            window.attachment.attach(pid)
    qtbot.waitUntil(lambda: first.ended)
    assert not second.ended
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
    churn = window.workbench.churn
    window.commands["pause"].trigger()
    frozen = churn.plot.newest_at
    for i in range(1, 10):
        with qtbot.waitSignal(window.attachment.vitals_seen):
            session.publish_vitals(make_vitals(T0 + i, [5 + i], [0]))
    assert churn.plot.newest_at == frozen
    window.commands["pause"].trigger()
    assert churn.plot.newest_at == T0 + 9
    assert not np.isnan(churn.history.live_line(T0, T0 + 9, points=100).values).any()


def test_a_range_of_the_timeline_filters_the_table_beside_what_else_is_asked(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(snapshot_of([Row(1, age_secs=1), Row(2, age_secs=30), Row(3, age_secs=60), Row(4, "Journal", age_secs=30)]))
    bench = window.workbench
    with qtbot.waitSignal(window.attachment.vitals_seen):
        session.publish_vitals(make_vitals(T0 + 1, [9], [0]))
    bench.handles.set_filter("type:TodoItem")
    bench.churn.plot.range_selected.emit(T0 - 40, T0 - 20)
    assert bench.handles.query.filter.source.startswith("type:TodoItem born:")
    assert bench.handles.model.holds(handle_id(2)) is not None
    assert [bench.handles.model.holds(handle_id(slot)) for slot in (1, 3, 4)] == [None] * 3
    assert bench.churn.plot._ranges.is_shown
    bench.handles.set_filter("")
    assert not bench.churn.plot._ranges.is_shown


def test_a_window_that_nobody_sees_reads_less_often(attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.showMinimized()
    assert session.intervals[-1] == (0.1, 0.1)
    window.showNormal()
    assert session.intervals[-1] == (0.1, 1 / 60)
    window.hide()
    assert session.intervals[-1] == (0.1, 0.1)


def test_at_its_first_size_the_timeline_takes_about_a_third_of_the_panes(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    bench = window.workbench
    share = bench._docks["timeline"].height() / bench.height()
    assert 0.3 < share < 0.4
    assert bench._docks["pending"].height() < bench._docks["timeline"].height()


def test_the_rate_and_the_level_are_asked_of_the_session(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.toolbar.rate_wanted.emit(0.5)
    assert session.intervals[-1] == (2.0, 1 / 60)
    window.toolbar.level_wanted.emit(Level.STACKS)
    level, future = session.level_requests[0]
    assert level == Level.STACKS
    assert answer(qtbot, window, lambda: future.set_result(Level.STACKS)) == "The target records at level stacks"


def test_force_gc_needs_arming_and_says_what_it_freed(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_G)
    assert session.gc_requests == []
    arm(window)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_G)
    assert not window.commands["gc"].isEnabled()
    said = answer(qtbot, window, lambda: session.gc_requests[0].set_result(GcReport(312, 40, 2, 4, 0.038)))
    assert said == "Collection freed 312 objects, released 40 handles, 2 closes queued, 4 still pending, took 38 ms"
    assert window.commands["gc"].isEnabled()


def test_a_target_that_does_not_answer_is_one_line(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.commands["gc"].trigger()
    error = TargetBusyError("the interpreter did not answer within 5 s")
    assert answer(qtbot, window, lambda: session.gc_requests[0].set_exception(error)) == "The interpreter did not answer within 5 s"
    assert window.commands["gc"].isEnabled()


def test_closing_shows_first_what_it_will_do_and_then_what_it_did(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.workbench.choose(JOURNAL.id)
    window.commands["close"].trigger()
    dialog = window._closing
    assert dialog is not None
    handles, preview = session.previews[0]
    assert handles == (JOURNAL.id,)
    with qtbot.waitSignal(window.attachment.previewed):
        preview.set_result((CloseAnswer(JOURNAL.id, "would_close", ""),))
    assert session.closes == []
    dialog.go.click()
    wanted, although_held, done = session.closes[0]
    assert (wanted, although_held) == ((JOURNAL.id,), False)
    with qtbot.waitSignal(window.attachment.closed):
        done.set_result((CloseAnswer(JOURNAL.id, "closed", ""),))
    assert dialog.head.text() == "Closed 1 resource"
    assert window.result.text == "Closed 1 resource"
    dialog.cancel.click()
    assert window._closing is None


def test_one_can_look_at_other_processes_and_return_to_the_session(qtbot: QtBot, attach: Attach) -> None:
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


def test_disarming_is_per_target(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    arm(window)
    assert window.attachment.situation.armed
    window.commands["detach"].trigger()
    assert not window.attachment.situation.armed
    assert not window.commands["arm"].isChecked()


def test_actions_disarm_themselves_when_the_target_can_no_longer_act(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    session.can = Capabilities(act=False, reason="the target has ended")
    publish(qtbot, window, session, with_state(SNAPSHOT, TargetState.ENDED, "it exited"))
    assert not window.attachment.situation.armed
    assert not window.commands["gc"].isEnabled()
    assert not window.toolbar.level.isEnabled()


@pytest.mark.parametrize(
    ("state", "reason", "words", "button"),
    [
        (TargetState.HUNG, "the interpreter has not answered for 12 s", "is hung: the interpreter has not answered for 12 s", ""),
        (TargetState.ENDED, "it exited", "has ended: it exited", "Choose another process"),
        (TargetState.POST_MORTEM, "killed", "is gone: killed", "Choose another process"),
        (TargetState.RECORDED, "", "A recorded state of app.py", "Choose another process"),
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


def test_a_target_that_recovers_loses_its_banner_and_can_act_again(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(with_state(SNAPSHOT, TargetState.HUNG, "stopped"))
    arm(window)
    assert window.banner.isVisible()
    assert not window.commands["gc"].isEnabled()
    publish(qtbot, window, session, SNAPSHOT)
    assert window.commands["gc"].isEnabled()
    assert not window.banner.isVisible()


def test_what_was_lost_is_red_and_listed(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    assert window.status.lost.text() == "lost 0"
    assert not window.status.lost.property("alarm")
    publish(qtbot, window, session, snapshot_of([Row(1)], serial=2, lost={"untracked_handles": 1204, "misuse_stale": 3}))
    assert window.status.lost.text() == "lost 1,204"
    assert window.status.lost.property("alarm")
    assert "1,204 handles without a row" in window.status.lost.toolTip()
    assert "3 uses after release, refused" in window.status.lost.toolTip()


def test_sampling_less_often_is_a_note_and_no_loss(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    fewer = dataclasses.replace(snapshot_of([Row(1)], serial=2, lost={"sampler_skips": 7}), sampled_at=T0)
    publish(qtbot, window, session, fewer)
    assert not window.status.lost.property("alarm")
    assert window.status.sampled.text().endswith("ago, less often")
    assert "7 passes of the sampler cut short" in window.status.sampled.toolTip()


def test_the_losses_are_read_in_words_and_follow_the_target(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(snapshot_of([Row(1)], lost={"untracked_handles": 1204, "misuse_stale": 3, "sampler_skips": 2, "new_kind": 1}))
    window.vital_signs._lost.click()
    window.vital_signs._lost.click()
    (dialog,) = window.findChildren(LossesDialog)
    assert dialog.isVisible()
    assert dialog.lines == (
        "1,204 handles without a row",
        "1 new kind",
        "3 uses after release",
        "2 passes of the sampler cut short",
    )
    publish(qtbot, window, session, snapshot_of([Row(1)], serial=2, lost={"untracked_handles": 1300}))
    assert dialog.lines == ("1,300 handles without a row",)
    publish(qtbot, window, session, snapshot_of([Row(1)], serial=3))
    assert dialog.lines == ()
    assert not dialog.grab().isNull()
    window.commands["detach"].trigger()
    qtbot.waitUntil(lambda: not window.findChildren(LossesDialog))


def test_the_tools_own_cost_is_on_screen(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    assert window.status.cost.text() == "tool: 0.3 % CPU, 3.1 MB"
    assert window.status.sampled.text() == "sampled 40 ms ago"


def test_a_selected_handle_is_shown_in_detail_through_its_death(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.workbench.choose(handle_id(1))
    publish(qtbot, window, session, snapshot_of([Row(1, reference=Reference.DROPPED), JOURNAL], serial=2))
    assert window.workbench.detail.handle == handle_id(1)
    assert "dropped" in window.workbench.detail._values["Changed"].text()


def test_a_screenshot_carries_its_snapshot_and_is_remembered(qtbot: QtBot, attach: Attach, tmp_path: Path) -> None:
    window, _ = attach(SNAPSHOT)
    path = tmp_path / "shot.png"
    window.save_screenshot(path)
    qtbot.waitUntil(lambda: window.result.text.startswith("Saved "))
    assert extract(path).handles.ids.tolist() == SNAPSHOT.handles.ids.tolist()
    window.commands["screenshot"].trigger()
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("app.py-*.png"))) == 1)


def test_a_screenshot_shows_what_was_there_when_it_was_asked_for_and_the_window_goes_on(
    qtbot: QtBot, attach: Attach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, session = attach(SNAPSHOT)
    may_write, threads = threading.Event(), []

    def slow(picture: QImage, snapshot: Snapshot, path: Path) -> None:
        threads.append(threading.current_thread())
        may_write.wait(10)
        write_picture(picture, snapshot, path)

    monkeypatch.setattr("inspector.ui.camera.write_picture", slow)
    window.save_screenshot(tmp_path / "shot.png")
    assert window.result.text == "Saving shot.png …"
    publish(qtbot, window, session, snapshot_of([Row(1), JOURNAL, Row(3)], serial=2))
    assert window.workbench.handles.model.rowCount() == 5
    may_write.set()
    qtbot.waitUntil(lambda: window.result.text.startswith("Saved "))
    assert threads != [threading.main_thread()]
    assert extract(tmp_path / "shot.png").handles.ids.tolist() == SNAPSHOT.handles.ids.tolist()


def test_a_screenshot_that_cannot_be_written_is_one_line(qtbot: QtBot, attach: Attach, tmp_path: Path) -> None:
    window, _ = attach(SNAPSHOT)
    window.save_screenshot(tmp_path / "nowhere" / "shot.png")
    qtbot.waitUntil(lambda: window.result.text.startswith("The screenshot was not saved: "))
    assert "\n" not in window.result.text


def test_a_file_dropped_on_the_window_is_opened(qtbot: QtBot, open_window: Open, tmp_path: Path) -> None:
    path = tmp_path / "shot.png"
    connector = FakeConnector(files={path: FakeSession(with_state(SNAPSHOT, TargetState.RECORDED))})
    window = open_window(connector)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(window.rect().center(), Qt.DropAction.CopyAction, mime, buttons, keys)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, mime, buttons, keys))
    assert connector.remembered == [path]
    assert "recorded" in window.banner.text


def test_a_file_is_chosen_and_opened(qtbot: QtBot, open_window: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shot.png"
    window = open_window(FakeConnector(files={path: FakeSession(SNAPSHOT)}, folder=tmp_path))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        qtbot.mouseClick(window.start.open, Qt.MouseButton.LeftButton)
    assert window.workbench.handles.model.rowCount() == 4


def test_choosing_no_file_opens_nothing(open_window: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    window = open_window()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    window.commands["open"].trigger()
    assert not window.attachment.situation.connecting


def test_a_mark_is_put_into_the_timeline_at_the_newest_snapshot(qtbot: QtBot, attach: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    window, _ = attach(SNAPSHOT)
    marks: list[float] = []
    monkeypatch.setattr(window.workbench.churn, "add_mark", marks.append)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_M)
    assert marks == [SNAPSHOT.taken_at]


def test_the_command_palette_runs_what_is_typed(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.field, "threads")
    assert not window.workbench._docks["threads"].isHidden()
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.workbench._docks["threads"].isHidden()


def test_a_drag_without_a_file_is_refused(open_window: Open) -> None:
    mime = QMimeData()
    mime.setText("hello")
    keys = Qt.KeyboardModifier.NoModifier
    window = open_window()
    enter = QDragEnterEvent(window.rect().center(), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, keys)
    enter.ignore()
    window.dragEnterEvent(enter)
    assert not enter.isAccepted()


def test_slash_goes_to_the_filter_and_letters_typed_there_are_no_shortcuts(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    field = window.workbench.handles.field
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_Slash)
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, "gm s")
    assert field.text() == "gm s"
    assert session.gc_requests == []
    assert not window.commands["pause"].isChecked()


def test_space_presses_a_focused_button_and_does_not_pause(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    button = window.workbench.handles._tombstones
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert not button.isChecked()
    assert not window.commands["pause"].isChecked()


def test_back_and_forward_return_to_filters(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    handles = window.workbench.handles
    handles.set_filter("type:Journal")
    handles.set_filter("state:open")
    window.commands["back"].trigger()
    assert handles.query.filter.source == "type:Journal"
    window.commands["back"].trigger()
    assert handles.query.filter.source == ""
    window.commands["forward"].trigger()
    assert handles.query.filter.source == "type:Journal"


def test_the_theme_switches_everywhere_and_is_remembered(open_window: Open) -> None:
    window = open_window()
    window.commands["theme"].trigger()
    assert window.appearance.theme is DARK
    assert DARK.surface in QApplication.instance().styleSheet()
    assert window._settings.value("theme") == "dark"


def test_the_layout_is_remembered_and_can_be_reset(qtbot: QtBot, settings, attach: Attach, tmp_path: Path) -> None:
    window, _ = attach(SNAPSHOT)
    window.workbench._docks["threads"].hide()
    window.close()
    again = MainWindow(FakeConnector(folder=tmp_path), settings)
    qtbot.addWidget(again)
    assert again.workbench._docks["threads"].isHidden()
    again.commands["reset_layout"].setEnabled(True)
    again.commands["reset_layout"].trigger()
    assert not again.workbench._docks["threads"].isHidden()
    fresh = MainWindow(FakeConnector(folder=tmp_path), settings, reset_layout=True)
    qtbot.addWidget(fresh)
    assert not fresh.workbench._docks["threads"].isHidden()
    for extra in (again, fresh):
        extra.close()


def test_a_window_closed_on_the_start_page_remembers_no_layout(settings, open_window: Open) -> None:
    open_window().close()
    assert settings.value("layout") is None
    assert settings.value("geometry") is not None


def test_a_low_window_puts_the_timeline_with_the_tabs_unless_somebody_moved_a_pane(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    bench = window.workbench
    timeline = bench._docks["timeline"]
    top, bottom = Qt.DockWidgetArea.TopDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
    assert bench.dockWidgetArea(timeline) == top
    window.resize(900, 600)
    qtbot.waitUntil(lambda: bench.dockWidgetArea(timeline) == bottom)
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: bench.dockWidgetArea(timeline) == top)
    bench._docks["threads"].hide()
    window.resize(900, 600)
    qtbot.waitUntil(lambda: bench.height() < LOW_HEIGHT)
    assert bench.dockWidgetArea(timeline) == top


def test_a_narrow_window_shows_icons_alone_and_cuts_nothing_off(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.resize(900, 600)
    assert window.width() == 900 < COMPACT_WIDTH
    buttons = [window.toolbar.widgetForAction(window.commands[key]) for key in ("pause", "gc", "close", "attach", "theme", "commands")]
    qtbot.waitUntil(lambda: all(button.geometry().right() < window.width() for button in buttons))
    assert all(button.isVisible() for button in buttons)


def test_100_000_handles_go_through_the_whole_window(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(big_snapshot(100_000, tombstones=1000, pending=20))
    qtbot.waitUntil(lambda: window.workbench.handles.model.rowCount() == 3)
    publish(qtbot, window, session, big_snapshot(100_500, tombstones=1000, pending=20, serial=2))
    window.workbench.choose(handle_id(50_000))
    assert window.workbench.detail.handle == handle_id(50_000)
    assert not window.grab().isNull()


def test_a_closed_window_ends_its_session_and_leaves_nothing(qtbot: QtBot, settings, tmp_path: Path) -> None:
    session = FakeSession(SNAPSHOT)
    window = MainWindow(FakeConnector(sessions={4711: session}, folder=tmp_path), settings)
    window.show()
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    left = [weakref.ref(part) for part in (window, window.workbench, window.workbench.handles, window.attachment, window.start)]
    window.close()
    qtbot.waitUntil(lambda: session.ended)
    window.deleteLater()
    del window
    qtbot.waitUntil(lambda: gc.collect() >= 0 and all(part() is None for part in left))
