"""Each question of a person, with the clicks that its answer takes from the attached window on."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView
from pytestqt.qtbot import QtBot

from inspector.model.change_groups import GroupBy
from inspector.ui.panes.cycles.graph import CycleGraph
from inspector.ui.panes.cycles.pane import CyclesPane
from inspector.ui.shell.main_window import MainWindow
from tests.helpers.live_windows import wait, window_on
from tests.helpers.reading import button, text_of
from tests.helpers.targets import Target, start_target

SIZES = ((900, 600), (1280, 720), (1366, 768), (1440, 900), (2560, 1440))


class Person:
    """Counts the clicks."""

    def __init__(self, qtbot: QtBot) -> None:
        self._qtbot = qtbot
        self.clicks = 0

    def click(self, what: QAbstractButton) -> None:
        assert what.isVisible()
        self.clicks += 1
        self._qtbot.mouseClick(what, Qt.MouseButton.LeftButton)

    def click_row(self, view: QAbstractItemView, row: int) -> None:
        place = view.visualRect(view.model().index(row, 1)).center()
        assert view.viewport().rect().contains(place)
        self.clicks += 1
        self._qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


@pytest.fixture
def person(qtbot: QtBot) -> Person:
    return Person(qtbot)


@pytest.fixture
def gateway() -> Iterator[Target]:
    with start_target("gateway") as target:
        yield target


@pytest.fixture
def leaking(gateway: Target, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """A window on the gateway, in which the leak of notes is a suspect."""
    with window_on(gateway, qtbot, tmp_path, grouping=GroupBy.TYPE) as window:
        wait(qtbot, lambda: "TodoItem" in suspects(window))
        yield window


def suspects(window: MainWindow) -> dict[str, str]:
    """Line by type of the suspects that grow."""
    return {each.title: each.site for each in window.verdict.grows.suspects if each.rate}


def test_a_leak_is_named_with_its_line_without_a_click(
    leaking: MainWindow, qtbot: QtBot, person: Person
) -> None:
    assert "gateway.py" in suspects(leaking)["TodoItem"]
    assert suspects(leaking)["TodoItem"].endswith("publish")
    view = leaking.workbench.handles.changes
    for width, height in SIZES:
        leaking.resize(width, height)
        wait(qtbot, lambda width=width: leaking.width() == width)
        tops = [str(view.changes.index(row, 0).data()) for row in range(3)]
        assert "TodoItem" in tops
        assert view.visualRect(view.changes.index(0, 0)).isValid()
    assert person.clicks == 0


def test_the_holder_of_a_leak_is_one_click_away(
    leaking: MainWindow, qtbot: QtBot, person: Person
) -> None:
    grows = leaking.verdict.grows
    line = next(each for each in grows.lines if each.suspect and each.suspect.title == "TodoItem")
    person.click(line)
    page = leaking.workbench.line
    wait(qtbot, lambda: len(page.groups) > 0 and sum(len(g.handles) for g in page.groups) == 5)
    assert "BACKGROUND" in page.groups[0].expression
    assert "BACKGROUND" in text_of(leaking.workbench.side, "Held by")
    wait(qtbot, lambda: "BACKGROUND" in line.accessibleName())
    assert person.clicks == 1


def test_the_evidence_for_a_ticket_is_one_click_more(
    leaking: MainWindow, qtbot: QtBot, person: Person
) -> None:
    grows = leaking.verdict.grows
    person.click(next(each for each in grows.lines if each.suspect))
    wait(qtbot, lambda: bool(leaking.workbench.line.groups))
    person.click(leaking.workbench.side.copy)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("### Todo")
    for part in ("Made at:", "Held by:", "arc-inspector", "gateway.py"):
        assert part in text
    assert person.clicks == 2


def test_what_came_between_two_moments_is_a_key_and_a_choice(
    leaking: MainWindow, gateway: Target, qtbot: QtBot
) -> None:
    gateway.ask("calm")
    calm_at = time.time()
    wait(qtbot, lambda: leaking.attachment.shown.taken_at > calm_at)  # a mark is of what is shown
    qtbot.keyClick(leaking.workbench.handles.changes, Qt.Key.Key_M)
    wait(qtbot, lambda: len(leaking.marks.marks) == 1)
    wait(qtbot, lambda: leaking.toolbar.baseline.count() == 2)
    box = leaking.toolbar.baseline
    box.setCurrentIndex(1)
    box.activated.emit(1)
    view = leaking.workbench.handles.changes
    wait(qtbot, lambda: view.changes.index(0, 2).data() == "0")
    assert leaking.marks.baseline is leaking.marks.marks[0]


def test_a_close_that_waits_is_named_without_a_click_and_its_chain_is_one_away(
    qtbot: QtBot, tmp_path: Path, person: Person
) -> None:
    with (
        start_target("todo") as target,
        window_on(target, qtbot, tmp_path, grouping=GroupBy.TYPE) as window,
    ):
        target.ask(f"journal 1 {tmp_path / 'journal.txt'}")
        target.ask("cursor 2 1")
        target.ask("close 2")
        stuck = window.verdict.stuck
        wait(qtbot, lambda: "waits to close" in text_of(stuck, "What waits"))
        wait(qtbot, lambda: "todo.py:" in stuck.second.accessibleName())
        assert stuck.second.accessibleName().startswith(
            "Only thread owner-2 may close it. It was in _run, todo.py:"
        )
        assert person.clicks == 0
        person.click(button(stuck, "Show what waits"))
        assert window.workbench.drawer.current == "pending"
        assert window.workbench.side.is_open
        chain = window.workbench.pending.chain
        wait(qtbot, lambda: len(chain.texts()) > 4)
        roles = [role for role, _ in chain.texts()]
        assert roles[:4] == ["Close", "Asked by", "Thread", "Waits"]
        texts = dict(reversed(chain.texts()))
        assert texts["Thread"].startswith("owner-2 (")
        assert texts["Waits"] == "waits on a lock"
        assert texts["Is at"].startswith("todo.py:")
        assert text_of(chain, "Age of the stacks").startswith("Stacks: Read ")
        assert person.clicks == 1
        target.ask("visit 2")
        wait(qtbot, lambda: text_of(stuck, "What waits") == "Nothing waits to close")


def test_a_hang_is_named_with_its_line_without_a_click(
    qtbot: QtBot, tmp_path: Path, person: Person
) -> None:
    with start_target("holding") as target, window_on(target, qtbot, tmp_path) as window:
        target.tell("hold 600")
        assert target.read_line() == "holding"
        stuck = window.verdict.stuck
        wait(qtbot, lambda: "holding.py:" in stuck.first.accessibleName())
        for width, height in SIZES:
            window.resize(width, height)
            wait(qtbot, lambda width=width: window.width() == width)
            assert stuck.first.isVisible()
            shown = stuck.first.text()
            assert re.search(r"^Hung for .* in holding\.py:\d+ hold$", shown), (width, shown)
        assert person.clicks == 0
        os.kill(target.pid, signal.SIGUSR1)
        target.expect("hold")


def test_a_cycle_is_two_clicks_away_and_visible_as_a_whole(
    qtbot: QtBot, tmp_path: Path, person: Person
) -> None:
    with (
        start_target("todo") as target,
        window_on(target, qtbot, tmp_path, grouping=GroupBy.TYPE) as window,
    ):
        target.ask("knot 1")
        view = window.workbench.handles.changes
        types: list[str] = []

        def has_types() -> bool:
            types[:] = [str(view.changes.index(row, 0).data()) for row in range(3)]
            return "TodoList" in types

        wait(qtbot, has_types)
        pane = window.workbench.pane("cycles", CyclesPane)

        def is_whole() -> bool:
            drawn = pane.findChildren(CycleGraph)
            return (
                [each.visibleRegion().boundingRect() for each in drawn]
                == [each.rect() for each in drawn]
                != []
            )

        for width, height in SIZES:
            window.resize(width, height)
            wait(qtbot, lambda width=width: window.width() == width)
            person.clicks = 0
            person.click_row(view, types.index("TodoList"))
            person.click(button(window.workbench.line, "Look for cycles"))
            wait(qtbot, lambda: "1 cycle across the boundary" in pane.note.text() and is_whole())
            assert window.workbench.drawer.current == "cycles"
            assert person.clicks == 2
            window.workbench.drawer.set_open(False)
            window.workbench.side.close_pane()
            wait(qtbot, view.isVisible)
        target.ask("cut")
