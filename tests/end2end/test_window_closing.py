"""The window closes what adapters and programs close by methods of their own.

The plan, the outcome, and the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from inspector.ui.shell.close_dialog import CloseDialog
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import Resource
from tests.helpers.live_windows import arm, ask_to_close, column, resource, wait, window_on
from tests.helpers.reading import rows_shown
from tests.helpers.tables import read_table
from tests.helpers.targets import Target, start_target

WHAT, WHY = 3, 4
REASON, DEADLINE = 3, 7
"""Columns of the dialog, and of the pane of pending closes."""
DECLARED = """
[[proxy]]
class = "bdkpython.bdk.CbfClient"
close = "shutdown"

[[proxy]]
class = "nostr_sdk.nostr_sdk.Client"
close = "shutdown"
"""


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@contextmanager
def own(qtbot: QtBot, folder: Path) -> Iterator[tuple[Target, MainWindow]]:
    """A program with close methods of its own, and an armed window on it."""
    with start_target("own_closes") as target:
        with window_on(target, qtbot, folder) as window:
            arm(window, qtbot)
            yield target, window
        assert target.finish() == 0


@contextmanager
def declared(qtbot: QtBot, folder: Path) -> Iterator[tuple[Target, MainWindow]]:
    """A program over UniFFI's packages whose clients opted in to closing, and an armed window on
    it."""
    pytest.importorskip("nostr_sdk")
    pytest.importorskip("bdkpython")
    (folder / "mine.toml").write_text(DECLARED)
    with start_target(
        "closing_steps", env={"ARC_INSPECTOR_ADAPTERS": "mine.toml", "PYTHONWARNINGS": "error"}
    ) as target:
        with window_on(target, qtbot, folder) as window:
            arm(window, qtbot)
            yield target, window
        assert target.finish() == 0
        assert "never awaited" not in target.errors()


def number_of(target: Target, name: str) -> int:
    """The only handle of a type."""
    (row,) = (row for row in read_table(target.ready["segment"]).rows if row.type == name)
    return row.number


def agree(dialog: CloseDialog) -> None:
    """Close although the program holds it."""
    if not dialog.although.isHidden():
        dialog.although.click()
    dialog.go.click()


def pending_shown(window: MainWindow) -> list[list[str]]:
    return rows_shown(window.workbench.pending.table, (REASON, DEADLINE))


def test_a_close_method_of_the_program_is_planned_and_closes(qtbot: QtBot, tmp_path: Path) -> None:
    with own(qtbot, tmp_path) as (target, window):
        handle = target.ask(f"journal it {tmp_path / 'journal.txt'} good")
        dialog = ask_to_close(window, qtbot, handle)
        assert column(dialog, WHAT) == ["will close"]
        agree(dialog)
        wait(qtbot, lambda: dialog.head.text() == "Closed 1 resource")
        assert column(dialog, WHAT) == ["closed"]
        wait(qtbot, lambda: resource(window, handle) is Resource.CLOSED)
        assert target.ask("closed") == [["good", False]]


def test_a_close_method_of_the_program_that_raises_is_shown_with_its_error(
    qtbot: QtBot, tmp_path: Path
) -> None:
    with own(qtbot, tmp_path) as (target, window):
        handle = target.ask(f"journal it {tmp_path / 'journal.txt'} raising")
        dialog = ask_to_close(window, qtbot, handle)
        agree(dialog)
        wait(qtbot, lambda: column(dialog, WHAT) == ["failed"])
        assert dialog.head.text() == "Nothing was closed"
        assert column(dialog, WHY)[0].startswith("not today (ValueError): close of ")
        wait(qtbot, lambda: resource(window, handle) is Resource.CLOSE_FAILED)


def test_a_method_that_waits_for_its_owner_is_pending_with_the_deadline_that_was_chosen(
    qtbot: QtBot, tmp_path: Path
) -> None:
    with own(qtbot, tmp_path) as (target, window):
        target.ask(f"journal it {tmp_path / 'journal.txt'} plain")
        handle = target.ask("cursor reader it")
        dialog = ask_to_close(window, qtbot, handle)
        assert column(dialog, WHAT) == ["will wait"]
        dialog.deadline.setCurrentIndex(3)
        agree(dialog)
        wait(qtbot, lambda: column(dialog, WHAT) == ["pending"])
        wait(qtbot, lambda: resource(window, handle) is Resource.WAITING_OWNER)
        wait(
            qtbot,
            lambda: [each[1].endswith((" s", " min")) for each in pending_shown(window)] == [True],
        )
        assert pending_shown(window)[0][0].startswith("Only thread MainThread may close it")
        assert "taken back" in dialog.note.text()
        assert target.ask("drain") == 1
        wait(qtbot, lambda: resource(window, handle) is Resource.CLOSED)


def test_a_declared_class_of_uniffi_is_planned_and_closed(qtbot: QtBot, tmp_path: Path) -> None:
    with declared(qtbot, tmp_path) as (target, window):
        target.ask("cbf c")
        handle = number_of(target, "CbfClient")
        dialog = ask_to_close(window, qtbot, handle)
        assert column(dialog, WHAT) == ["stays open"], "the program holds it"
        agree(dialog)
        wait(qtbot, lambda: column(dialog, WHAT) == ["closed"])
        wait(qtbot, lambda: resource(window, handle) is Resource.CLOSED)


def test_a_declared_close_that_raises_is_shown_with_its_error(qtbot: QtBot, tmp_path: Path) -> None:
    with declared(qtbot, tmp_path) as (target, window):
        target.ask("cbf c no")
        dialog = ask_to_close(window, qtbot, number_of(target, "CbfClient"))
        agree(dialog)
        wait(qtbot, lambda: column(dialog, WHAT) == ["failed"])
        assert "NodeStopped" in column(dialog, WHY)[0]


def test_a_declared_close_that_is_awaited_waits_with_its_reason_and_deadline(
    qtbot: QtBot, tmp_path: Path
) -> None:
    with declared(qtbot, tmp_path) as (target, window):
        target.ask("start_loop")
        target.ask("client c")
        handle = number_of(target, "Client")
        target.ask("block_loop")
        dialog = ask_to_close(window, qtbot, handle)
        if not dialog.although.isHidden():
            dialog.although.click()
        assert column(dialog, WHAT) == ["will wait"]
        assert column(dialog, WHY) == ["shutdown() would run on the program's event loop"]
        dialog.deadline.setCurrentIndex(3)
        dialog.go.click()
        wait(qtbot, lambda: column(dialog, WHAT) == ["pending"])
        assert column(dialog, WHY) == [
            (
                "shutdown() runs on the program's event loop; it is "
                "withdrawn unless it has ended in 60 s"
            )
        ]
        assert "taken back" in dialog.note.text()
        wait(qtbot, lambda: resource(window, handle) is Resource.CLOSE_REQUESTED)
        wait(
            qtbot,
            lambda: [each[1] not in ("–", "not known") for each in pending_shown(window)] == [True],
        )
        assert pending_shown(window)[0][0] == (
            "Queued: the program's event loop has not come to it yet"
        )
        dialog.cancel.click()
        wait(qtbot, window.commands["take_back"].isEnabled)
        window.commands["take_back"].trigger()
        wait(qtbot, lambda: "was taken back: it stays open" in window.result.text)
        target.ask("unblock_loop")
        wait(qtbot, lambda: resource(window, handle) is Resource.OPEN)
