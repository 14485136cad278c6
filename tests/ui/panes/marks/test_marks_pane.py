"""The pane of marks and diff, the growth test, recordings and their replay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inspector.model.diff import Fate, diff
from inspector.model.events import joined
from inspector.model.growth import growth
from inspector.model.marks import mark_now
from inspector.model.snapshot import Snapshot
from inspector.session.replay import ReplaySession
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.panes.marks.birth_bars import BirthBars
from inspector.ui.panes.marks.model import (
    ChangeRows,
    GrownRows,
    change_model,
    fate_model,
    fate_rows,
    grown_model,
)
from inspector.ui.panes.marks.pane import NO_MARKS, NO_TARGET, NOTHING_GREW, MarksPane
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.mark_book import MarkBook
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import Reference
from tests.helpers.events import events_of
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.reading import button, choose, click, text_of, timer_of
from tests.helpers.snapshots import T0, Row, big_snapshot, handle_id, snapshot_of
from tests.helpers.widget_life import what_is_left
from tests.helpers.windows import Attach, Open, publish

FIRST = snapshot_of([Row(1), Row(2), Row(3, site=2)])
THEN = snapshot_of(
    [
        Row(1, strong=4),
        Row(2, reference=Reference.DROPPED),
        Row(3, site=2),
        *(Row(slot, site=3) for slot in range(10, 16)),
    ],
    at=T0 + 9,
    serial=2,
)

SUM, FATE = "Sum of the comparison", "Which handles of the chosen line"


def cells(table: QWidget, *columns: int) -> list[tuple[str, ...]]:
    model = table.model()  # type: ignore[attr-defined]
    return [
        tuple(str(model.index(row, column).data()) for column in columns)
        for row in range(model.rowCount())
    ]


def marked(qtbot: QtBot, window: MainWindow, count: int) -> MarksPane:
    window.workbench.open_pane("marks")
    qtbot.waitUntil(lambda: window.workbench.marks.list.count() == count)
    return window.workbench.marks


def compared_with_now(qtbot: QtBot, attach: Attach) -> tuple[MainWindow, FakeSession, MarksPane]:
    window, session = attach(FIRST)
    window.commands["mark"].trigger()
    pane = marked(qtbot, window, 1)
    publish(qtbot, window, session, THEN)
    pane.list.item(0).setSelected(True)
    qtbot.waitUntil(lambda: bool(cells(pane.table, 0)))
    return window, session, pane


def test_one_mark_is_compared_with_now(qtbot: QtBot, attach: Attach) -> None:
    window, _, pane = compared_with_now(qtbot, attach)
    assert window.workbench.timeline.plot.shade.curve.isVisible()
    assert text_of(pane, SUM) == "mark 1 → now: +5, 6 born, 1 dead, 2 survived"
    assert cells(pane.table, 0, 1, 4, 5, 9) == [
        ("TodoItem", "+6", "6", "0", "sync.py:88 sync"),
        ("TodoItem", "−1", "0", "1", "app.py:41 add"),
    ]
    assert pane.list.item(0).text().startswith("mark 1  ·  ")
    pane.list.item(0).setSelected(False)
    assert not window.workbench.timeline.plot.shade.curve.isVisible()


def test_a_line_leads_to_its_handles_by_fate(qtbot: QtBot, attach: Attach) -> None:
    window, _, pane = compared_with_now(qtbot, attach)
    pane.table.clicked.emit(pane.table.model().index(0, 0))
    qtbot.waitUntil(lambda: len(cells(pane.handles, 0)) == 6)
    click(pane, "Show")
    assert window.workbench.handles.query.filter.source == 'type:"TodoItem" site:"sync.py:88 sync"'
    pane.table.clicked.emit(pane.table.model().index(len(cells(pane.table, 0)) - 1, 0))
    choose(pane, FATE, "Dead")
    qtbot.waitUntil(lambda: cells(pane.handles, 0) == [("#2.1",)])
    choose(pane, FATE, "Changed")
    qtbot.waitUntil(lambda: cells(pane.handles, 0, 1) == [("#1.1", "1 → 4")])
    pane.handles.clicked.emit(pane.handles.model().index(0, 0))
    assert window.workbench.detail.handle == handle_id(1)


def test_two_marks_are_compared_with_each_other(qtbot: QtBot, attach: Attach) -> None:
    window, session, pane = compared_with_now(qtbot, attach)
    window.commands["mark"].trigger()
    marked(qtbot, window, 2)
    publish(qtbot, window, session, snapshot_of(at=T0 + 20, serial=3))
    pane.list.selectAll()
    qtbot.waitUntil(lambda: text_of(pane, SUM).startswith("mark 1 → mark 2: +5"))
    choose(pane, "Lines of the comparison", "By type")
    assert cells(pane.table, 0, 1) == [("TodoItem", "+5")]
    assert window.workbench.drawer.title("marks") == "Compare 2"
    click(pane, "Remove")
    marked(qtbot, window, 0)
    assert pane.table.message == NO_MARKS


def test_of_comparisons_wished_for_at_once_the_newest_is_shown(
    qtbot: QtBot, runner: BackgroundRunner
) -> None:
    book = MarkBook(Attachment(FakeConnector(), runner), runner)
    first, second, third = (mark_now(snapshot_of([Row(1)], at=T0 + at), str(at)) for at in range(3))
    shown: list[str] = []
    book.compared.connect(lambda found: shown.append(found.after.name))
    for other in (second, third, second, third):
        book.compare(first, other)
    qtbot.waitUntil(lambda: bool(shown))
    book.compare(first, second)
    qtbot.waitUntil(lambda: len(shown) == 2)
    assert shown == ["2", "1"]


def test_the_ends_of_a_range_in_the_timeline_can_be_marked_later(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(
        snapshot_of(
            [
                Row(1, age_secs=60),
                Row(2, age_secs=20),
                Row(3, age_secs=60, reference=Reference.DROPPED, changed_secs=5),
            ]
        )
    )
    pane = window.workbench.marks
    assert not button(pane, "Range").isEnabled()
    window.workbench.timeline.plot.range_selected.emit(T0 - 30, T0 - 10)
    click(pane, "Range")
    marked(qtbot, window, 2)
    assert [len(mark) for mark in window.marks.marks] == [2, 3]
    assert "Set later" in pane.list.item(0).toolTip()
    window.workbench.timeline.plot.range_dropped.emit()
    assert not button(pane, "Range").isEnabled()


def test_a_range_of_births_filters_the_table(qtbot: QtBot, attach: Attach) -> None:
    window, _, pane = compared_with_now(qtbot, attach)
    pane.bars.range_selected.emit(T0 - 100, T0)
    assert window.workbench.handles.query.filter.source.startswith("born:")
    pane.bars.range_dropped.emit()
    assert window.workbench.handles.query.filter.source == ""


def test_dragging_over_the_births_chooses_a_range_and_a_click_none(qtbot: QtBot) -> None:
    bars = BirthBars(LIGHT)
    qtbot.addWidget(bars)
    bars.resize(416, 84)
    bars.show_births(np.array([T0, T0 + 100.0, np.nan]), np.array([T0 + 50.0]))
    bars.show()
    with qtbot.waitSignal(bars.range_selected) as chosen:
        qtbot.mousePress(bars, Qt.MouseButton.LeftButton, pos=QPoint(108, 20))
        qtbot.mouseRelease(bars, Qt.MouseButton.LeftButton, pos=QPoint(208, 20))
    assert chosen.args == pytest.approx([T0 + 25, T0 + 50])
    with qtbot.waitSignal(bars.range_dropped):
        qtbot.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(50, 20))
    bars.set_theme(DARK)
    bars.show_births(np.empty(0), np.empty(0))
    assert bars.accessibleDescription() == "0 survivors, 0 dead"


def test_the_growth_test_keeps_what_every_round_left_behind(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(FIRST)
    pane = window.workbench.marks
    window.workbench.open_pane("marks")
    click(pane, "Growth test…")
    for number in range(1, 4):
        qtbot.waitUntil(
            lambda number=number: text_of(pane.steps, "Instruction").startswith(
                f"Round {number} of 3"
            )
        )
        leaked = [Row(100 + slot, site=3) for slot in range(2 * number)]
        publish(
            qtbot,
            window,
            session,
            snapshot_of(
                [Row(1), *leaked, Row(50 + number, site=1, generation=number)],
                at=T0 + number,
                serial=number + 1,
            ),
        )
        click(pane.steps, "Next")
    qtbot.waitUntil(lambda: bool(cells(pane.grown, 0)))
    assert cells(pane.grown, 0, 1, 2, 3) == [("TodoItem", "+2  +2  +2", "6", "sync.py:88 sync")]
    assert (pane.grown.isVisible(), pane.table.isVisible()) == (True, False)
    click(pane.steps, "Done")
    assert (pane.grown.isVisible(), pane.table.isVisible()) == (False, True)
    assert pane.list.count() == 4


def test_a_growth_test_without_growth_says_so(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(FIRST)
    pane = window.workbench.marks
    window.workbench.open_pane("marks")
    click(pane, "Growth test…")
    for number in range(1, 4):
        qtbot.waitUntil(
            lambda number=number: text_of(pane.steps, "Instruction").startswith(
                f"Round {number} of 3"
            )
        )
        publish(qtbot, window, session, snapshot_of([Row(1)], at=T0 + number, serial=number + 1))
        click(pane.steps, "Next")
    qtbot.waitUntil(lambda: (pane.grown.isVisible(), pane.table.isVisible()) == (True, False))
    assert cells(pane.grown, 0) == []
    assert pane.grown.message == NOTHING_GREW


def test_the_end_of_the_session_forgets_its_marks(qtbot: QtBot, attach: Attach) -> None:
    window, _, pane = compared_with_now(qtbot, attach)
    window.attachment.detach()
    assert pane.list.count() == 0
    assert cells(pane.table, 0) == cells(pane.handles, 0) == []
    assert pane.table.message == NO_TARGET


def test_marks_of_a_hundred_thousand_handles_are_compared_beside_the_window(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(big_snapshot(100_000))
    window.commands["mark"].trigger()
    pane = marked(qtbot, window, 1)
    publish(qtbot, window, session, big_snapshot(100_000, at=T0 + 1, serial=2, tombstones=4000))
    pane.list.item(0).setSelected(True)
    qtbot.waitUntil(lambda: "4,000 dead" in text_of(pane, SUM), timeout=20_000)


def recorded(qtbot: QtBot, attach: Attach, tmp_path: Path) -> Path:
    """A file of a session that was recorded in the window: two moments, a mark, an event."""
    window, session = attach(FIRST)
    session.events = joined([events_of((T0, "create", handle_id(1), 1))])
    window.commands["record"].trigger()
    qtbot.waitUntil(lambda: window.recording.is_on)
    window.commands["mark"].trigger()
    publish(qtbot, window, session, THEN)
    window.result.hide()
    window.commands["record"].trigger()
    qtbot.waitUntil(lambda: "Recorded 2 snapshots" in window.result.text)
    assert not window.commands["record"].isChecked()
    (path,) = tmp_path.glob("*.arcs")
    return path


def test_a_session_is_recorded_into_a_file(qtbot: QtBot, attach: Attach, tmp_path: Path) -> None:
    session = ReplaySession(recorded(qtbot, attach, tmp_path))
    assert list(session.moments) == [T0, T0 + 9]
    assert session.marks == ((T0, "mark 1"),)
    assert len(session.read_events().result(9).events) == 1
    session.end()


def test_the_end_of_the_session_ends_its_recording(
    qtbot: QtBot, attach: Attach, tmp_path: Path
) -> None:
    window, _ = attach(FIRST)
    window.commands["record"].trigger()
    qtbot.waitUntil(lambda: window.recording.is_on)
    window.attachment.detach()
    assert not window.recording.is_on
    qtbot.waitUntil(lambda: "Recorded 1 snapshot" in window.result.text)


def test_a_file_that_cannot_be_made_is_said(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    window = open_window(
        FakeConnector(sessions={4711: FakeSession(FIRST)}, folder=tmp_path / "gone")
    )
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    window.commands["record"].trigger()
    qtbot.waitUntil(lambda: "annot write the session file: No such file" in window.result.text)
    assert not window.commands["record"].isChecked()


def test_a_recording_is_gone_through_with_the_slider(
    qtbot: QtBot, attach: Attach, tmp_path: Path
) -> None:
    path = recorded(qtbot, attach, tmp_path)
    window, _ = attach(FIRST)
    assert not window.replay.isVisible()
    window.attachment.open_with(lambda: ReplaySession(path), path.name)
    replay = window.replay
    qtbot.waitUntil(replay.isVisible)
    qtbot.waitUntil(
        lambda: (
            window.attachment.shown is not None
            and window.attachment.shown.taken_at == THEN.taken_at
        )
    )
    assert text_of(replay, "Moment").endswith("moment 2 of 2")
    moment = window.workbench.timeline.plot.moment
    assert moment.at == T0 + 9
    assert len(window.workbench.timeline.history) == 2
    marked(qtbot, window, 1)
    replay.slider.setValue(100)
    qtbot.waitUntil(lambda: _shown_at(window) == T0)
    assert text_of(replay, "Moment").endswith("moment 1 of 2")
    assert moment.at == T0
    click(replay, "Moment after")
    qtbot.waitUntil(lambda: _shown_at(window) == T0 + 9)
    click(replay, "Moment before")
    qtbot.waitUntil(lambda: _shown_at(window) == T0)
    click(replay, "Play")
    assert timer_of(replay).isActive()
    replay.show_moment(T0 + 8.95)
    qtbot.waitUntil(lambda: not timer_of(replay).isActive())
    qtbot.waitUntil(lambda: _shown_at(window) == T0 + 9)
    window.attachment.detach()
    assert not replay.isVisible()
    assert moment.at is None


def _shown_at(window: MainWindow) -> float | None:
    shown: Snapshot | None = window.attachment.shown
    return shown.taken_at if shown else None


def test_the_tables_keep_qt_s_rules(qapp, qtmodeltester) -> None:  # type: ignore[no-untyped-def]
    found = diff(mark_now(FIRST, "a"), mark_now(THEN, "b"))
    rounds = [
        mark_now(snapshot_of([Row(slot) for slot in range(1, n)], at=T0 + n), str(n))
        for n in range(1, 5)
    ]
    changes, handles, grown = change_model(LIGHT), fate_model(LIGHT), grown_model(LIGHT)
    for filled in (True, False, True):
        changes.set_rows(ChangeRows(found.places if filled else ()))
        handles.set_rows(fate_rows(found, Fate.BORN, None, 99 if filled else 0))
        grown.set_rows(GrownRows(growth(rounds) if filled else ()))
        for model in (changes, handles, grown):
            qtmodeltester.check(model, force_py=False)
            for column in range(model.columnCount()):
                model.sort(column, Qt.SortOrder.DescendingOrder)


def test_a_dropped_pane_leaves_nothing(qapp, runner: BackgroundRunner) -> None:  # type: ignore[no-untyped-def]
    book = MarkBook(Attachment(FakeConnector(), runner), runner)
    pane: list[QWidget] = [MarksPane(LIGHT, book, runner)]
    pane[0].show_snapshot(FIRST)  # type: ignore[attr-defined]
    pane[0].set_theme(DARK)  # type: ignore[attr-defined]
    pane[0].show()
    assert what_is_left(pane) == []
