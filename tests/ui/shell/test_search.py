from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from inspector.model.findings.finding import Finding, Verdict
from inspector.ui.shell.command_palette import CommandPalette
from inspector.ui.shell.search import HitKind, find, rank
from tests.helpers.snapshots import Row, snapshot_of
from tests.helpers.windows import SNAPSHOT, Attach

FINDING = Finding("leak-suspect", Verdict.SUSPECT, "TodoItem keeps growing")
SOME = snapshot_of([Row(1), Row(12, "Journal"), Row(120, "Journal")])


@pytest.mark.parametrize(
    ("typed", "text", "place"),
    [
        ("fi", "Filter handles", 0),
        ("ha", "Filter handles", 1),
        ("ilt", "Filter handles", 2),
        ("fls", "Filter handles", 3),
        ("xyz", "Filter handles", -1),
    ],
)
def test_a_text_that_begins_so_fits_best(typed: str, text: str, place: int) -> None:
    assert rank(typed, text) == place


def texts(palette: CommandPalette) -> list[str]:
    return [palette.list.item(row).text() for row in range(palette.list.count())]


def test_prefixes_stand_above_letters_in_order(qtbot: QtBot) -> None:
    actions = [QAction(text) for text in ("Drain now, no findings", "Show Findings", "Find")]
    palette = CommandPalette(actions)
    qtbot.addWidget(palette)
    palette.field.setText("fin")
    assert texts(palette) == ["Find", "Drain now, no findings", "Show Findings"]
    palette.field.setText("dnf")
    assert texts(palette) == ["Drain now, no findings"]


def test_no_match_is_a_sentence(qtbot: QtBot) -> None:
    palette = CommandPalette([QAction("Find")])
    qtbot.addWidget(palette)
    palette.field.setText("qqq")
    assert texts(palette) == ["Nothing fits “qqq”"]
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)


def test_types_threads_lines_and_findings_are_found() -> None:
    hits = {hit.kind: hit for hit in find("todo", SOME, [FINDING])}
    assert hits[HitKind.TYPE].filter == 'type:"TodoList"' or hits[HitKind.TYPE].text == "TodoItem"
    assert hits[HitKind.FINDING].finding is FINDING
    (thread,) = find("worker-1", SOME, [])
    assert (thread.kind, thread.text) == (HitKind.THREAD, "worker-1")
    assert [hit.kind for hit in find("app.py", SOME, [])] == [HitKind.SITE]


def test_a_number_finds_its_handles() -> None:
    assert [hit.text for hit in find("#12", SOME, [])] == ["#12.1"]
    assert [hit.handle for hit in find("#120.1", SOME, [])] == [Row(120).id]
    assert find("#12.9", SOME, []) == []
    assert find("#", SOME, []) == []


def test_what_is_chosen_in_the_search_is_shown(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    window.commands["commands"].trigger()
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.field, "#2")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.workbench.detail.handle == Row(2).id
    window.commands["commands"].trigger()
    palette = next(each for each in window.findChildren(CommandPalette) if each.isVisible())
    qtbot.keyClicks(palette.field, "Journal")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.workbench.handles.query.filter.source == 'type:"Journal"'
