"""The plan of a close: its steps, their order, and the consent it needs."""

from __future__ import annotations

from inspector.model.filter import parse
from inspector.session.close_plan import (
    ClosePlan,
    Consent,
    counted,
    found_by,
    left_out_words,
    others_of,
    unclosable_words,
)
from inspector.session.protocol import CloseAnswer
from inspector.vocabulary import Reference, Resource, handle_text
from tests.helpers.snapshots import Row, handle_id, snapshot_of

JOURNAL, CURSOR, PAGE, ITEM = (handle_id(slot) for slot in (1, 2, 3, 4))


def would_close(handle: int, *children: int, held_by: tuple[str, ...] = ()) -> CloseAnswer:
    needing = tuple(f"Cursor {handle_text(child)}, to be closed first" for child in children)
    return CloseAnswer(handle, "would_close", "", (*held_by, *needing), children)


def test_what_nobody_else_holds_is_closed_without_further_consent() -> None:
    plan = ClosePlan((JOURNAL,)).with_answers([would_close(JOURNAL)])
    assert plan.wanted(Consent()) == (JOURNAL,)
    assert not plan.unknown()


def test_what_others_hold_needs_consent() -> None:
    plan = ClosePlan((JOURNAL,)).with_answers([would_close(JOURNAL, held_by=("handle #9.1",))])
    assert plan.wanted(Consent()) == ()
    assert plan.wanted(Consent(held=True)) == (JOURNAL,)


def test_what_needs_a_resource_is_asked_about_and_closed_before_it_with_consent() -> None:
    plan = ClosePlan((JOURNAL,)).with_answers([would_close(JOURNAL, CURSOR)])
    assert plan.unknown() == (CURSOR,)
    plan = plan.with_answers([would_close(CURSOR, PAGE)])
    assert plan.unknown() == (PAGE,)
    plan = plan.with_answers([would_close(PAGE)])
    assert plan.needed() == (PAGE, CURSOR)
    assert plan.wanted(Consent()) == ()
    assert plan.wanted(Consent(needed=True)) == (PAGE, CURSOR, JOURNAL)
    assert [step.is_added for step in plan.steps(Consent(needed=True))] == [True, True, False]


def test_a_child_that_will_wait_keeps_its_parent_held() -> None:
    waiting = CloseAnswer(CURSOR, "pending", "only its owner may close it")
    plan = ClosePlan((JOURNAL,)).with_answers([would_close(JOURNAL, CURSOR), waiting])
    assert plan.wanted(Consent(needed=True)) == (CURSOR,)
    assert plan.wanted(Consent(needed=True, held=True)) == (CURSOR, JOURNAL)


def test_children_that_were_asked_for_are_no_additions() -> None:
    plan = ClosePlan((JOURNAL, CURSOR)).with_answers(
        [would_close(JOURNAL, CURSOR), would_close(CURSOR)]
    )
    assert plan.wanted(Consent()) == (CURSOR, JOURNAL)
    assert plan.needed() == ()


def test_things_that_need_each_other_end_in_some_order() -> None:
    plan = ClosePlan((JOURNAL, CURSOR)).with_answers(
        [would_close(JOURNAL, CURSOR), would_close(CURSOR, JOURNAL)]
    )
    assert sorted(plan.wanted(Consent(held=True))) == [JOURNAL, CURSOR]


def test_holders_with_a_similar_number_remain() -> None:
    answer = CloseAnswer(
        JOURNAL,
        "would_close",
        "",
        ((f"Cursor {handle_text(CURSOR)}1, to be closed first"), "call of main"),
        (CURSOR,),
    )
    assert others_of(answer, [CURSOR]) == answer.holders


def test_the_summary_counts_by_fate_and_type() -> None:
    refused = CloseAnswer(ITEM, "refused", "TodoItem did not opt in to closing")
    plan = ClosePlan((JOURNAL, CURSOR, PAGE, ITEM)).with_answers(
        [
            would_close(JOURNAL),
            would_close(CURSOR, held_by=("handle #9.1",)),
            CloseAnswer(PAGE, "pending", "a call in flight"),
            refused,
        ]
    )
    names = {JOURNAL: "Journal", CURSOR: "Journal", PAGE: "Page", ITEM: "TodoItem"}
    assert counted(plan.steps(Consent()), Consent(), names) == (
        ("closes", "Journal", 1),
        ("waits", "Page", 1),
        ("held", "Journal", 1),
        ("refused", "TodoItem", 1),
    )


def test_a_filter_finds_open_resources_once_for_each_object() -> None:
    snapshot = snapshot_of(
        [
            Row(1, "Journal", resource=Resource.OPEN, address=0x10),
            Row(2, "Journal", resource=Resource.OPEN, address=0x10),
            Row(3, "Journal", resource=Resource.CLOSED),
            Row(4, "Journal", resource=Resource.OPEN, reference=Reference.RELEASED),
            Row(5, "TodoItem"),
        ]
    )
    assert found_by(parse("type:Journal"), snapshot) == [handle_id(1)]
    assert found_by(parse(""), snapshot) == []


def test_why_nothing_selected_can_be_closed_is_said() -> None:
    snapshot = snapshot_of(
        [
            Row(1, "Journal", resource=Resource.OPEN),
            Row(2, "Journal", resource=Resource.CLOSED),
            Row(3, "TodoItem"),
            Row(4, "Journal", reference=Reference.DROPPED),
            Row(5, "Journal", resource=Resource.UNKNOWN),
        ]
    )

    def why(*slots: int) -> str:
        return unclosable_words(snapshot, [handle_id(slot) for slot in slots])

    assert why(1, 3) == why(5) == ""
    assert why(3) == "TodoItem cannot close: it ends with its last reference"
    assert why(2) == "selected are 1 closed already"
    assert why(2, 3) == "selected are 1 that cannot close, 1 closed already"
    assert (why(4), why(4, 4)) == ("it has ended", "all of them have ended")


def test_shown_rows_that_are_not_closed_are_counted_by_their_reason() -> None:
    snapshot = snapshot_of(
        [
            Row(1, "Journal", resource=Resource.OPEN),
            Row(2, "Journal", resource=Resource.CLOSED),
            Row(3, "Journal", resource=Resource.UNKNOWN),
            Row(4, "Journal", resource=Resource.CLOSING),
            Row(5, "Journal"),
            Row(6, "Journal"),
            Row(7, "Journal", reference=Reference.DROPPED),
            Row(8, resource=Resource.CLOSED),
        ]
    )
    assert left_out_words(parse("type:Journal"), snapshot) == (
        "2 that cannot close, 1 with a pending close, 1 closed already, "
        "1 of which it is not known whether it is closed, 1 that ended"
    )
    assert left_out_words(parse("id:#1.1"), snapshot) == ""
