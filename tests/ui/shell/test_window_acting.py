from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from inspector.errors import ControlError, TargetBusyError
from inspector.model.holders import PathStep, RetainerPath, Retainers
from inspector.model.snapshot import TargetState
from inspector.session.protocol import Capabilities, CloseAnswer, DrainReport, GcReport
from inspector.ui.shell.closing import MOST_ROUNDS
from inspector.vocabulary import Resource, handle_text
from tests.helpers.snapshots import Row, snapshot_of, with_state
from tests.helpers.windows import JOURNAL, SNAPSHOT, Attach, answer, arm, publish

PARENT = Row(2, "Journal", resource=Resource.OPEN)
CHILD = Row(3, "Journal", resource=Resource.OPEN)
FAMILY = snapshot_of([Row(1), PARENT, CHILD])
SLOW = Row(4, "Journal", resource=Resource.DRAINING, in_flight=1)
WAITING = snapshot_of([Row(1), SLOW])


def test_force_gc_needs_arming_and_says_what_it_freed(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_G)
    assert session.gc_requests == []
    arm(window)
    qtbot.keyClick(window.workbench.handles.table, Qt.Key.Key_G)
    assert not window.commands["gc"].isEnabled()
    said = answer(
        qtbot, window, lambda: session.gc_requests[0].set_result(GcReport(312, 40, 2, 4, 0.038))
    )
    assert said == (
        "Collection freed 312 objects, released 40 handles, 2 closes queued, 4 still "
        "pending, took 38 ms"
    )
    assert window.commands["gc"].isEnabled()


