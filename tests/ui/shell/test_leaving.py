"""Ending a session whose agent the window brought in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from inspector.errors import ControlError
from inspector.session.protocol import Capabilities
from inspector.ui.shell.leaving import LeaveDialog
from inspector.ui.shell.main_window import MainWindow
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.snapshots import Row, snapshot_of

BROUGHT = Capabilities(act=True, levels=True, brought=True)
Attach = Callable[..., tuple[MainWindow, FakeSession]]


@pytest.fixture
def bring(qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path) -> Attach:
    """A window on a session whose agent it brought in, or not."""

    def make(can: Capabilities = BROUGHT) -> tuple[MainWindow, FakeSession]:
        session = FakeSession(snapshot_of([Row(1)]), capabilities=can)
        window = open_window(FakeConnector(sessions={4711: session}, folder=tmp_path))
        with qtbot.waitSignal(window.attachment.snapshot_shown):
            window.attachment.attach(4711)
        return window, session

    return make


def question(window: MainWindow) -> LeaveDialog:
    found = window.findChild(LeaveDialog)
    assert isinstance(found, LeaveDialog)
    assert found.isVisible()
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_detaching_asks_what_becomes_of_the_agent(bring: Attach, theme: str) -> None:
    window, session = bring()
    window.appearance.choose(theme)
    window.commands["detach"].trigger()
    dialog = question(window)
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "Detach from" in said
    assert "5 minutes after its last viewer" in said
    assert [button.text() for button in (dialog.remove, dialog.leave, dialog.cancel)] == [
        "Detach and remove the agent",
        "Leave it",
        "Cancel",
    ]
    dialog.cancel.click()
    assert not session.removals
    assert window.attachment.session is session


def test_the_agent_is_removed_before_the_session_ends(qtbot: QtBot, bring: Attach) -> None:
    window, session = bring()
    window.commands["detach"].trigger()
    question(window).remove.click()
    assert len(session.removals) == 1
    assert not session.ended
    with qtbot.waitSignal(window.attachment.told) as told:
        session.removals[0].set_result("")
    assert session.ended
    assert told.args is not None
    assert told.args[0].startswith("The agent was removed from ")


@pytest.mark.parametrize(
    "outcome", ["another viewer is attached", ControlError("the target did not answer")]
)
def test_why_it_stays_is_told(qtbot: QtBot, bring: Attach, outcome: str | ControlError) -> None:
    window, session = bring()
    window.commands["detach"].trigger()
    question(window).remove.click()
    with qtbot.waitSignal(window.attachment.told) as told:
        if isinstance(outcome, str):
            session.removals[0].set_result(outcome)
        else:
            session.removals[0].set_exception(outcome)
    assert told.args is not None
    assert str(outcome)[1:] in told.args[0]
    assert session.ended


def test_it_can_be_left(bring: Attach) -> None:
    window, session = bring()
    window.commands["detach"].trigger()
    question(window).leave.click()
    assert window.attachment.session is None
    assert not session.removals


def test_closing_the_window_asks_first_and_closes_afterwards(bring: Attach) -> None:
    window, session = bring()
    window.close()
    assert window.isVisible()
    question(window).remove.click()
    session.removals[0].set_result("")
    assert not window.isVisible()
    assert window.attachment.removal is session.removals[0]


def test_an_answer_that_is_remembered_is_not_asked_for_again_until_that_is_forgotten(
    bring: Attach,
) -> None:
    window, _ = bring()
    window.commands["detach"].trigger()
    dialog = question(window)
    dialog.always.click()
    dialog.leave.click()
    other, session = bring()
    other.commands["detach"].trigger()
    assert other.attachment.session is None
    assert not session.removals
    other.commands["ask_detach"].trigger()
    last, _ = bring()
    last.commands["detach"].trigger()
    question(last).leave.click()


def test_a_signal_closes_without_a_question_and_takes_the_agent_along(bring: Attach) -> None:
    window, session = bring()
    window.leaving.asks = False
    window.close()
    assert not window.isVisible()
    session.removals[0].set_result("")


def test_there_is_no_question_about_an_agent_that_was_there_before(bring: Attach) -> None:
    window, session = bring(Capabilities(act=True, levels=True))
    window.commands["detach"].trigger()
    assert window.findChild(LeaveDialog) is None
    assert window.attachment.session is None
    assert not session.removals
