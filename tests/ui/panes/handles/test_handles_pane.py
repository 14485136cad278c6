from __future__ import annotations

import gc
import weakref

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QMenu, QToolButton
from pytestqt.qtbot import QtBot

from inspector.model.columns import NUMBER_NAMES, RANGE_NAMES, TABLE_COLUMNS, TEXT_NAMES, section_of
from inspector.model.snapshot import TargetState
from inspector.ui.kit.theme import DARK, LIGHT, Theme
from inspector.ui.panes.handles.delegate import ROW_HEIGHT
from inspector.ui.panes.handles.pane import HandlesPane
from inspector.ui.panes.handles.table import HandleTable
from inspector.ui.session.bridge import BackgroundRunner
from inspector.vocabulary import Reference
from tests.helpers.reading import button, is_shown, part, text_of
from tests.helpers.snapshots import T0, Row, handle_id, snapshot_of, with_state

NO_ROW, ERROR = "Why there is no row", "Error in the filter"
NO_KEYS = Qt.KeyboardModifier.NoModifier


def texts(pane: HandlesPane) -> list[str]:
    return [str(pane.model.index(row, 0).data()) for row in range(pane.model.rowCount())]


def test_no_rows_is_a_sentence(pane: HandlesPane) -> None:
    pane.show_snapshot(snapshot_of())
    assert is_shown(pane, NO_ROW)
    assert "No followed handle is alive" in text_of(pane, NO_ROW)
    assert not is_shown(pane, "Clear filter")


def test_a_filter_without_a_match_offers_to_clear_itself(pane: HandlesPane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of([Row(1)]))
    pane.set_filter("type:Journal")
    assert is_shown(pane, NO_ROW)
    qtbot.mouseClick(button(pane, "Clear filter"), Qt.MouseButton.LeftButton)
    assert texts(pane) == ["TodoItem", "#1.1"]


def test_a_bad_filter_is_explained_and_the_last_good_one_stays(pane: HandlesPane) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2, "Journal")]))
    pane.set_filter("type:Journal")
    pane.set_filter("tpye:Todo")
    assert texts(pane) == ["Journal", "#2.1"]
    assert "did you mean" in text_of(pane, ERROR)
    assert is_shown(pane, ERROR)
    pane.set_filter("")
    assert not is_shown(pane, ERROR)


def test_typing_filters_when_it_settles_and_enter_goes_to_the_table(
    pane: HandlesPane, qtbot: QtBot
) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2, "Journal")]))
    pane.field.setFocus()
    with qtbot.waitSignal(pane.filter_changed):
        qtbot.keyClicks(pane.field, "journal")
    assert texts(pane) == ["Journal", "#2.1"]
    qtbot.keyClick(pane.field, Qt.Key.Key_Return)
    qtbot.waitUntil(pane.table.hasFocus)


def test_a_lost_target_keeps_its_rows(pane: HandlesPane) -> None:
    snapshot = snapshot_of([Row(1), Row(2)])
    pane.show_snapshot(snapshot)
    pane.show_snapshot(with_state(snapshot, TargetState.POST_MORTEM, "killed"))
    assert texts(pane) == ["TodoItem", "#1.1", "#2.1"]


def test_the_selection_survives_refresh_filter_and_death(pane: HandlesPane) -> None:
    chosen = handle_id(2)
    pane.show_snapshot(snapshot_of([Row(1), Row(2), Row(3, "Journal")]))
    pane.choose((chosen,))
    pane.show_snapshot(snapshot_of([Row(1), Row(2), Row(3, "Journal"), Row(9)], serial=2))
    pane.set_filter("type:Journal")
    assert pane.table.chosen == (chosen,)
    pane.set_filter("")
    pane.show_snapshot(snapshot_of([Row(1), Row(2, reference=Reference.DROPPED)], serial=3))
    assert pane.table.chosen == (chosen,)
    assert [index.row() for index in pane.table.selectionModel().selectedRows()] == [
        pane.model.row_of(chosen)
    ]


