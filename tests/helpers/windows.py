"""Shared parts of tests of the whole window: a snapshot, and ways to answer and to arm."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from inspector.model.snapshot import Snapshot
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import Resource
from tests.helpers.fake_session import FakeSession
from tests.helpers.snapshots import Row, snapshot_of

Attach = Callable[[Snapshot], tuple[MainWindow, FakeSession]]
Open = Callable[..., MainWindow]
JOURNAL = Row(2, "Journal", resource=Resource.OPEN)
SNAPSHOT = snapshot_of([Row(1), JOURNAL])


def publish(qtbot: QtBot, window: MainWindow, session: FakeSession, snapshot: Snapshot) -> None:
    with qtbot.waitSignal(window.attachment.snapshot_seen):
        session.on_pump(lambda: session.publish(snapshot))


def answer(qtbot: QtBot, window: MainWindow, finish: Callable[[], None]) -> str:
    """Text of the result bar once ``finish`` has answered a request."""
    window.result.hide()
    finish()
    qtbot.waitUntil(window.result.isVisible)
    return window.result.text


def arm(window: MainWindow) -> None:
    window.commands["arm"].trigger()
