from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inspector.model.holders import PathStep, RetainerPath, Retainers
from inspector.session.close_plan import ClosePlan
from inspector.session.protocol import CloseAnswer
from inspector.ui.kit.theme import Theme
from inspector.ui.shell.close_dialog import CloseDialog
from inspector.ui.shell.close_steps import MAX_ROWS
from tests.helpers.snapshots import handle_id

FREE, HELD, REFUSED = handle_id(1), handle_id(2), handle_id(3)
PREVIEW = (
    CloseAnswer(FREE, "would_close", "nothing stands in the way"),
    CloseAnswer(HELD, "would_close", "", ("cache in app.py", "Journal #9.1")),
    CloseAnswer(REFUSED, "refused", "TodoItem did not opt in to closing"),
)


@pytest.fixture
def dialog(qtbot: QtBot, theme: Theme) -> CloseDialog:
    made = CloseDialog(
        theme, (FREE, HELD, REFUSED), {FREE: "Journal", HELD: "Journal", REFUSED: "TodoItem"}
    )
    qtbot.addWidget(made)
    made.show()
    return made


def preview(dialog: CloseDialog, answers: Sequence[CloseAnswer]) -> None:
    plan = ClosePlan(tuple(answer.handle for answer in answers)).with_answers(answers)
    dialog.show_plan(plan, {FREE: "Journal", HELD: "Journal", REFUSED: "TodoItem"})


def cells(dialog: CloseDialog) -> list[list[str]]:
    table = dialog.steps.table
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def test_nothing_can_be_closed_before_the_preview(dialog: CloseDialog) -> None:
    assert dialog.head.text() == "Close 3 resources?"
    assert not dialog.go.isEnabled()


def test_the_preview_names_what_happens_and_who_holds(dialog: CloseDialog) -> None:
    preview(dialog, PREVIEW)
    assert cells(dialog)[0] == [
        "1",
        "#1.1",
        "Journal",
        "will close",
        "nothing stands in the way",
        "nobody else",
    ]
    assert cells(dialog)[1] == [
        "",
        "#2.1",
        "Journal",
        "stays open",
        "others hold it",
        "cache in app.py, Journal #9.1",
    ]
    assert cells(dialog)[2][3:5] == ["refused", "TodoItem did not opt in to closing"]
    assert dialog.note.text() == (
        "1 Journal will close · 1 Journal held by others · 1 TodoItem cannot be closed"
    )
    assert dialog.go.text() == "Close 1 resource"


def test_what_others_hold_is_closed_only_with_consent(dialog: CloseDialog, qtbot: QtBot) -> None:
    preview(dialog, PREVIEW)
    with qtbot.waitSignal(dialog.close_wanted) as wanted:
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert wanted.args == [(FREE,), False]
    assert not dialog.go.isEnabled()


def test_consent_adds_what_others_hold(dialog: CloseDialog, qtbot: QtBot) -> None:
    preview(dialog, PREVIEW)
    dialog.although.setChecked(True)
    assert dialog.go.text() == "Close 2 resources"
    with qtbot.waitSignal(dialog.close_wanted) as wanted:
        dialog.go.click()
    assert wanted.args == [(FREE, HELD), True]


def test_when_none_can_be_closed_it_says_so(dialog: CloseDialog) -> None:
    preview(dialog, PREVIEW[2:])
    assert dialog.note.text() == "1 TodoItem cannot be closed"
    assert not dialog.go.isEnabled()


def test_afterwards_it_shows_what_happened(dialog: CloseDialog) -> None:
    preview(dialog, PREVIEW)
    dialog.show_result(
        (CloseAnswer(FREE, "closed", ""), CloseAnswer(HELD, "pending", "2 calls in flight"))
    )
    assert dialog.head.text() == "Closed 1 resource"
    assert [row[3] for row in cells(dialog)] == ["closed", "pending"]
    assert not dialog.go.isVisible()


def test_a_target_that_does_not_answer_closes_nothing(dialog: CloseDialog) -> None:
    dialog.show_failure("The interpreter did not answer for 5 s")
    assert dialog.head.text() == "Nothing was closed"
    assert dialog.note.text() == "The interpreter did not answer for 5 s"


def test_of_very_many_the_first_are_listed_and_all_are_closed(
    dialog: CloseDialog, qtbot: QtBot
) -> None:
    preview(
        dialog,
        [CloseAnswer(handle_id(slot), "would_close", "") for slot in range(1, MAX_ROWS + 201)],
    )
    assert dialog.steps.table.rowCount() == MAX_ROWS
    assert dialog.steps.more.text() == "and 200 more, not listed"
    with qtbot.waitSignal(dialog.close_wanted) as wanted:
        dialog.go.click()
    assert len(wanted.args[0]) == MAX_ROWS + 200


def test_enter_cancels_rather_than_closes(dialog: CloseDialog) -> None:
    preview(dialog, PREVIEW)
    assert dialog.cancel.isDefault()
    assert not dialog.go.isDefault()


def test_who_holds_it_is_listed_and_asked_for_once(dialog: CloseDialog, qtbot: QtBot) -> None:
    with qtbot.waitSignal(dialog.retainers_wanted) as wanted:
        preview(dialog, PREVIEW)
    assert wanted.args == [HELD]
    assert dialog.holders.title.text() == "Who holds #2.1"
    path = RetainerPath(
        (PathStep("global", "app.cache"), PathStep("item", "['one']")), is_rooted=True
    )
    dialog.show_retainers(HELD, Retainers((path,), 3, 120, is_cut=False, longest_step_secs=0.001))
    assert dialog.holders.text.text().endswith(
        "Python holds its proxy: app.cache → ['one']\nand 2 more holders"
    )
    with qtbot.assertNotEmitted(dialog.retainers_wanted):
        dialog.steps.table.setCurrentCell(1, 0)


def test_holders_that_cannot_be_told_say_why(dialog: CloseDialog) -> None:
    preview(dialog, PREVIEW)
    dialog.show_no_retainers(HELD, "The interpreter did not answer within 5 s")
    assert "The interpreter did not answer within 5 s" in dialog.holders.text.text()
    assert "Asking" not in dialog.holders.text.text()


def test_what_a_target_says_is_shown_as_it_is(dialog: CloseDialog) -> None:
    preview(dialog, [CloseAnswer(HELD, "would_close", "", ("<b>bold</b>",))])
    assert dialog.holders.text.text().startswith("<b>bold</b>")
    assert dialog.holders.text.textFormat() == Qt.TextFormat.PlainText
