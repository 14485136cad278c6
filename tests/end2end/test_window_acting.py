"""The window's acts on a real process: plans, closes in bulk, drains, and their log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from inspector.ui.panes.audit.pane import AuditPane
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import Resource, handle_text
from tests.helpers.live_windows import arm, ask_to_close, column, resource, wait, window_on
from tests.helpers.reading import rows_shown
from tests.helpers.targets import Target, start_target


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def target(_own_folder: None) -> Iterator[Target]:
    with start_target("todo") as started:
        yield started


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, target: Target) -> Iterator[MainWindow]:
    """Attached and armed."""
    with window_on(target, qtbot, tmp_path) as made:
        arm(made, qtbot)
        yield made


def test_what_somebody_holds_is_refused_until_agreed_and_its_holders_are_named(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    journal = target.ask(f"journal 1 {tmp_path / 'journal.txt'}")
    target.ask("clone 1 2")
    dialog = ask_to_close(window, qtbot, journal)
    assert not dialog.go.isEnabled()
    assert column(dialog, 3) == ["stays open"]
    assert column(dialog, 5)[0].startswith("handle #")
    wait(qtbot, lambda: "Python holds its proxy: " in dialog.holders.text.text())
    assert "local program of main" in dialog.holders.text.text()
    assert dialog.holders.text.text().endswith("['1'] of a dict of 2")
    dialog.although.click()
    dialog.go.click()
    wait(qtbot, lambda: dialog.head.text() == "Closed 1 resource")
    wait(qtbot, lambda: resource(window, journal) is Resource.CLOSED)


def test_a_cursor_that_waits_for_its_owner_keeps_its_journal_open_in_the_plan(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    journal = target.ask(f"journal 1 {tmp_path / 'journal.txt'}")
    cursor = target.ask("cursor 2 1")
    dialog = ask_to_close(window, qtbot, journal)
    wait(qtbot, dialog.needed.isVisible)
    assert not dialog.go.isEnabled()
    dialog.needed.click()
    assert column(dialog, 1) == [handle_text(cursor), handle_text(journal)]
    assert column(dialog, 3) == ["will wait", "stays open"]
    dialog.go.click()
    wait(qtbot, lambda: resource(window, cursor) is Resource.WAITING_OWNER)
    wait(qtbot, lambda: dialog.head.text() == "Nothing was closed yet")
    assert resource(window, journal) is Resource.OPEN
    dialog.cancel.click()
    target.ask("visit 2")
    wait(qtbot, lambda: resource(window, cursor) is Resource.CLOSED)
    dialog = ask_to_close(window, qtbot, journal)
    assert dialog.needed.isHidden()
    dialog.go.click()
    wait(qtbot, lambda: resource(window, journal) is Resource.CLOSED)
    dialog.cancel.click()


def test_all_that_a_filter_shows_is_closed_and_nothing_else(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    journals = [target.ask(f"journal {number} {tmp_path / f'{number}.txt'}") for number in range(5)]
    item = target.ask("item 9 milk")
    wait(qtbot, lambda: all(resource(window, handle) is Resource.OPEN for handle in journals))
    wait(qtbot, lambda: resource(window, item) is Resource.NONE)
    window.workbench.handles.set_filter(f"type:Journal -id:{handle_text(journals[0])}")
    window.commands["close_shown"].trigger()
    dialog = window.closing.dialog
    assert dialog is not None
    wait(qtbot, dialog.go.isEnabled)
    assert dialog.note.text() == "4 Journal will close"
    dialog.go.click()
    wait(qtbot, lambda: dialog.head.text() == "Closed 4 resources")
    wait(qtbot, lambda: all(resource(window, handle) is Resource.CLOSED for handle in journals[1:]))
    assert resource(window, journals[0]) is Resource.OPEN
    dialog.cancel.click()


def test_a_pending_close_is_taken_back_and_the_drain_says_what_still_waits(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    target.ask(f"journal 1 {tmp_path / 'journal.txt'}")
    cursor = target.ask("cursor 2 1")
    target.ask("close 2")
    wait(qtbot, window.commands["drain"].isEnabled)
    window.commands["drain"].trigger()
    wait(
        qtbot,
        lambda: window.result.text.startswith("No close could be run from here; 1 still waits"),
    )
    window.workbench.pending.handle_chosen.emit(cursor)
    wait(qtbot, window.commands["take_back"].isEnabled)
    window.commands["take_back"].trigger()
    wait(qtbot, lambda: resource(window, cursor) is Resource.OPEN)
    wait(
        qtbot,
        lambda: (
            window.result.text
            == (f"The close of {handle_text(cursor)} was taken back: it stays open")
        ),
    )
    wait(qtbot, lambda: not window.commands["drain"].isEnabled())


def test_what_was_done_is_listed_with_who_did_it(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    journal = target.ask(f"journal 1 {tmp_path / 'journal.txt'}")
    window.commands["audit"].trigger()
    pane = window.workbench.pane("audit", AuditPane)
    wait(qtbot, pane.isVisible)
    dialog = ask_to_close(window, qtbot, journal)
    wait(qtbot, dialog.go.isEnabled)
    dialog.go.click()
    wait(qtbot, lambda: resource(window, journal) is Resource.CLOSED)
    dialog.cancel.click()

    def closes() -> list[list[str]]:
        return [row for row in rows_shown(pane.table, (1, 2, 3, 4)) if row[0] == "close"]

    wait(qtbot, lambda: closes() == [["close", "this window", "1", "done"]])
    pane.table.clicked.emit(
        pane.table.model().index(rows_shown(pane.table, (1, 2, 3, 4)).index(closes()[0]), 0)
    )
    assert window.workbench.detail.handle == journal


def test_a_close_that_has_not_run_by_its_deadline_is_withdrawn(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    target.ask(f"journal 1 {tmp_path / 'journal.txt'}")
    cursor = target.ask("cursor 2 1")
    dialog = ask_to_close(window, qtbot, cursor)
    wait(qtbot, dialog.deadline.isVisible)
    dialog.deadline.setCurrentIndex(1)
    dialog.go.click()
    wait(qtbot, lambda: resource(window, cursor) is Resource.WAITING_OWNER)
    dialog.cancel.click()
    wait(qtbot, lambda: resource(window, cursor) is Resource.OPEN)
