"""Faults that were found by using the window, each with its test."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from inspector.model.snapshot import TargetState
from inspector.session.protocol import GcReport
from inspector.ui.kit.theme import LIGHT, contrast
from inspector.ui.shell.window_layout import FRAME, first_size
from inspector.vocabulary import Resource
from tests.helpers.reading import button, part, text_of
from tests.helpers.snapshots import Row, snapshot_of, with_state
from tests.helpers.windows import JOURNAL, SNAPSHOT, Attach, answer, publish


def test_a_primary_button_keeps_its_label_under_the_pointer(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    made = QPushButton("Load and attach", window)
    made.setProperty("primary", True)
    made.show()
    made.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    made.ensurePolished()
    ground = made.grab().toImage().pixelColor(6, made.height() // 2).name()
    assert contrast(ground, LIGHT.accent_text) >= 4.5


def test_a_window_is_never_larger_than_its_screen() -> None:
    assert first_size(QSize(2560, 1440)) == QSize(1440, 900)
    assert first_size(QSize(960, 540)) == QSize(960, 540 - FRAME)


def test_enter_presses_a_focused_button(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    pause = button(window.toolbar, "tool_pause")
    pause.setFocus()
    qtbot.waitUntil(pause.hasFocus)
    qtbot.keyClick(pause, Qt.Key.Key_Return)
    assert window.attachment.situation.paused


def test_the_keys_of_a_disabled_action_say_why_nothing_happens(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_G)
    assert window.result.text == (
        "Force GC is not possible now: switch Actions on first (Ctrl+Shift+A)"
    )
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_C)
    assert window.result.text.startswith("Close is not possible now: ")


def test_a_wrong_filter_says_that_the_last_good_filter_is_still_shown(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    handles = window.workbench.handles
    handles.set_filter("type:Journal")
    handles.set_filter("strong>many")
    assert text_of(handles, "Error in the filter").endswith(
        "the table still shows the last good filter"
    )
    assert handles.query.filter.source == "type:Journal"


def test_pause_shows_in_the_chip_of_the_target(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.commands["pause"].trigger()
    assert window.toolbar.chip.accessibleName().endswith("live, paused")


def test_the_actions_say_whether_they_are_on(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    assert window.toolbar.acting.text() == "Actions off ▾"
    window.commands["arm"].trigger()
    assert window.toolbar.acting.text() == "Actions on ▾"


def test_two_types_of_one_name_are_told_apart(qtbot: QtBot, attach_to_table: Attach) -> None:
    snapshot = snapshot_of([Row(1), Row(2, "Journal")])
    rows = [
        dataclasses.replace(row, name="Event", origin=f"library_{index}")
        for index, row in snapshot.types.items()
    ]
    types = MappingProxyType({row.index: row for row in rows})
    window, _ = attach_to_table(dataclasses.replace(snapshot, types=types))
    view = window.workbench.handles.changes
    qtbot.waitUntil(lambda: view.changes.rowCount() == 2)
    texts = {view.changes.index(row, 0).data() for row in (0, 1)}
    assert len(texts) == 2
    assert all(text.startswith("Event (library_") for text in texts)


def test_a_dead_target_asks_for_no_holders(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.workbench.choose(Row(1).id)
    look = part(window.workbench.detail, "Who holds it", QPushButton)
    assert look.isEnabled()
    publish(qtbot, window, session, with_state(SNAPSHOT, TargetState.ENDED, "it exited"))
    assert not look.isEnabled()
    assert "not possible now" in look.toolTip()


def test_a_collection_that_freed_nothing_says_so(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.commands["arm"].trigger()
    window.target_actions.force_gc()
    said = answer(
        qtbot, window, lambda: session.gc_requests[0].set_result(GcReport(0, 0, 0, 0, 0.01))
    )
    assert said == "Nothing was garbage: all live handles are still referenced"


def test_close_is_off_for_an_object_that_cannot_close(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.commands["arm"].trigger()
    window.workbench.handles.choose((Row(1).id,))
    assert not window.commands["close"].isEnabled()
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_C)
    assert window.result.text == (
        "Close is not possible now: TodoItem cannot close: it ends with its last reference"
    )
    window.workbench.handles.choose((JOURNAL.id,))
    assert window.commands["close"].isEnabled()


def test_a_close_that_began_just_now_does_not_flicker_in_the_strip(
    qtbot: QtBot, attach: Attach
) -> None:
    short = Row(3, "Journal", resource=Resource.CLOSING, changed_secs=0.2)
    window, _ = attach(snapshot_of([short]))
    assert text_of(window.verdict.stuck, "What waits") == "Nothing waits for long"
    assert not window.verdict.stuck.stuck.is_alarm


def test_overwritten_history_is_no_lost_count(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    gone = snapshot_of([Row(1)], serial=2, lost={"overwritten_events": 1904})
    publish(qtbot, window, session, gone)
    assert window.status.lost.text() == "lost 0"
    assert not window.status.lost.property("alarm")
    assert window.status.history.text() == "1,904 events overwritten"
    assert "1,904 events overwritten" in button(window.vital_signs, "Lost").toolTip()


def test_the_status_line_leaves_facts_out_rather_than_cutting_them(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    gone = snapshot_of(
        [Row(1)],
        serial=2,
        lost={"overwritten_events": 1904},
        state=TargetState.HUNG,
        reason="the interpreter has not answered for 9 s, the lock is held by MainThread",
    )
    for width in (1440, 720):
        window.resize(width, 600)
        publish(qtbot, window, session, dataclasses.replace(gone, serial=gone.serial + width))
        shown = [each for each in window.status.findChildren(QLabel) if each.isVisible()]
        qtbot.waitUntil(
            lambda shown=shown: all(each.width() >= each.sizeHint().width() for each in shown[1:])
        )
        assert window.status.lost in shown
    assert "1,904 events overwritten" in window.status.toolTip()


def test_a_recording_shows_its_time_and_size_in_red_and_then_opens(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    record = button(window.toolbar, "tool_record")
    window.commands["record"].setChecked(True)
    qtbot.waitUntil(lambda: window.recording.is_on)
    assert record.property("recording")
    assert record.text().startswith("0:00 · ")
    window.toolbar.set_compact(compact=True)
    assert record.text().startswith("0:00 · ")
    window.toolbar.set_compact(compact=False)
    with qtbot.waitSignal(window.recording.saved):
        window.commands["record"].setChecked(False)
    assert (record.text(), bool(record.property("recording"))) == ("Record", False)
    assert window.result.text.startswith("Recorded ")
    assert (window.result.button.isVisible(), window.result.button.text()) == (True, "Open")


def test_no_field_of_the_toolbar_is_cut_after_a_change_of_theme(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    for theme in ("dark", "light"):
        window.appearance.choose(theme)
        for width in (900, 1440):
            window.resize(width, 600)
            chip, bar = window.toolbar.chip, window.toolbar
            qtbot.waitUntil(lambda chip=chip: chip.visibleRegion().boundingRect() == chip.rect())
            assert chip.mapTo(bar, chip.rect().topLeft()).x() == 8