def test_choosing_a_filtered_handle_takes_the_filter_away(pane: HandlesPane) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2, "Journal")]))
    pane.set_filter("type:Journal")
    pane.choose((handle_id(1),))
    assert pane.field.text() == ""
    assert pane.table.chosen == (handle_id(1),)


def test_rows_keep_their_places_while_the_pointer_is_over_the_table(
    pane: HandlesPane, qtbot: QtBot
) -> None:
    pane.table.horizontalHeader().setSortIndicator(
        section_of("strong"), Qt.SortOrder.DescendingOrder
    )
    pane.show_snapshot(snapshot_of([Row(1, strong=9), Row(2, strong=1)]))
    pane.table.reading.emit(True)
    top = pane.table.y()
    pane.show_snapshot(
        snapshot_of([Row(1, strong=1), Row(2, strong=9), Row(3, strong=99)], serial=2)
    )
    pane.grab()
    assert pane.table.y() == top
    assert texts(pane) == ["TodoItem", "#1.1", "#2.1", "#3.1"]
    assert button(pane, "Sort in").text() == "1 new row out of place: sort in"
    qtbot.mouseClick(button(pane, "Sort in"), Qt.MouseButton.LeftButton)
    assert texts(pane) == ["TodoItem", "#3.1", "#2.1", "#1.1"]
    assert not is_shown(pane, "Sort in")


def test_the_row_at_the_top_stays_there_when_rows_come_above_it(
    pane: HandlesPane, qtbot: QtBot
) -> None:
    pane.show_snapshot(snapshot_of([Row(slot, age_secs=1000 - slot) for slot in range(40, 150)]))
    bar = pane.table.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 50 * ROW_HEIGHT)
    bar.setValue(50 * ROW_HEIGHT)
    before = pane.model.id_at(pane.table.rowAt(0))
    assert before == handle_id(89)
    pane.show_snapshot(
        snapshot_of(
            [Row(slot, age_secs=5000 - slot) for slot in range(1, 180)], serial=2, at=T0 + 1
        )
    )
    pane.show_snapshot(
        snapshot_of(
            [Row(slot, age_secs=5000 - slot) for slot in range(40, 180)], serial=3, at=T0 + 2
        )
    )
    assert pane.model.id_at(pane.table.rowAt(0)) == before


def test_the_head_of_the_group_stays_in_sight(pane: HandlesPane, qtbot: QtBot) -> None:
    pane.show_snapshot(
        snapshot_of(
            [
                *(Row(slot, "Journal") for slot in range(1, 60)),
                *(Row(slot) for slot in range(60, 90)),
            ]
        )
    )
    head, bar = pane.table.head, pane.table.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 60 * ROW_HEIGHT)
    assert not head.isVisible()
    bar.setValue(10 * ROW_HEIGHT)
    assert head.group is not None
    assert head.group.name == "Journal"
    bar.setValue(59 * ROW_HEIGHT + 10)
    assert head.y() == -10
    qtbot.mouseClick(head, Qt.MouseButton.LeftButton)
    assert bar.value() == 0
    assert not head.isVisible()


def test_a_chosen_row_is_not_hidden_by_the_head(pane: HandlesPane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of([Row(slot, age_secs=1000 - slot) for slot in range(1, 100)]))
    bar = pane.table.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 80 * ROW_HEIGHT)
    bar.setValue(80 * ROW_HEIGHT)
    pane.choose((handle_id(40),))
    assert pane.table.rowViewportPosition(pane.model.row_of(handle_id(40))) >= ROW_HEIGHT


def test_a_click_on_a_header_sorts(pane: HandlesPane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of([Row(1, strong=1), Row(2, strong=9)]))
    header = pane.table.horizontalHeader()
    at = QPoint(header.sectionViewportPosition(section_of("strong")) + 10, 10)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, NO_KEYS, at)
    assert pane.query.column == "strong"
    ascending = texts(pane)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, NO_KEYS, at)
    assert texts(pane) == [ascending[0], *reversed(ascending[1:])]


