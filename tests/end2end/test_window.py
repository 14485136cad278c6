"""The window on real processes.

Each pane after a known sequence, the actions through the socket, and targets that hang, die or end.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from inspector.model.columns import section_of
from inspector.model.snapshot import TargetState
from inspector.ui.panes.detail.count_bar import CountBar
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import handle_text
from tests.helpers.live_windows import PATIENCE_MILLIS, arm, wait, window_on
from tests.helpers.reading import fact
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
    with window_on(target, qtbot, tmp_path) as made:
        yield made


def groups(window: MainWindow) -> dict[str, tuple[int, int]]:
    """Handles and objects by type."""
    arrangement = window.workbench.handles.model.arrangement
    return {g.name: (g.handles, g.objects) for g in arrangement.groups} if arrangement else {}


def cell(window: MainWindow, handle: int, column: int) -> str:
    """The table's row of a handle; empty: it is not shown."""
    model = window.workbench.handles.model
    row = model.row_of(handle)
    return str(model.index(row, column).data()) if row >= 0 else ""


def pending_rows(window: MainWindow) -> int:
    return window.attachment.snapshot.vitals.pending if window.attachment.snapshot else -1


def test_the_table_shows_a_known_sequence_with_its_exact_counts(
    qtbot: QtBot, window: MainWindow, target: Target
) -> None:
    target.ask("list 1")
    item = target.ask("item 2 milk")
    target.ask("item 3 eggs")
    target.ask("add 1 2")
    again = target.ask("clone 2 4")
    wait(qtbot, lambda: groups(window) == {"TodoItem": (3, 2), "TodoList": (1, 1)})
    wait(qtbot, lambda: cell(window, item, section_of("strong")) == "3")
    assert cell(window, item, section_of("proxies")) == "2"
    assert cell(window, item, section_of("native_refs")) == "1"
    assert cell(window, item, section_of("state")) == "live"
    assert cell(window, item, section_of("thread")) == "MainThread"
    assert "todo.py" in cell(window, item, section_of("site"))
    target.ask("release 4")
    wait(qtbot, lambda: cell(window, again, section_of("state")) == "released")
    wait(qtbot, lambda: groups(window)["TodoItem"] == (2, 2))
    wait(qtbot, lambda: cell(window, item, section_of("strong")) == "2")


def test_detail_names_who_holds_an_object_and_its_other_handles(
    qtbot: QtBot, window: MainWindow, target: Target
) -> None:
    target.ask("list 1")
    item = target.ask("item 2 milk")
    target.ask("add 1 2")
    again = target.ask("clone 2 4")
    wait(qtbot, lambda: cell(window, item, section_of("strong")) == "3")
    window.workbench.choose(item)
    detail = window.workbench.detail
    wait(
        qtbot,
        lambda: (
            detail.findChildren(CountBar)[0].accessibleName()
            == "strong 3 = 2 proxies + 1 native ref"
        ),
    )
    assert handle_text(again) in fact(detail, "Same object").text()
    detail.handle_chosen.emit(again)
    assert window.workbench.handles.table.chosen == (again,)


def test_a_filter_finds_the_leak(qtbot: QtBot, window: MainWindow, target: Target) -> None:
    target.ask("list 1")
    item = target.ask("item 2 milk")
    target.ask("add 1 2")
    target.ask("many 300")
    wait(qtbot, lambda: groups(window).get("TodoItem", (0, 0))[0] == 301)
    wait(
        qtbot, lambda: window.workbench.handles.model.arrangement.snapshot.handles.strong.max() == 2
    )
    window.workbench.handles.set_filter("type:TodoItem strong>1")
    arrangement = window.workbench.handles.model.arrangement
    assert [int(handle) for handle in arrangement.ids] == [item]


