from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from inspector.session.protocol import Capabilities
from inspector.ui.kit.assets import resource
from inspector.ui.kit.theme import Theme
from inspector.ui.session.situation import Situation
from inspector.ui.shell.actions import SPECS, Actions, Chosen
from inspector.ui.shell.command_palette import CommandPalette, matches

ATTACHED = Situation(
    attached=True, answers=True, has_snapshot=True, can=Capabilities(act=True, levels=True)
)
ARMED = dataclasses.replace(ATTACHED, armed=True)
READ_ONLY = dataclasses.replace(
    ATTACHED, answers=False, can=Capabilities(act=False, reason="the target has ended")
)
ALWAYS = {
    "attach",
    "ask_detach",
    "ask_preview",
    "limits",
    "open",
    "demo",
    "theme",
    "system_theme",
    "commands",
    "quit",
    "new_window",
    "help",
    "shortcuts",
    "about",
    "settings",
}
LOOKING = {
    "filter",
    "clear_filter",
    "sort",
    "detach",
    "back",
    "forward",
    "reset_layout",
    "screenshot",
    "tour",
    "audit",
    "mark",
    "next_suspect",
    "previous_suspect",
    "save_table",
    "save_timeline",
    "save_pane",
}


NEED_A_SNAPSHOT = {
    "screenshot",
    "mark",
    "tour",
    "next_suspect",
    "previous_suspect",
    "save_table",
    "save_timeline",
    "save_pane",
}


@pytest.fixture
def actions(qtbot: QtBot, theme: Theme) -> Iterator[Actions]:
    window = QWidget()
    yield Actions(theme, window)
    window.deleteLater()


def enabled(actions: Actions) -> set[str]:
    return {action.objectName() for action in actions.all() if action.isEnabled()}


@pytest.mark.parametrize(
    ("situation", "selected", "possible"),
    [
        (Situation(), 0, ALWAYS),
        (Situation(connecting=True), 0, ALWAYS - {"attach", "demo"}),
        (
            dataclasses.replace(ATTACHED, has_snapshot=False, answers=False),
            0,
            ALWAYS | LOOKING - NEED_A_SNAPSHOT,
        ),
        (ATTACHED, 0, ALWAYS | LOOKING | {"pause", "record", "stacks", "arm"}),
        (ATTACHED, 2, ALWAYS | LOOKING | {"pause", "record", "stacks", "arm", "copy"}),
        (ARMED, 0, ALWAYS | LOOKING | {"pause", "record", "stacks", "arm", "gc"}),
        (ARMED, 2, ALWAYS | LOOKING | {"pause", "record", "stacks", "arm", "copy", "gc", "close"}),
        (
            dataclasses.replace(ARMED, hung=True),
            2,
            ALWAYS | LOOKING | {"pause", "record", "stacks", "arm", "copy"},
        ),
        (
            dataclasses.replace(ARMED, busy=True),
            2,
            ALWAYS | LOOKING | {"pause", "record", "stacks", "arm", "copy"},
        ),
        (READ_ONLY, 2, ALWAYS | LOOKING | {"copy"}),
        (dataclasses.replace(READ_ONLY, paused=True), 0, ALWAYS | LOOKING | {"pause"}),
    ],
)
def test_exactly_what_is_possible_is_enabled(
    actions: Actions, situation: Situation, selected: int, possible: set[str]
) -> None:
    actions.apply(situation, Chosen(handles=selected))
    assert enabled(actions) == possible


@pytest.mark.parametrize(
    ("chosen", "possible"),
    [
        (Chosen(), set()),
        (Chosen(filtered=True), {"close_shown"}),
        (Chosen(pending_anywhere=True), {"drain"}),
        (Chosen(handles=1, pending=1, pending_anywhere=True), {"drain", "take_back"}),
    ],
)
def test_acting_needs_something_to_act_on(
    actions: Actions, chosen: Chosen, possible: set[str]
) -> None:
    actions.apply(ARMED, chosen)
    assert enabled(actions) & {"close_shown", "drain", "take_back"} == possible
    actions.apply(ATTACHED, chosen)
    assert not enabled(actions) & {"close_shown", "drain", "take_back"}


def test_a_disabled_action_says_why(actions: Actions) -> None:
    actions.apply(READ_ONLY, Chosen(handles=1))
    assert "Not now: the target has ended" in actions["gc"].toolTip()
    actions.apply(ATTACHED, Chosen(handles=1))
    assert "Not now: switch Actions on first (Ctrl+Shift+A)" in actions["close"].toolTip()


def test_showing_the_situation_triggers_nothing(actions: Actions, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(actions["arm"].toggled):
        actions.apply(ARMED, Chosen())
    assert actions["arm"].isChecked()


def test_no_two_actions_share_a_shortcut() -> None:
    shortcuts = [spec.shortcut for spec in SPECS if spec.shortcut]
    assert len(set(shortcuts)) == len(shortcuts)


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("filter", "/"),
        ("pause", "Space"),
        ("mark", "M"),
        ("gc", "G"),
        ("close", "C"),
        ("screenshot", "S"),
        ("commands", "Ctrl+K"),
    ],
)
def test_the_documented_keys_work(actions: Actions, key: str, keys: str) -> None:
    assert actions[key].shortcut() == QKeySequence(keys)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_every_action_has_its_icon(spec) -> None:
    assert resource("icons", f"{spec.icon}.svg").exists()


@pytest.mark.parametrize(
    ("typed", "text", "found"),
    [
        ("", "Force GC", True),
        ("fgc", "Force GC", True),
        ("gcf", "Force GC", False),
        ("SCR", "Screenshot", True),
    ],
)
def test_the_palette_finds_letters_in_their_order(typed: str, text: str, found: bool) -> None:
    assert matches(typed, text) is found


def test_the_palette_runs_the_action_typed(actions: Actions, qtbot: QtBot) -> None:
    actions.apply(ATTACHED, Chosen())
    palette = CommandPalette(actions.all())
    qtbot.addWidget(palette)
    palette.show()
    qtbot.keyClicks(palette.field, "switch th")
    with qtbot.waitSignal(actions["theme"].triggered):
        palette.field.returnPressed.emit()
    assert palette.result() == QDialog.DialogCode.Accepted


def test_the_palette_lists_impossible_actions_last_and_does_not_run_them(
    actions: Actions, qtbot: QtBot
) -> None:
    palette = CommandPalette(actions.all())
    qtbot.addWidget(palette)
    assert palette.list.count() == len(SPECS)
    qtbot.keyClicks(palette.field, "force gc")
    with qtbot.assertNotEmitted(actions["gc"].triggered):
        palette.field.returnPressed.emit()