def test_dead_rows_are_off_until_they_are_asked_for(pane: HandlesPane) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2, reference=Reference.DROPPED)]))
    assert texts(pane) == ["TodoItem", "#1.1"]
    dead = button(pane, "Show tombstones")
    assert dead.text() == "show 1 dead"
    dead.click()
    assert texts(pane) == ["TodoItem", "#1.1", "#2.1"]


def test_the_moment_can_be_chosen(pane: HandlesPane) -> None:
    pane.show_snapshot(snapshot_of([Row(1, age_secs=10)]))
    marked = part(pane, "How long new and dying rows are marked", QToolButton)
    marked.menu().actions()[-1].trigger()
    assert pane.query.moment_secs == 30
    assert marked.text() == "30 s"


def test_the_keyboard_folds_opens_and_copies(pane: HandlesPane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2)]))
    pane.choose((handle_id(1),))
    table = pane.table
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    cells = QGuiApplication.clipboard().text().split("\t")
    shown = [each for each in range(len(TABLE_COLUMNS)) if not table.isColumnHidden(each)]
    assert cells[0] == "#1.1"
    assert cells == [str(table.currentIndex().siblingAtColumn(each).data()) for each in shown]
    with qtbot.waitSignal(table.handle_opened) as opened:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == [handle_id(1)]
    qtbot.keyClick(table, Qt.Key.Key_Left)
    assert table.currentIndex().row() == 0
    qtbot.keyClick(table, Qt.Key.Key_Left)
    assert texts(pane) == ["TodoItem"]
    qtbot.keyClick(table, Qt.Key.Key_Right)
    assert len(texts(pane)) == 3
    qtbot.keyClick(table, Qt.Key.Key_Minus)
    assert texts(pane) == ["TodoItem"]


def test_a_click_on_the_arrow_folds_and_one_beside_it_does_not(
    pane: HandlesPane, qtbot: QtBot
) -> None:
    pane.show_snapshot(snapshot_of([Row(1)]))
    qtbot.mouseClick(pane.table.viewport(), Qt.MouseButton.LeftButton, NO_KEYS, QPoint(200, 10))
    assert len(texts(pane)) == 2
    qtbot.mouseClick(pane.table.viewport(), Qt.MouseButton.LeftButton, NO_KEYS, QPoint(12, 10))
    assert texts(pane) == ["TodoItem"]


def test_several_rows_can_be_chosen_across_types(pane: HandlesPane) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2), Row(3, "Journal")]))
    pane.table.selectAll()
    assert set(pane.table.chosen) == {handle_id(1), handle_id(2), handle_id(3)}


def context_menu(pane: HandlesPane, qtbot: QtBot) -> QMenu:
    with qtbot.waitSignal(pane.menu_wanted) as wanted:
        pane.table.contextMenuEvent(
            QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), QPoint(5, 5))
        )
    return wanted.args[0]


def choose(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Only Journal", 'type:"Journal"'),
        ("Only thread worker-1", 'thread:"worker-1"'),
        ("Only site storage.py:12 open_journal", 'site:"storage.py:12 open_journal"'),
    ],
)
def test_the_context_menu_filters_by_what_the_row_shows(
    pane: HandlesPane, qtbot: QtBot, text: str, source: str
) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2, "Journal", thread="worker-1", site=2)]))
    pane.choose((handle_id(2),))
    choose(context_menu(pane, qtbot), text)
    assert pane.field.text() == source
    assert texts(pane) == ["Journal", "#2.1"]


def test_rows_are_copied_one_a_line_without_heads(pane: HandlesPane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2, "Journal"), Row(3)]))
    pane.choose((handle_id(1), handle_id(2)))
    choose(context_menu(pane, qtbot), "Copy rows")
    lines = QGuiApplication.clipboard().text().split("\n")
    assert sorted(line.split("\t")[0] for line in lines) == ["#1.1", "#2.1"]


def test_the_context_menu_copies_ids_and_folds_all(pane: HandlesPane, qtbot: QtBot) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2, "Journal")]))
    pane.choose((handle_id(1),))
    choose(context_menu(pane, qtbot), "Copy ids")
    assert QGuiApplication.clipboard().text() == "#1.1"
    choose(context_menu(pane, qtbot), "Collapse all types")
    assert texts(pane) == ["Journal", "TodoItem"]


