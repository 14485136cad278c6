from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inspector.session.protocol import CloseAnswer
from inspector.ui.close_dialog import MAX_ROWS, CloseDialog
from inspector.ui.theme import Theme
from tests.helpers.snapshots import handle_id

FREE, HELD, REFUSED = handle_id(1), handle_id(2), handle_id(3)
PREVIEW = (
    CloseAnswer(FREE, "would_close", "nothing stands in the way"),
    CloseAnswer(HELD, "refused", "2 others hold it", ("cache in app.py", "Journal #9.1")),
    CloseAnswer(REFUSED, "refused", "TodoItem did not opt in to closing"),
)


@pytest.fixture
def dialog(qtbot: QtBot, theme: Theme) -> CloseDialog:
    made = CloseDialog(theme, (FREE, HELD, REFUSED), {FREE: "Journal", HELD: "Journal", REFUSED: "TodoItem"})
    qtbot.addWidget(made)
    made.show()
    return made


def cells(dialog: CloseDialog) -> list[list[str]]:
    table = dialog.table
    return [[table.item(row, column).text() for column in range(table.columnCount())] for row in range(table.rowCount())]


def test_nothing_can_be_closed_before_the_preview(dialog: CloseDialog) -> None:
    assert dialog.head.text() == "Close 3 resources?"
    assert not dialog.go.isEnabled()


def test_the_preview_names_what_happens_and_who_holds(dialog: CloseDialog) -> None:
    dialog.show_preview(PREVIEW)
    assert cells(dialog)[0] == ["#1.1", "Journal", "will close", "nothing stands in the way", "nobody else"]
    assert cells(dialog)[1][4] == "cache in app.py, Journal #9.1"
    assert dialog.go.text() == "Close 1 resource"


def test_what_others_hold_is_closed_only_with_consent(dialog: CloseDialog, qtbot: QtBot) -> None:
    dialog.show_preview(PREVIEW)
    with qtbot.waitSignal(dialog.close_wanted) as wanted:
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert wanted.args == [(FREE,), False]
    assert not dialog.go.isEnabled()


def test_consent_adds_what_others_hold(dialog: CloseDialog, qtbot: QtBot) -> None:
    dialog.show_preview(PREVIEW)
    dialog.although.setChecked(True)
    assert dialog.go.text() == "Close 2 resources"
    with qtbot.waitSignal(dialog.close_wanted) as wanted:
        dialog.go.click()
    assert wanted.args == [(FREE, HELD), True]


def test_when_none_can_be_closed_it_says_so(dialog: CloseDialog) -> None:
    dialog.show_preview(PREVIEW[2:])
    assert dialog.note.text() == "None of them can be closed"
    assert not dialog.go.isEnabled()


def test_afterwards_it_shows_what_happened(dialog: CloseDialog) -> None:
    dialog.show_preview(PREVIEW)
    dialog.show_result((CloseAnswer(FREE, "closed", ""), CloseAnswer(HELD, "pending", "2 calls in flight")))
    assert dialog.head.text() == "Closed 1 resource"
    assert [row[2] for row in cells(dialog)] == ["closed", "pending"]
    assert not dialog.go.isVisible()


def test_a_target_that_does_not_answer_closes_nothing(dialog: CloseDialog) -> None:
    dialog.show_failure("The interpreter did not answer for 5 s")
    assert dialog.head.text() == "Nothing was closed"
    assert dialog.note.text() == "The interpreter did not answer for 5 s"


def test_of_very_many_the_first_are_listed_and_all_are_closed(dialog: CloseDialog, qtbot: QtBot) -> None:
    dialog.show_preview([CloseAnswer(handle_id(slot), "would_close", "") for slot in range(1, MAX_ROWS + 201)])
    assert dialog.table.rowCount() == MAX_ROWS
    assert dialog.more.text() == "and 200 more, not listed"
    with qtbot.waitSignal(dialog.close_wanted) as wanted:
        dialog.go.click()
    assert len(wanted.args[0]) == MAX_ROWS + 200


def test_enter_cancels_rather_than_closes(dialog: CloseDialog) -> None:
    dialog.show_preview(PREVIEW)
    assert dialog.cancel.isDefault()
    assert not dialog.go.isDefault()