def test_a_target_that_does_not_answer_is_one_line(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.commands["gc"].trigger()
    error = TargetBusyError("the interpreter did not answer within 5 s")
    assert (
        answer(qtbot, window, lambda: session.gc_requests[0].set_exception(error))
        == "The interpreter did not answer within 5 s"
    )
    assert window.commands["gc"].isEnabled()


def test_what_a_collection_did_is_told_in_figures_that_lead_on(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.commands["gc"].trigger()
    answer(
        qtbot,
        window,
        lambda: session.gc_requests[0].set_result(GcReport(312, 40, 0, 4, 0.038, uncollectable=1)),
    )
    parts = {part.text(): part for part in window.result.figures.parts}
    assert list(parts) == [
        "312 collected",
        "40 handles released",
        "0 closes queued",
        "4 still pending",
        "38 ms taken",
        "1 cannot be collected",
    ]
    parts["40 handles released"].click()
    assert window.workbench.handles.query.filter.source == "state:released,dropped"
    assert isinstance(parts["0 closes queued"], QLabel), "nothing lies behind it"
    window.result.say("Something else")
    assert window.result.figures.parts == ()


def test_closing_shows_first_what_it_will_do_and_then_what_it_did(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.workbench.choose(JOURNAL.id)
    window.commands["close"].trigger()
    dialog = window.closing.dialog
    assert dialog is not None
    handles, preview = session.previews[0]
    assert handles == (JOURNAL.id,)
    with qtbot.waitSignal(window.target_actions.previewed):
        preview.set_result((CloseAnswer(JOURNAL.id, "would_close", ""),))
    assert session.closes == []
    dialog.go.click()
    wanted, although_held, done = session.closes[0]
    assert (wanted, although_held) == ((JOURNAL.id,), False)
    with qtbot.waitSignal(window.target_actions.closed):
        done.set_result((CloseAnswer(JOURNAL.id, "closed", ""),))
    assert dialog.head.text() == "Closed 1 resource"
    assert window.result.text == "Closed 1 resource"
    dialog.cancel.click()
    assert window.closing.dialog is None


def test_a_parent_is_closed_after_its_children_once_agreed(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(FAMILY)
    arm(window)
    window.workbench.choose(PARENT.id)
    window.commands["close"].trigger()
    dialog = window.closing.dialog
    assert dialog is not None
    needing = f"Cursor {handle_text(CHILD.id)}, to be closed first"
    session.previews[0][1].set_result(
        (CloseAnswer(PARENT.id, "would_close", "", (needing,), (CHILD.id,)),)
    )
    qtbot.waitUntil(lambda: len(session.previews) == 2)
    assert session.previews[1][0] == (CHILD.id,)
    session.previews[1][1].set_result((CloseAnswer(CHILD.id, "would_close", ""),))
    qtbot.waitUntil(dialog.needed.isVisible)
    assert dialog.needed.text() == "Close first 1 resource that needs them"
    assert not dialog.go.isEnabled()
    dialog.needed.click()
    assert dialog.go.text() == "Close 2 resources"
    dialog.go.click()
    assert session.closes[0][:2] == ((CHILD.id, PARENT.id), False)


def test_children_without_end_do_not_keep_the_window_asking(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.workbench.choose(JOURNAL.id)
    window.commands["close"].trigger()
    for round_number in range(MOST_ROUNDS):
        qtbot.waitUntil(lambda expected=round_number + 1: len(session.previews) == expected)
        (handle,), preview = session.previews[-1]
        preview.set_result((CloseAnswer(handle, "would_close", "", ("a child",), (handle + 2,)),))
    dialog = window.closing.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.steps.table.rowCount() == 1)
    assert len(session.previews) == MOST_ROUNDS


def test_python_holders_are_asked_for_where_somebody_holds(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.workbench.choose(JOURNAL.id)
    window.commands["close"].trigger()
    dialog = window.closing.dialog
    assert dialog is not None
    session.previews[0][1].set_result(
        (CloseAnswer(JOURNAL.id, "would_close", "", ("call of worker-1",)),)
    )
    qtbot.waitUntil(lambda: len(session.retainer_requests) == 1)
    handle, _, asked = session.retainer_requests[0]
    assert handle == JOURNAL.id
    path = RetainerPath((PathStep("global", "app.journal"),), is_rooted=True)
    asked.set_result(Retainers((path,), 1, 40, is_cut=False, longest_step_secs=0.001))
    qtbot.waitUntil(
        lambda: (
            dialog.holders.text.text() == ("call of worker-1\nPython holds its proxy: app.journal")
        )
    )


def test_all_that_the_filter_shows_is_closed_in_one_go(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(FAMILY)
    arm(window)
    assert not window.commands["close_shown"].isEnabled()
    window.workbench.handles.set_filter("type:Journal")
    window.commands["close_shown"].trigger()
    assert session.previews[0][0] == (PARENT.id, CHILD.id)
    window.closing.end()


def test_closing_all_that_is_shown_says_which_rows_it_leaves_out(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(FAMILY)
    arm(window)
    window.workbench.handles.set_filter("state:live")
    window.commands["close_shown"].trigger()
    assert session.previews[0][0] == (PARENT.id, CHILD.id)
    dialog = window.closing.dialog
    assert dialog is not None
    assert dialog.left_out.text() == "Left out of the rows shown: 1 that cannot close"
    assert dialog.left_out.isVisible()
    window.closing.end()
    window.workbench.handles.set_filter("type:TodoItem")
    said = answer(qtbot, window, window.commands["close_shown"].trigger)
    assert said == "Nothing shown can be closed: 1 that cannot close"


def test_the_closes_that_wait_are_drained(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(WAITING)
    assert not window.commands["drain"].isEnabled()
    arm(window)
    window.commands["drain"].trigger()
    said = answer(
        qtbot, window, lambda: session.drains[0].set_result(DrainReport(ran=1, still_pending=2))
    )
    assert said == "Ran 1 close; 2 still wait for a call to end, or for the owner thread to run it"


def test_nothing_that_waits_is_nothing_to_drain(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    arm(window)
    assert "nothing is waiting to close" in window.commands["drain"].toolTip()


def test_a_pending_close_is_taken_back(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(WAITING)
    arm(window)
    assert not window.commands["take_back"].isEnabled()
    window.workbench.choose(SLOW.id)
    window.commands["take_back"].trigger()
    handle, asked = session.cancels[0]
    assert handle == SLOW.id
    said = answer(qtbot, window, lambda: asked.set_result(True))
    assert said == f"The close of {handle_text(SLOW.id)} was taken back: it stays open"


def test_a_close_that_runs_already_is_not_said_to_stay_open(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(WAITING)
    arm(window)
    window.workbench.choose(SLOW.id)
    window.commands["take_back"].trigger()
    said = answer(qtbot, window, lambda: session.cancels[0][1].set_result(False))
    assert said == (
        f"The close of {handle_text(SLOW.id)}: it runs already: its event loop was asked to cancel "
        "it, and whether it is closed then is not known"
    )


def test_a_close_that_cannot_be_taken_back_says_why(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(WAITING)
    arm(window)
    window.workbench.choose(SLOW.id)
    window.commands["take_back"].trigger()
    said = answer(
        qtbot,
        window,
        lambda: session.cancels[0][1].set_exception(ControlError("it closes already")),
    )
    assert said == "It closes already"


def test_disarming_is_per_target(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    arm(window)
    assert window.attachment.situation.armed
    window.commands["detach"].trigger()
    assert not window.attachment.situation.armed
    assert not window.commands["arm"].isChecked()


def test_actions_disarm_themselves_when_the_target_can_no_longer_act(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    session.can = Capabilities(act=False, reason="the target has ended")
    publish(qtbot, window, session, with_state(SNAPSHOT, TargetState.ENDED, "it exited"))
    assert not window.attachment.situation.armed
    assert not window.commands["gc"].isEnabled()
    assert not window.toolbar.level.isEnabled()


def test_a_close_that_would_wait_can_be_given_a_deadline(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.workbench.choose(JOURNAL.id)
    window.commands["close"].trigger()
    dialog = window.closing.dialog
    assert dialog is not None
    session.previews[0][1].set_result((CloseAnswer(JOURNAL.id, "pending", "a call in flight"),))
    qtbot.waitUntil(dialog.deadline.isVisible)
    dialog.deadline.setCurrentIndex(1)
    dialog.go.click()
    assert session.close_deadlines == [1.0]
    window.closing.end()


def test_a_close_that_runs_at_once_has_no_deadline(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    arm(window)
    window.workbench.choose(JOURNAL.id)
    window.commands["close"].trigger()
    dialog = window.closing.dialog
    assert dialog is not None
    session.previews[0][1].set_result((CloseAnswer(JOURNAL.id, "would_close", ""),))
    qtbot.waitUntil(dialog.go.isEnabled)
    assert not dialog.deadline.isVisible()
    dialog.go.click()
    assert session.close_deadlines == [None]
    window.closing.end()