def test_columns_can_be_hidden_and_fitted_again(pane: HandlesPane) -> None:
    pane.table.horizontalHeader().customContextMenuRequested.emit(QPoint(5, 5))
    menu = pane.table.findChildren(QMenu)[-1]
    choose(menu, "Weak")
    assert pane.table.isColumnHidden(section_of("weak"))
    pane.resize(1300, 400)
    assert pane.table.isColumnHidden(section_of("weak"))
    choose(menu, "Fit to the window")
    assert not pane.table.isColumnHidden(section_of("weak"))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_every_kind_of_row_can_be_painted(pane: HandlesPane, theme: Theme) -> None:
    rows = [
        Row(1, age_secs=0.1),
        Row(2, reference=Reference.DROPPED, changed_secs=0.1),
        Row(3, reference=Reference.RELEASED),
        Row(4, strong=1, proxies=2, native_refs=-1),
        Row(
            5,
            strong=-1,
            weak=-1,
            native_refs=-1,
            in_flight=-1,
            age_secs=float("nan"),
            thread="",
            site=0,
        ),
    ]
    pane.set_theme(theme)
    pane.show_snapshot(snapshot_of(rows))
    painted = pane.table.viewport().grab().toImage()
    assert painted.pixelColor(600, 6) == theme.color("surface_alt")
    assert painted.pixelColor(600, ROW_HEIGHT + 6) != painted.pixelColor(600, 3 * ROW_HEIGHT + 6)


def test_columns_give_way_in_a_narrow_pane_and_come_back(pane: HandlesPane) -> None:
    pane.show_snapshot(snapshot_of([Row(1)]))
    pane.resize(460, 400)
    assert pane.table.isColumnHidden(section_of("weak"))
    assert not pane.table.isColumnHidden(section_of("strong"))
    assert not pane.table.horizontalScrollBar().isVisible()
    pane.resize(1200, 400)
    assert not any(pane.table.isColumnHidden(section) for section in range(len(TABLE_COLUMNS)))


def test_a_dropped_pane_leaves_nothing(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    pane = HandlesPane(theme, runner)
    pane.show_snapshot(snapshot_of([Row(1)]))
    left = [weakref.ref(part) for part in (pane, pane.model, pane.table)]
    assert isinstance(pane.table, HandleTable)
    pane.deleteLater()
    del pane
    qtbot.waitUntil(lambda: gc.collect() >= 0 and all(part() is None for part in left))


def test_clearing_drops_the_snapshot(pane: HandlesPane) -> None:
    snapshot = snapshot_of([Row(1)])
    ids = weakref.ref(snapshot.handles.ids)
    pane.show_snapshot(snapshot)
    pane.choose((handle_id(1),))
    pane.grab()
    del snapshot
    pane.clear()
    assert pane.table.chosen == ()
    assert pane.model.rowCount() == 0
    gc.collect()
    assert ids() is None
    pane.set_filter("type:TodoItem")
    assert pane.model.rowCount() == 0


@pytest.mark.parametrize(
    "key", [*TEXT_NAMES, *RANGE_NAMES, *(key for key in NUMBER_NAMES if key != "count")]
)
def test_the_help_of_the_filter_names_every_field(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner, key: str
) -> None:
    pane = HandlesPane(theme, runner)
    qtbot.addWidget(pane)
    assert key in pane.field.toolTip()


def test_a_filter_that_nothing_matches_says_so_and_offers_to_clear_it(
    qtbot: QtBot, pane: HandlesPane
) -> None:
    pane.show_snapshot(snapshot_of([Row(1), Row(2)]))
    pane.set_filter("type:Nothing")
    assert text_of(pane, "Number of handles") == "0 live handles → 0 objects  ·  0 of 2 rows match"
    assert text_of(pane, NO_ROW) == "No row matches the filter"
    qtbot.mouseClick(button(pane, "Clear filter"), Qt.MouseButton.LeftButton)
    assert pane.model.rowCount() == 3
