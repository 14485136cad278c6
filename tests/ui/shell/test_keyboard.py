from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from inspector.model.snapshot import Lost
from inspector.ui.kit.theme import LIGHT
from inspector.ui.shell.close_dialog import CloseDialog
from inspector.ui.shell.command_palette import CommandPalette
from inspector.ui.shell.losses_dialog import LossesDialog
from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.pane_list import PANES
from tests.helpers.windows import JOURNAL, SNAPSHOT, Attach

Dialogs = dict[str, Callable[[MainWindow], QWidget]]
DIALOGS: Dialogs = {
    "close": lambda window: CloseDialog(LIGHT, (JOURNAL.id,), {JOURNAL.id: "Journal"}, window),
    "palette": lambda window: CommandPalette(window.commands.all(), window),
    "losses": lambda window: LossesDialog(Lost({"events": 3}), window),
}


def takes_tab(widget: QWidget) -> bool:
    by_tab = Qt.FocusPolicy.TabFocus.value
    return (
        widget.isVisible()
        and widget.isEnabled()
        and bool(widget.focusPolicy().value & by_tab)
        and widget.focusProxy() is None
    )


def described(widget: QWidget) -> str:
    """A screen reader's text for it, apart from its role."""
    text = getattr(widget, "text", None)
    return widget.accessibleName() or (text() if callable(text) else "")


def walk(qtbot: QtBot, window: QWidget) -> list[QWidget]:
    """The focused widget after each press of Tab, until it begins again."""
    qtbot.waitUntil(lambda: window.isActiveWindow())
    visited: list[QWidget] = []
    for _ in range(300):
        window.focusNextChild()
        now = QApplication.focusWidget()
        assert now is not None
        if visited and now is visited[0]:
            return visited
        visited.append(now)
    raise AssertionError(f"the tab order does not come round: {visited[-5:]}")


def all_of(window: QWidget) -> list[QWidget]:
    return [window, *window.findChildren(QWidget)]


def painted(widget: QWidget) -> QImage:
    return widget.grab().toImage()


@pytest.mark.parametrize("pane", [spec.key for spec in PANES])
def test_tab_visits_all_that_can_be_used_once(qtbot: QtBot, attach: Attach, pane: str) -> None:
    window, _ = attach(SNAPSHOT)
    window.resize(1440, 900)
    window.workbench.choose(JOURNAL.id)
    window.workbench.open_pane(pane)
    QApplication.processEvents()
    visited = walk(qtbot, window)
    assert len(visited) == len(set(visited))
    assert {each for each in all_of(window) if takes_tab(each)} <= set(visited)


@pytest.mark.parametrize("dialog", DIALOGS)
def test_tab_visits_all_of_a_dialog_once(qtbot: QtBot, attach: Attach, dialog: str) -> None:
    window, _ = attach(SNAPSHOT)
    made = DIALOGS[dialog](window)
    made.show()
    visited = walk(qtbot, made)
    assert len(visited) == len(set(visited))
    assert {each for each in all_of(made) if takes_tab(each)} <= set(visited)
    assert [described(each) for each in visited if not described(each)] == []
    made.close()


def test_all_that_takes_the_keyboard_has_a_name(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.workbench.choose(JOURNAL.id)
    nameless = []
    for spec in PANES:
        window.workbench.open_pane(spec.key)
        QApplication.processEvents()
        nameless += [
            f"{spec.key}: {type(each).__name__}"
            for each in all_of(window)
            if takes_tab(each) and not described(each)
        ]
    assert sorted(set(nameless)) == []


def test_all_that_is_painted_by_hand_has_a_name(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.workbench.choose(JOURNAL.id)
    nameless = [
        type(each).__name__
        for each in all_of(window)
        if type(each).__module__.startswith("inspector.")
        and "paintEvent" in vars(type(each))
        and not described(each)
    ]
    assert sorted(set(nameless)) == []


def test_what_has_the_keyboard_shows_it(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.resize(1440, 900)
    window.workbench.choose(JOURNAL.id)
    window.commands["pause"].trigger()
    QApplication.processEvents()
    plain = []
    for each in walk(qtbot, window):
        if isinstance(each, QTabBar):
            continue
        each.clearFocus()
        before = painted(each)
        each.setFocus(Qt.FocusReason.TabFocusReason)
        if painted(each) == before:
            plain.append(f"{type(each).__name__} {described(each)}")
    assert "\n".join(plain) == ""
