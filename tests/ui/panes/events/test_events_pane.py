"""The pane of events: its list, its requests, and its text without events."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inspector.model.event_rows import EventWish, event_rows
from inspector.model.events import joined
from inspector.model.snapshot import Snapshot, TargetState
from inspector.ui.kit.event_model import event_model
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.panes.events.pane import NO_MATCH, NO_TARGET, NONE_YET, TOO_LOW, EventsPane
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import EventKind, Level
from tests.helpers.events import events_of
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.reading import button, choose, click, is_busy, text_of, timer_of
from tests.helpers.snapshots import T0, Row, big_snapshot, handle_id, snapshot_of, with_state
from tests.helpers.widget_life import what_is_left
from tests.helpers.windows import Attach

AT, EVENT, HANDLE, TYPE, COUNT, THREAD, SITE = range(7)
SNAPSHOT = snapshot_of([Row(1), Row(2, type="Journal")])
LIFE = events_of(
    (T0 - 5, "gap", 0, 40),
    (T0 - 4, "create", handle_id(1), 1),
    (T0 - 3, "create", handle_id(2), 1, 2),
    (T0 - 2, "clone", handle_id(1), 2),
    (T0 - 1, "release", handle_id(9), 0),
    site=1,
)


def open_events(
    qtbot: QtBot, attach: Attach, snapshot: Snapshot = SNAPSHOT, events=LIFE
) -> tuple[MainWindow, FakeSession, EventsPane]:  # type: ignore[no-untyped-def]
    window, session = attach(snapshot)
    session.events = events
    window.feed.clear()
    window.workbench.open_pane("events")
    pane = window.workbench.events
    qtbot.waitUntil(lambda: pane.table.message not in (NO_TARGET, "Reading events …"))
    return window, session, pane


def column(pane: EventsPane, number: int) -> list[str]:
    model = pane.table.model()
    return [str(model.index(row, number).data()) for row in range(model.rowCount())]


def test_events_are_listed_newest_first_with_their_gaps(qtbot: QtBot, attach: Attach) -> None:
    _, _, pane = open_events(qtbot, attach)
    qtbot.waitUntil(lambda: len(column(pane, EVENT)) == 5)
    assert column(pane, EVENT) == ["released", "cloned", "created", "created", "gap"]
    assert column(pane, HANDLE) == ["#9.1", "#1.1", "#2.1", "#1.1", "–"]
    assert column(pane, TYPE) == ["–", "TodoItem", "Journal", "TodoItem", "–"]
    assert column(pane, COUNT) == ["0", "2", "1", "1", "40"]
    assert column(pane, THREAD)[:3] == ["MainThread", "MainThread", "worker-1"]
    assert column(pane, SITE)[0] == "app.py:41 add"
    assert text_of(pane, "Number of events") == "4 events, 40 lost in gaps"


def test_a_rate_opens_the_events_behind_it(qtbot: QtBot, attach: Attach) -> None:
    window, _, pane = open_events(qtbot, attach)
    window.workbench.open_pane("threads")
    click(window.vital_signs, "Born")
    assert pane.isVisible()
    qtbot.waitUntil(lambda: column(pane, EVENT) == ["created", "created", "gap"])


def test_events_can_be_chosen_by_type_thread_and_selected_handle(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _, pane = open_events(qtbot, attach)
    choose(pane, "Type", "Journal")
    qtbot.waitUntil(lambda: column(pane, HANDLE) == ["#2.1", "–"])
    choose(pane, "Thread", "MainThread")
    qtbot.waitUntil(lambda: column(pane, HANDLE) == ["–"])
    assert text_of(pane, "Number of events") == "0 events, 40 lost in gaps"
    choose(pane, "Type", "All types")
    choose(pane, "Thread", "All threads")
    assert not button(pane, "Only selected").isEnabled()
    window.workbench.choose(handle_id(1))
    click(pane, "Only #1.1")
    qtbot.waitUntil(lambda: column(pane, HANDLE) == ["#1.1", "#1.1", "–"])


def test_a_click_on_an_event_leads_to_its_handle(qtbot: QtBot, attach: Attach) -> None:
    window, _, pane = open_events(qtbot, attach)
    qtbot.waitUntil(lambda: len(column(pane, EVENT)) == 5)
    pane.table.clicked.emit(pane.table.model().index(1, HANDLE))
    assert window.workbench.detail.handle == handle_id(1)


def test_nothing_is_said_in_a_sentence(qtbot: QtBot, attach: Attach) -> None:
    _, _, pane = open_events(qtbot, attach, events=events_of())
    assert pane.table.message == NONE_YET
    window, session, pane = open_events(qtbot, attach, events=LIFE.take(slice(1, None)))
    pane.show_kind(EventKind.MISUSE)
    qtbot.waitUntil(lambda: pane.table.message == NO_MATCH and not column(pane, EVENT))
    window.attachment.detach()
    assert pane.table.message == NO_TARGET
    assert not session.listeners


def test_below_history_the_pane_offers_to_record(qtbot: QtBot, attach: Attach) -> None:
    low = dataclasses.replace(
        SNAPSHOT, target=dataclasses.replace(SNAPSHOT.target, level=Level.COUNT)
    )
    _, session, pane = open_events(qtbot, attach, low, events_of())
    assert pane.table.message == TOO_LOW
    click(pane, "Record events")
    assert [level for level, _ in session.level_requests] == [Level.HISTORY]


def test_nothing_is_read_while_nobody_looks(qtbot: QtBot, attach: Attach) -> None:
    low = dataclasses.replace(
        SNAPSHOT, target=dataclasses.replace(SNAPSHOT.target, level=Level.COUNT)
    )
    window, session = attach(low)
    window.workbench.open_pane("threads")
    pane = window.workbench.events
    qtbot.waitUntil(lambda: not is_seen(pane))
    before = len(session.events_read)
    timer_of(pane).timeout.emit()
    assert len(session.events_read) == before
    window.workbench.open_pane("events")
    qtbot.waitUntil(lambda: len(session.events_read) > before)


def test_a_lost_target_keeps_what_was_read(qtbot: QtBot, attach: Attach) -> None:
    _, session, pane = open_events(qtbot, attach)
    qtbot.waitUntil(lambda: len(column(pane, EVENT)) == 5)
    session.publish(with_state(SNAPSHOT, TargetState.POST_MORTEM, "killed"))
    assert len(column(pane, EVENT)) == 5


def test_of_very_many_the_newest_are_listed_and_the_rest_is_said() -> None:
    many = joined([events_of(*((T0 + at / 1000, "create", 2 * at) for at in range(1, 30_001)))])
    rows = event_rows(many, big_snapshot(100_000), EventWish())
    assert (len(rows), rows.found) == (20_000, 30_000)
    assert rows.events.at[-1] == many.at[-1]


def test_the_table_keeps_qt_s_rules(qapp, qtmodeltester) -> None:  # type: ignore[no-untyped-def]
    model = event_model(LIGHT)
    for events in (events_of(), LIFE, LIFE.take(slice(2, 4)), events_of()):
        model.set_rows(event_rows(events, SNAPSHOT, EventWish()))
        qtmodeltester.check(model, force_py=False)
        for number in range(model.columnCount()):
            model.sort(number, Qt.SortOrder.DescendingOrder)


def test_a_dropped_pane_leaves_nothing(qtbot: QtBot, runner: BackgroundRunner) -> None:
    attachment = Attachment(FakeConnector(), runner)
    pane: list[QWidget] = [EventsPane(LIGHT, attachment, runner, EventFeed(attachment, runner))]
    pane[0].show_snapshot(SNAPSHOT)  # type: ignore[attr-defined]
    pane[0].set_theme(DARK)  # type: ignore[attr-defined]
    pane[0].show()
    qtbot.waitUntil(lambda: not is_busy(pane[0]))
    assert what_is_left(pane) == []