def test_a_close_that_waits_for_its_owner_is_pending_until_the_owner_comes_by(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    target.ask(f"journal 1 {tmp_path / 'journal.txt'}")
    cursor = target.ask("cursor 2 1")
    target.ask("close 2")
    wait(qtbot, lambda: pending_rows(window) == 1)
    wait(qtbot, lambda: cell(window, cursor, section_of("state")) == "waits for owner")
    wait(qtbot, lambda: window.workbench.drawer.title("pending") == "Stuck 1")
    wait(qtbot, lambda: cell(window, cursor, section_of("thread")) == "owner-2 → owner-2")
    window.workbench.pending.handle_chosen.emit(cursor)
    assert "owner-2" in fact(window.workbench.detail, "Owner thread").text()
    target.ask("visit 2")
    wait(qtbot, lambda: cell(window, cursor, section_of("state")) == "closed")
    wait(qtbot, lambda: pending_rows(window) == 0)


def test_a_forced_collection_says_what_it_freed(
    qtbot: QtBot, window: MainWindow, target: Target
) -> None:
    lost = target.ask("cycle 1")
    wait(qtbot, lambda: groups(window) == {"TodoList": (1, 1)})
    arm(window, qtbot)
    window.commands["gc"].trigger()
    wait(qtbot, lambda: window.result.text.startswith("Collection freed "))
    assert "released 1 handle, " in window.result.text
    wait(qtbot, lambda: cell(window, lost, section_of("state")).startswith("dropped"))


def test_closing_a_resource_is_previewed_and_then_done(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    journal = target.ask(f"journal 1 {tmp_path / 'journal.txt'}")
    item = target.ask("item 2 milk")
    wait(qtbot, lambda: cell(window, journal, section_of("state")) == "open")
    arm(window, qtbot)
    window.workbench.handles.choose((journal, item))
    window.commands["close"].trigger()
    dialog = window.closing.dialog
    assert dialog is not None
    wait(qtbot, dialog.go.isEnabled)
    assert dialog.go.text() == "Close 1 resource"
    assert cell(window, journal, section_of("state")) == "open"
    dialog.go.click()
    wait(qtbot, lambda: dialog.head.text() == "Closed 1 resource")
    wait(qtbot, lambda: cell(window, journal, section_of("state")) == "closed")
    assert cell(window, item, section_of("state")) == "live"
    dialog.cancel.click()


def test_a_stopped_target_is_hung_and_readable_and_recovers(
    qtbot: QtBot, window: MainWindow, target: Target
) -> None:
    item = target.ask("item 1 milk")
    wait(qtbot, lambda: cell(window, item, section_of("state")) == "live")
    arm(window, qtbot)
    target.send_signal(signal.SIGSTOP)
    wait(qtbot, lambda: "is hung" in window.banner.text and window.banner.isVisible())
    assert cell(window, item, section_of("state")) == "live"
    assert not window.commands["gc"].isEnabled()
    target.send_signal(signal.SIGCONT)
    wait(qtbot, lambda: not window.banner.isVisible())
    assert target.ask("item 2 eggs") > item


def test_a_killed_target_stays_open_as_post_mortem(
    qtbot: QtBot, window: MainWindow, target: Target, tmp_path: Path
) -> None:
    item = target.ask("item 1 milk")
    wait(qtbot, lambda: cell(window, item, section_of("state")) == "live")
    target.send_signal(signal.SIGKILL)
    wait(qtbot, lambda: "is gone" in window.banner.text)
    assert cell(window, item, section_of("state")) == "live"
    assert window.attachment.snapshot.target.state is TargetState.POST_MORTEM
    window.save_screenshot(tmp_path / "shot.png")
    wait(qtbot, lambda: window.result.text.startswith("Saved "))
    with qtbot.waitSignal(window.attachment.began, timeout=PATIENCE_MILLIS):
        window.attachment.open_file(tmp_path / "shot.png")
    wait(qtbot, lambda: "Screenshot of todo.py, " in window.banner.text)
    assert cell(window, item, section_of("state")) == "live"


def test_a_target_that_ends_keeps_its_last_state(
    qtbot: QtBot, window: MainWindow, target: Target
) -> None:
    target.ask("item 1 milk")
    wait(qtbot, lambda: "TodoItem" in groups(window))
    assert target.finish() == 0
    wait(qtbot, lambda: window.banner.text.startswith("The target has ended"))
    assert window.pages.currentWidget() is window.workbench
    wait(qtbot, lambda: not window.commands["arm"].isEnabled())


def test_the_target_outlives_the_window_and_goes_on(
    qtbot: QtBot, window: MainWindow, target: Target
) -> None:
    first = target.ask("item 1 milk")
    wait(qtbot, lambda: cell(window, first, section_of("state")) == "live")
    window.commands["detach"].trigger()
    assert window.pages.currentWidget() is window.start
    assert target.ask("item 2 eggs") > first
