"""A process seen from outside, and the stacks of a hung process, in the window."""

from __future__ import annotations

import dataclasses
import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.stacks import Frame, ThreadStack
from inspector.model.thread_stacks import stack_lines
from inspector.ui.kit.theme import DARK, LIGHT, Theme
from inspector.ui.panes.events.pane import OUTSIDE
from inspector.ui.panes.history.pane import HistoryPane
from inspector.ui.panes.threads.pane import (
    NO_TARGET,
    NOT_OUTSIDE,
    STACKS_PAGE,
    ThreadsPane,
)
from inspector.ui.panes.threads.stack_model import stack_model
from inspector.ui.panes.threads.stack_page import NOT_KNOWN
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.connector import ProcessRow
from inspector.ui.shell.screenshot import stamp_text
from inspector.ui.shell.start_page import StartPage
from inspector.ui.shell.state_banner import FALLBACK, STACKS
from inspector.ui.shell.vital_cell import VitalCell
from inspector.vocabulary import Level
from tests.helpers.fake_session import FakeConnector
from tests.helpers.reading import is_busy, part, text_of
from tests.helpers.snapshots import Row, make_target, snapshot_of, with_state
from tests.helpers.windows import Attach, Open, publish

BARE = ProcessRow(
    800,
    "web.py",
    "python web.py",
    "CPython 3.11.7",
    False,
    "is stopped by a signal",
    "kill -CONT 800",
    readable=True,
)
WILLING = dataclasses.replace(
    BARE, pid=801, reason="runs no agent", consent="One thread is held for a moment."
)
HOLDER = ThreadStack(
    9001,
    "MainThread",
    "waits on a signal",
    (Frame("pause", "/srv/app.py", 7), Frame("main", "/srv/app.py", 90)),
    holds_gil=True,
)
WAITING = ThreadStack(
    9002, "worker-1", "waits on a lock", (Frame("wait", "/lib/threading.py", 320),)
)
NATIVE = ThreadStack(9003, "tokio-rt", "waits in epoll")


def outside(
    *rows: Row,
    notes: tuple[str, ...] = (),
    stacks: tuple[ThreadStack, ...] = (WAITING, NATIVE, HOLDER),
) -> Snapshot:
    snapshot = snapshot_of(rows or [Row(1, site=0, age_secs=float("nan"))])
    target = dataclasses.replace(make_target(), from_outside=True, level=Level.OFF)
    return dataclasses.replace(
        snapshot, target=target, threads={}, sites={}, notes=notes, stacks=stacks
    )


def page_of(qtbot: QtBot, theme: Theme, runner: BackgroundRunner, *rows: ProcessRow) -> StartPage:
    page = StartPage(theme, FakeConnector(rows), runner)
    qtbot.addWidget(page)
    page.resize(1000, 600)
    page.show()
    qtbot.waitUntil(lambda: page.model.rowCount() == len(rows))
    return page


def test_a_process_that_cannot_be_attached_can_be_looked_at(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, BARE)
    assert page.look.isVisible()
    assert not page.attach.isEnabled()
    with qtbot.waitSignal(page.look_wanted) as wanted:
        qtbot.mouseClick(page.look, Qt.MouseButton.LeftButton)
    assert wanted.args == [800]
    with qtbot.waitSignal(page.look_wanted):
        qtbot.keyClick(page.table, Qt.Key.Key_Return)


def test_looking_needs_no_consent_and_enter_still_asks_for_it(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, WILLING)
    with qtbot.waitSignal(page.look_wanted), qtbot.assertNotEmitted(page.bring_wanted):
        qtbot.mouseClick(page.look, Qt.MouseButton.LeftButton)
    with qtbot.assertNotEmitted(page.look_wanted):
        qtbot.keyClick(page.table, Qt.Key.Key_Return)
    box = page.findChild(QMessageBox, "consent")
    assert box is not None
    box.reject()


def test_one_that_may_not_be_read_has_no_such_button(
    qtbot: QtBot, theme: Theme, runner: BackgroundRunner
) -> None:
    page = page_of(qtbot, theme, runner, dataclasses.replace(BARE, readable=False))
    assert not page.look.isVisible()


def test_the_window_looks_at_the_process_that_was_chosen(qtbot: QtBot, open_window: Open) -> None:
    connector = FakeConnector([BARE])
    window = open_window(connector)
    window.start.look_wanted.emit(800)
    qtbot.waitUntil(lambda: window.result.text == "Process 800 does not exist")
    assert connector.looked == [800]


