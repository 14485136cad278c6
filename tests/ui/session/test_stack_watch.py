"""Stacks of a live target: on demand, and while a close waits for its thread."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from inspector.errors import AttachError
from inspector.model.snapshot import Snapshot
from inspector.model.stack_reading import StackReading
from inspector.model.stacks import Frame, ThreadStack
from inspector.ui.panes.threads.stack_page import NO_STACKS, RUNNING
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import Resource
from tests.helpers.fake_session import FakeSession
from tests.helpers.reading import part, rows_shown, text_of
from tests.helpers.snapshots import T0, Row, snapshot_of
from tests.helpers.windows import SNAPSHOT, Attach, publish

WAITING = Row(1, "Journal", resource=Resource.WAITING_OWNER, owner="worker-2", changed_secs=41)


def reading(snapshot: Snapshot, at: float = T0) -> StackReading:
    owner = next(each for each in snapshot.threads.values() if each.name == "worker-2")
    frame = Frame("lock_and_wait", "/srv/app/app.py", 41)
    return StackReading(at, (ThreadStack(owner.tid, "worker-2", "waits on a lock", (frame,)),))


def later(snapshot: Snapshot, secs: float) -> Snapshot:
    return dataclasses.replace(
        snapshot, serial=snapshot.serial + 1, taken_at=snapshot.taken_at + secs
    )


def tell(qtbot: QtBot, window: MainWindow, session: FakeSession, found: StackReading) -> None:
    with qtbot.waitSignal(window.stacks.changed):
        session.stack_requests[-1].set_result(found)


def test_a_key_reads_the_stacks_of_a_live_target_and_shows_them(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_T)
    page = window.workbench.threads.stack_page
    assert page.isVisible()
    assert len(session.stack_requests) == 1
    read = part(page, "Read stacks", QPushButton)
    assert text_of(page, "Reading of stacks") == page.table.message == RUNNING
    assert not read.isEnabled()
    tell(qtbot, window, session, reading(SNAPSHOT))
    assert rows_shown(page.table) == [
        ["worker-2", rows_shown(page.table)[0][1], "waits on a lock", "app.py:41 lock_and_wait"]
    ]
    assert text_of(page, "Reading of stacks").startswith("Read ")
    assert (read.isEnabled(), read.text()) == (True, "Read again")


def test_the_first_look_at_the_page_reads_and_a_later_look_shows_what_was_read(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    window.workbench.show_stacks()
    tell(qtbot, window, session, reading(SNAPSHOT))
    window.workbench.threads.show_page(0)
    window.workbench.show_stacks()
    assert len(session.stack_requests) == 1


def test_an_old_reading_says_so(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.workbench.show_stacks()
    tell(qtbot, window, session, reading(SNAPSHOT))
    publish(qtbot, window, session, later(SNAPSHOT, 41))
    page = window.workbench.threads.stack_page
    assert text_of(page, "Reading of stacks").startswith(
        "Read 41 s ago: threads may have moved on since"
    )


def test_a_reading_that_fails_says_why_and_can_be_tried_again(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.workbench.show_stacks()
    with qtbot.waitSignal(window.stacks.changed):
        session.stack_requests[0].set_exception(AttachError("its memory may not be read"))
    page = window.workbench.threads.stack_page
    assert text_of(page, "Reading of stacks") == "Its memory may not be read"
    qtbot.mouseClick(part(page, "Read stacks", QPushButton), Qt.MouseButton.LeftButton)
    assert len(session.stack_requests) == 2
    assert text_of(page, "Reading of stacks") == RUNNING


def test_a_close_that_waits_for_its_thread_has_the_stacks_read(
    qtbot: QtBot, attach: Attach
) -> None:
    waiting = snapshot_of([WAITING])
    window, session = attach(waiting)
    assert len(session.stack_requests) == 1
    tell(qtbot, window, session, reading(waiting))
    strip = window.verdict.stuck.second
    assert strip.accessibleName().startswith(
        "Only thread worker-2 may close it. It was in lock_and_wait, app.py:41, "
    )
    publish(qtbot, window, session, later(waiting, 1))
    assert len(session.stack_requests) == 1
    publish(qtbot, window, session, later(waiting, 6))
    assert len(session.stack_requests) == 2


def test_after_a_failure_only_a_person_reads_again(qtbot: QtBot, attach: Attach) -> None:
    waiting = snapshot_of([WAITING])
    window, session = attach(waiting)
    with qtbot.waitSignal(window.stacks.changed):
        session.stack_requests[0].set_exception(AttachError("no"))
    publish(qtbot, window, session, later(waiting, 60))
    assert len(session.stack_requests) == 1
    window.stacks.read()
    assert len(session.stack_requests) == 2


def test_a_close_that_began_just_now_costs_no_reading(qtbot: QtBot, attach: Attach) -> None:
    _, session = attach(snapshot_of([dataclasses.replace(WAITING, changed_secs=0.2)]))
    assert session.stack_requests == []


def test_another_target_has_no_reading(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    window.workbench.show_stacks()
    tell(qtbot, window, session, reading(SNAPSHOT))
    window.attachment.detach()
    assert window.stacks.reading is None
    assert window.workbench.threads.stacks.message != NO_STACKS


def test_the_chain_of_the_chosen_close_stands_in_the_pane(qtbot: QtBot, attach: Attach) -> None:
    other = dataclasses.replace(WAITING, slot=2, owner="worker-3", changed_secs=50)
    both = snapshot_of([WAITING, other])
    window, session = attach(both)
    window.workbench.open_pane("pending")
    tell(qtbot, window, session, reading(both))
    chain = window.workbench.pending.chain
    assert "#2.1" in chain.texts()[0][1]
    window.workbench.pending.follow((WAITING.id,))
    assert "#1.1" in chain.texts()[0][1]
    assert chain.texts()[-1] == ("Is at", "app.py:41 lock_and_wait")
    with qtbot.waitSignal(window.workbench.pending.line_wanted) as wanted:
        last = chain.table.model().index(len(chain.texts()) - 1, 1)
        chain.table.clicked.emit(last)
    assert wanted.args == ["/srv/app/app.py", 41]
