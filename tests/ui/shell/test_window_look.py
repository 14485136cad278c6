from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector.model.time_marks import MarkKind
from inspector.ui.kit.theme import DARK
from inspector.ui.shell.command_palette import CommandPalette
from inspector.ui.shell.main_window import MainWindow
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.reading import button
from tests.helpers.windows import SNAPSHOT, Attach, Open, arm


def test_at_its_first_size_the_parts_have_the_heights_of_the_design(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    bench = window.workbench
    qtbot.waitUntil(lambda: bench.timeline_strip.height() == 112)
    assert window.verdict.height() == 92
    assert bench.drawer.height() == 28
    assert not bench.drawer.is_open
    assert not bench.side.is_open
    assert bench.handles.changes.height() >= 21 * 24


def test_a_mark_is_put_into_the_timeline_at_the_newest_snapshot(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_M)
    marks = [mark for mark in window.workbench.timeline.history.marks if mark.kind is MarkKind.MARK]
    assert [(mark.at, mark.text) for mark in marks] == [(SNAPSHOT.taken_at, "mark 1")]


def test_the_command_palette_shows_a_pane_and_never_hides_it(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    for _ in range(2):
        window.commands["commands"].trigger()
        palette = window.findChild(CommandPalette)
        qtbot.keyClicks(palette.field, "findings")
        qtbot.keyClick(palette.field, Qt.Key.Key_Return)
        assert window.workbench.drawer.is_open
        assert window.workbench.drawer.current == "findings"
        qtbot.waitUntil(lambda: window.findChild(CommandPalette) is None)


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
    assert tombstones.isChecked()
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
    window.workbench.open_pane("threads")
    window.close()
    again = MainWindow(
        FakeConnector(sessions={1: FakeSession(SNAPSHOT)}, folder=tmp_path), settings
    )
    qtbot.addWidget(again)
    again.show()
    with qtbot.waitSignal(again.attachment.snapshot_shown):
        again.attachment.attach(1)
    assert again.workbench.drawer.is_open
    assert again.workbench.drawer.current == "threads"
    again.commands["reset_layout"].trigger()
    assert not again.workbench.drawer.is_open
    fresh = MainWindow(FakeConnector(folder=tmp_path), settings, reset_layout=True)
    qtbot.addWidget(fresh)
    assert not fresh.workbench.drawer.is_open
    for extra in (again, fresh):
        extra.close()


def test_a_window_closed_on_the_start_page_remembers_no_layout(settings, open_window: Open) -> None:
    open_window().close()
    assert settings.value("layout") is None
    assert settings.value("geometry") is not None


def test_a_low_window_folds_the_timeline_unless_a_person_did_otherwise(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(SNAPSHOT)
    strip = window.workbench.timeline_strip
    window.resize(900, 600)
    qtbot.waitUntil(lambda: strip.is_folded and strip.height() == 30)
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: not strip.is_folded and strip.height() == 72)
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: strip.height() == 112)
    strip.title.click()
    assert strip.is_folded
    window.resize(1440, 880)
    assert strip.is_folded


def test_a_sheet_over_the_table_leaves_the_drawer_free(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.resize(900, 600)
    bench = window.workbench
    bench.open_pane("detail")
    qtbot.waitUntil(lambda: bench.side.isVisible())
    for pane in ("threads", "events"):
        bench.open_pane(pane)
        qtbot.waitUntil(lambda: bench.side.height() == bench.handles.height())
        below = bench.side.mapTo(bench, bench.side.rect().bottomLeft()).y()
        assert below < bench.drawer.body.mapTo(bench, QPoint(0, 0)).y()
    bench.drawer.set_open(False)
    qtbot.waitUntil(lambda: bench.side.height() == bench.handles.height())


SIZES = ((900, 600), (1280, 720), (1366, 768), (1440, 900), (2560, 1440))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_at_every_size_the_whole_toolbar_is_in_sight(
    qtbot: QtBot, attach: Attach, width: int, height: int
) -> None:
    window, _ = attach(SNAPSHOT)
    window.resize(width, height)
    toolbar = window.toolbar
    qtbot.waitUntil(lambda: toolbar.width() == width)
    parts = (toolbar.chip, toolbar.search, toolbar.acting, toolbar.menu_button)
    assert all(part.isVisible() for part in parts)
    right = [part.mapTo(window, part.rect().topRight()).x() for part in parts]
    assert right == sorted(right)
    assert right[-1] < width
    assert toolbar.height() == (36 if width < 1000 else 40)


@pytest.mark.parametrize("width", [1180, 1240, 1300, 1360, 1420])
def test_between_narrow_and_wide_nothing_of_the_toolbar_is_cut(
    qtbot: QtBot, attach: Attach, width: int
) -> None:
    window, _ = attach(SNAPSHOT)
    window.resize(width, 800)
    menu = window.toolbar.menu_button
    qtbot.waitUntil(lambda: window.toolbar.width() == width)
    assert menu.mapTo(window, menu.rect().topRight()).x() < width
