from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector.model.churn import MarkKind
from inspector.ui.kit.theme import DARK
from inspector.ui.shell.command_palette import CommandPalette
from inspector.ui.shell.main_window import COMPACT_WIDTH, MainWindow
from inspector.ui.shell.workbench import LOW_HEIGHT
from tests.helpers.fake_session import FakeConnector
from tests.helpers.reading import button, dock
from tests.helpers.windows import SNAPSHOT, Attach, Open, arm


def test_at_its_first_size_the_timeline_takes_more_than_a_quarter_of_the_panes(
    attach: Attach,
) -> None:
    window, _ = attach(SNAPSHOT)
    bench = window.workbench
    share = dock(bench, "timeline").height() / bench.height()
    assert 0.26 < share < 0.36
    assert dock(bench, "pending").height() < dock(bench, "timeline").height()


def test_a_mark_is_put_into_the_timeline_at_the_newest_snapshot(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_M)
    marks = [mark for mark in window.workbench.timeline.history.marks if mark.kind is MarkKind.MARK]
    assert [(mark.at, mark.text) for mark in marks] == [(SNAPSHOT.taken_at, "mark 1")]


def test_the_command_palette_runs_what_is_typed(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    qtbot.keyClick(
        window.workbench.handles.table, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier
    )
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.field, "threads")
    assert not dock(window.workbench, "threads").isHidden()
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert dock(window.workbench, "threads").isHidden()


def test_slash_goes_to_the_filter_and_letters_typed_there_are_no_shortcuts(
    qtbot: QtBot, attach: Attach
) -> None:
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
    tombstones = button(window.workbench.handles, "Show tombstones")
    tombstones.setFocus()
    qtbot.waitUntil(tombstones.hasFocus)
    qtbot.keyClick(tombstones, Qt.Key.Key_Space)
    assert not tombstones.isChecked()
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


def test_the_theme_switches_everywhere_and_is_remembered(
    settings: QSettings, open_window: Open
) -> None:
    window = open_window()
    window.commands["theme"].trigger()
    assert window.appearance.theme is DARK
    assert DARK.surface in QApplication.instance().styleSheet()
    assert settings.value("theme") == "dark"


def test_the_layout_is_remembered_and_can_be_reset(
    qtbot: QtBot, settings, attach: Attach, tmp_path: Path
) -> None:
    window, _ = attach(SNAPSHOT)
    dock(window.workbench, "threads").hide()
    window.close()
    again = MainWindow(FakeConnector(folder=tmp_path), settings)
    qtbot.addWidget(again)
    assert dock(again.workbench, "threads").isHidden()
    again.commands["reset_layout"].setEnabled(True)
    again.commands["reset_layout"].trigger()
    assert not dock(again.workbench, "threads").isHidden()
    fresh = MainWindow(FakeConnector(folder=tmp_path), settings, reset_layout=True)
    qtbot.addWidget(fresh)
    assert not dock(fresh.workbench, "threads").isHidden()
    for extra in (again, fresh):
        extra.close()


def test_a_window_closed_on_the_start_page_remembers_no_layout(settings, open_window: Open) -> None:
    open_window().close()
    assert settings.value("layout") is None
    assert settings.value("geometry") is not None


def test_a_low_window_puts_the_timeline_with_the_tabs_unless_somebody_moved_a_pane(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    bench = window.workbench
    timeline = dock(bench, "timeline")
    top, bottom = Qt.DockWidgetArea.TopDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
    assert bench.dockWidgetArea(timeline) == top
    window.resize(900, 600)
    qtbot.waitUntil(lambda: bench.dockWidgetArea(timeline) == bottom)
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: bench.dockWidgetArea(timeline) == top)
    dock(bench, "threads").hide()
    window.resize(900, 600)
    qtbot.waitUntil(lambda: bench.height() < LOW_HEIGHT)
    assert bench.dockWidgetArea(timeline) == top


def test_a_narrow_window_shows_icons_alone_and_cuts_nothing_off(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    window.resize(900, 600)
    assert window.width() == 900 < COMPACT_WIDTH
    buttons = [
        window.toolbar.widgetForAction(window.commands[key])
        for key in ("pause", "gc", "close", "attach", "theme", "commands")
    ]
    qtbot.waitUntil(lambda: all(button.geometry().right() < window.width() for button in buttons))
    assert all(button.isVisible() for button in buttons)
