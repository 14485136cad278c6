"""Parent and workers of one program in the menu of the target."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from inspector.ui.session.connector import ProcessRow
from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.relatives import ALONE
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.windows import SNAPSHOT, Open

PARENT = ProcessRow(SNAPSHOT.target.pid, "app.py", "python app.py", "", True, live_handles=3)
WORKER = ProcessRow(
    4712, "app.py", "worker of app.py", "", True, live_handles=1204, parent_pid=PARENT.pid
)


def opened(qtbot: QtBot, open_window: Open, folder: Path, *rows: ProcessRow) -> MainWindow:
    sessions = {row.pid: FakeSession(SNAPSHOT) for row in rows}
    window = open_window(FakeConnector(rows, sessions, folder=folder))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(PARENT.pid)
    window.toolbar.chip.menu.aboutToShow.emit()
    return window


def texts(window: MainWindow) -> list[str]:
    return [entry.text() for entry in window.toolbar.chip.menu.actions()]


def test_a_worker_is_a_choice_in_the_menu_and_the_layout_stays(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    window = opened(qtbot, open_window, tmp_path, PARENT, WORKER)
    window.workbench.open_pane("threads")
    own = texts(window)[:3]
    qtbot.waitUntil(lambda: "app.py · 4712 · 1,204 live handles" in texts(window))
    assert texts(window)[:3] == own
    parent, worker = window.toolbar.chip.menu.actions()[-2:]
    assert (parent.isChecked(), worker.isChecked()) == (True, False)
    with qtbot.waitSignal(window.attachment.began):
        worker.trigger()
    assert window.pages.currentWidget() is window.workbench
    assert window.workbench.drawer.current == "threads"


def test_a_program_of_one_process_says_so(qtbot: QtBot, open_window: Open, tmp_path: Path) -> None:
    window = opened(qtbot, open_window, tmp_path, PARENT)
    qtbot.waitUntil(lambda: texts(window)[-1] == ALONE)
    window.toolbar.chip.menu.aboutToShow.emit()
    qtbot.waitUntil(lambda: texts(window)[-1] == ALONE)
    assert texts(window).count(ALONE) == 1
