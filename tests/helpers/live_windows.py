"""Shared parts of end-to-end window tests: a stepped target, a window on it, patience."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from inspector.commands.support.connector import LocalConnector
from inspector.model.change_groups import GroupBy
from inspector.model.snapshot import Snapshot
from inspector.ui.shell.app import delete_now
from inspector.ui.shell.close_dialog import CloseDialog
from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.send_preview import CHOICE, SKIP
from inspector.vocabulary import Resource
from tests.helpers.targets import Target

PATIENCE_MILLIS = 60_000


@contextmanager
def window_on(
    target: Target, qtbot: QtBot, folder: Path, *, grouping: GroupBy = GroupBy.NONE
) -> Iterator[MainWindow]:
    """A window that shows ``target``, and keeps its files in ``folder``."""
    settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
    settings.setValue(CHOICE, SKIP)  # the preview has tests of its own
    made = MainWindow(LocalConnector(folder, folder), settings)
    made.resize(1440, 900)
    made.show()
    made.workbench.handles.group_by(grouping)
    with qtbot.waitSignal(made.attachment.snapshot_shown, timeout=PATIENCE_MILLIS):
        made.attachment.attach(target.pid)
    yield made
    made.close()
    delete_now(made)


def wait(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    """Run the window until ``is_so``."""
    qtbot.waitUntil(is_so, timeout=PATIENCE_MILLIS)


def arm(window: MainWindow, qtbot: QtBot) -> None:
    """Allow acts, as a person would once they are offered."""
    wait(qtbot, window.commands["arm"].isEnabled)
    window.commands["arm"].trigger()


def resource(window: MainWindow, handle: int) -> Resource | None:
    """State of a handle's resource in the newest snapshot."""
    snapshot: Snapshot | None = window.attachment.snapshot
    if snapshot is None:
        return None
    return next(
        (
            Resource(int(snapshot.handles.resources[row]))
            for row, known in enumerate(snapshot.handles.ids)
            if known == handle
        ),
        None,
    )


def ask_to_close(window: MainWindow, qtbot: QtBot, *handles: int) -> CloseDialog:
    """The dialog about these handles, with its plan."""
    wait(qtbot, lambda: all(resource(window, handle) is not None for handle in handles))
    window.workbench.handles.choose(handles)
    window.commands["close"].trigger()
    dialog = window.closing.dialog
    assert dialog is not None
    wait(qtbot, lambda: dialog.steps.table.rowCount() > 0)
    return dialog


def column(dialog: CloseDialog, name: int) -> list[str]:
    table = dialog.steps.table
    return [
        item.text()
        for row in range(table.rowCount())
        if (item := table.item(row, name)) is not None
    ]