def test_the_fallback_is_called_by_its_name_everywhere(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(outside(notes=("python's stacks need pystack",)))
    assert window.banner.text == f"{FALLBACK}. Python's stacks need pystack"
    assert window.status.rate.text() == "from outside"
    assert window.toolbar.level.currentIndex() == -1
    assert "looked at from outside" in stamp_text(outside())[0]
    publish(
        qtbot, window, session, with_state(outside(), TargetState.HUNG, "it is stopped by a signal")
    )
    assert window.banner.text == f"The target is hung: it is stopped by a signal. {FALLBACK}"
    publish(
        qtbot, window, session, with_state(outside(), TargetState.ENDED, "process 4711 has ended")
    )
    assert window.banner.text.startswith("The target has ended: process 4711 has ended")


def test_what_is_not_known_from_outside_is_not_shown_as_none(attach: Attach) -> None:
    window, _ = attach(outside())
    bench = window.workbench
    assert bench.pending.table.message == "From outside, waiting closes are not seen"
    assert bench.threads.table.message == NOT_OUTSIDE


def test_rates_from_outside_are_at_least_what_they_say(qtbot: QtBot, attach: Attach) -> None:
    first = outside()
    window, session = attach(first)
    later = dataclasses.replace(
        first.vitals, at=first.vitals.at + 2, created=first.vitals.created + 4
    )
    publish(
        qtbot,
        window,
        session,
        dataclasses.replace(
            first, serial=first.serial + 1, taken_at=first.taken_at + 2, vitals=later
        ),
    )
    births, deaths = (
        part(window.vital_signs, caption, VitalCell).sign for caption in ("Born", "Died")
    )
    assert births.value.startswith("≈+")
    assert "handles that came and went between two looks are not counted" in births.tooltip
    assert deaths.value == "0/s"


def test_the_status_line_tells_of_looks_and_of_no_cost(attach: Attach) -> None:
    window, _ = attach(outside())
    assert window.status.sampled.text().startswith("last look ")
    assert window.status.cost.text() == "costs the target nothing"


def test_no_events_from_outside_is_not_none(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(outside())
    window.workbench.open_pane("events")
    qtbot.waitUntil(lambda: window.workbench.events.table.message == OUTSIDE)
    assert text_of(window.workbench.events, "Number of events") == ""
    window.workbench.choose(int(outside().handles.ids[0]))
    window.workbench.open_pane("history")
    pane = window.workbench.pane("history", HistoryPane)
    assert not is_busy(pane)
    assert pane.head.accessibleName().startswith("Clones and releases of #")


def pane_of(qtbot: QtBot, snapshot: Snapshot | None = None) -> ThreadsPane:
    pane = ThreadsPane(LIGHT)
    qtbot.addWidget(pane)
    if snapshot is not None:
        pane.show_snapshot(snapshot)
    return pane


def lines(pane: ThreadsPane) -> list[list[str]]:
    model = pane.stacks.model()
    return [
        [model.index(row, column).data() for column in range(4)] for row in range(model.rowCount())
    ]


def test_stacks_are_shown_at_once_and_the_holder_of_the_lock_first(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, outside())
    assert pane.pages.currentIndex() == STACKS_PAGE
    assert lines(pane) == [
        ["MainThread", "9001", "waits on a signal, holds the lock", "app.py:7 pause"],
        ["", "", "", "↳ app.py:90 main"],
        ["worker-1", "9002", "waits on a lock", "threading.py:320 wait"],
        ["tokio-rt", "9003", "waits in epoll", "no Python"],
    ]


def test_a_click_on_a_line_opens_it(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, outside())
    with qtbot.waitSignal(pane.line_wanted) as wanted:
        pane.stacks.record_chosen.emit(9001 << 12 | 1, 3)
    assert wanted.args == ["/srv/app.py", 90]
    with qtbot.assertNotEmitted(pane.line_wanted):
        pane.stacks.record_chosen.emit(9003 << 12, 3)


def test_the_page_that_a_person_chose_stays(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, outside())
    pane.show_page(0)
    pane.show_snapshot(dataclasses.replace(outside(), serial=9))
    assert pane.pages.currentIndex() == 0


def test_without_stacks_the_page_says_when_there_are_some(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, snapshot_of([Row(1)]))
    assert pane.pages.currentIndex() == 0
    pane.show_page(STACKS_PAGE)
    assert (lines(pane), pane.stacks.message) == ([], NOT_KNOWN)
    pane.clear()
    assert pane.stacks.message == NO_TARGET


def test_the_model_keeps_qt_s_rules_as_stacks_change(
    qapp: object, qtmodeltester: pytest.FixtureRequest
) -> None:
    model = stack_model(LIGHT)
    qtmodeltester.check(model, force_py=False)  # type: ignore[attr-defined]
    deep = ThreadStack(5, "deep", "runs", tuple(Frame(f"f{n}", "/a.py", n) for n in range(500)))
    for stacks in ((HOLDER,), (WAITING, HOLDER, deep), (), (NATIVE,)):
        model.set_rows(stack_lines(outside(stacks=stacks)))
        qtmodeltester.check(model, force_py=False)  # type: ignore[attr-defined]
    model.set_theme(DARK)
    assert np.array_equal(np.unique(model.rows.keys), np.sort(model.rows.keys))


def test_a_dropped_pane_leaves_nothing(qtbot: QtBot) -> None:
    pane = ThreadsPane(LIGHT)
    pane.show_snapshot(outside())
    gone = weakref.ref(pane)
    pane.deleteLater()
    del pane
    qtbot.waitUntil(lambda: gc.collect() >= 0 and gone() is None)


def test_a_hung_target_s_banner_leads_to_its_stacks(qtbot: QtBot, attach: Attach) -> None:
    live = snapshot_of([Row(1)])
    window, session = attach(live)
    hung = with_state(live, TargetState.HUNG, "the interpreter has not answered for 9 s")
    publish(qtbot, window, session, hung)
    assert not window.banner.button.isVisible()
    publish(
        qtbot, window, session, dataclasses.replace(hung, serial=hung.serial + 1, stacks=(HOLDER,))
    )
    assert window.banner.button.text() == STACKS
    qtbot.mouseClick(window.banner.button, Qt.MouseButton.LeftButton)
    assert window.workbench.threads.pages.currentIndex() == STACKS_PAGE
    assert lines(window.workbench.threads)[0][3] == "app.py:7 pause"
