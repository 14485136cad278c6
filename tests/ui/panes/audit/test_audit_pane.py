from __future__ import annotations

import os
from types import MappingProxyType

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector.errors import ControlError
from inspector.session.protocol import AuditedAct, AuditLog
from inspector.ui.panes.audit.model import result_text
from inspector.ui.panes.audit.pane import NO_TARGET, NOTHING, AuditPane
from inspector.ui.shell.main_window import MainWindow
from tests.helpers.reading import rows_shown
from tests.helpers.snapshots import T0, handle_id
from tests.helpers.windows import SNAPSHOT, Attach, arm

CLOSE = AuditedAct(
    T0,
    "close",
    os.getpid(),
    1000,
    (handle_id(5),),
    1,
    "done",
    [{"handle": handle_id(5), "outcome": "closed"}],
)
REFUSED = AuditedAct(
    T0 + 60, "cancel", 77, 1000, (handle_id(6),), 1, "CloseRefused", "it closes already"
)
ELSEWHERE = AuditedAct(
    T0 + 90, "gc", 0, 1000, (), 0, "done", {"took_nanos": 8_000_000, "collected": 3}
)


def open_pane(window: MainWindow) -> AuditPane:
    window.commands["audit"].trigger()
    pane = window.workbench.pane("audit", AuditPane)
    assert pane.isVisible()
    return pane


def texts(pane: AuditPane) -> list[list[str]]:
    return [row[1:] for row in rows_shown(pane.table)]


def test_nothing_is_asked_before_somebody_looks(attach: Attach) -> None:
    _, session = attach(SNAPSHOT)
    assert session.audits == []


def test_acts_are_listed_newest_first_with_who_did_them(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    pane = open_pane(window)
    session.audits[0].set_result(AuditLog((CLOSE, REFUSED, ELSEWHERE), 0, ""))
    qtbot.waitUntil(lambda: len(texts(pane)) == 3)
    assert texts(pane) == [
        ["force GC", "a process elsewhere", "0", "done", "collected 3, took 8 ms"],
        ["take back", "process 77", "1", "CloseRefused", "it closes already"],
        ["close", "this window", "1", "done", "#5.1 closed"],
    ]


def test_an_act_of_this_window_is_listed_at_once(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    pane = open_pane(window)
    session.audits[0].set_result(AuditLog((), 0, ""))
    qtbot.waitUntil(lambda: pane.table.message == NOTHING)
    asked = len(session.audits)
    arm(window)
    window.commands["gc"].trigger()
    session.gc_requests[0].set_exception(ControlError("the target is gone"))
    qtbot.waitUntil(lambda: len(session.audits) > asked)


def test_what_is_not_kept_and_what_is_not_written_is_said(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    pane = open_pane(window)
    session.audits[0].set_result(AuditLog((CLOSE,), 12, "No space left on device: audit.log"))
    qtbot.waitUntil(pane.note.isVisible)
    assert pane.note.text() == "No space left on device: audit.log. 12 older acts not kept"


def test_a_target_that_cannot_be_asked_is_a_sentence_and_no_alarm(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    pane = open_pane(window)
    session.audits[0].set_exception(ControlError("the target is not connected"))
    qtbot.waitUntil(lambda: pane.table.message == "The target is not connected")
    assert not window.result.isVisible()


def test_a_click_on_an_act_shows_its_handle(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    pane = open_pane(window)
    session.audits[0].set_result(AuditLog((CLOSE,), 0, ""))
    qtbot.waitUntil(lambda: len(texts(pane)) == 1)
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        pane.table.record_chosen.emit(0, 1)
    assert chosen.args == [handle_id(5)]


def test_the_log_goes_with_its_target(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    pane = open_pane(window)
    session.audits[0].set_result(AuditLog((CLOSE,), 3, ""))
    qtbot.waitUntil(lambda: len(texts(pane)) == 1)
    window.attachment.detach()
    QApplication.processEvents()
    assert (texts(pane), pane.table.message) == ([], NO_TARGET)
    assert not pane.note.isVisible()


def test_any_result_is_written_as_text() -> None:
    odd = [None, "why", [1, {"handle": "x"}], {"level": 3, "more": [1]}, 5]
    odd.append(MappingProxyType({"level": 3}))
    written = [result_text(AuditedAct(T0, "close", 1, 1, (), 0, "done", result)) for result in odd]
    assert written == [
        "",
        "why",
        "1, {'handle': 'x'}",
        "level stacks, more [1]",
        "5",
        "level stacks",
    ]
