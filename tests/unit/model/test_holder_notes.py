"""Notes under an answer about holders: references that the collector does not see."""

from __future__ import annotations

from dataclasses import replace

from inspector.model.holder_groups import expression_of_all
from inspector.model.holders import (
    CycleReport,
    PathStep,
    RetainerPath,
    Retainers,
    UnseenHolder,
)

SEEN = Retainers((), 1, 1, False, 0.0, references=7, known_references=7)


def test_references_that_are_not_known_to_python_are_told_and_no_others() -> None:
    assert SEEN.notes() == ()
    assert replace(SEEN, references=-1, known_references=-1).notes() == ()
    told = (
        "6 of 7 references are known to Python; the rest is held by code that the collector "
        "does not see"
    )
    assert replace(SEEN, known_references=6).notes() == (told,)


def test_a_class_that_lacks_support_of_the_collector_is_named_with_what_follows() -> None:
    told = (
        "rpds.Map lacks support of the collector: references that it holds are not seen, and "
        "a cycle through it is never freed"
    )
    assert replace(SEEN, hides_referents="rpds.Map").notes() == (told,)
    assert CycleReport((), 0, 9, False, ("rpds.Map",)).notes() == (told,)


def test_a_holder_that_the_collector_does_not_know_says_its_way_and_its_doubt() -> None:
    holder = UnseenHolder("rpds.Map at 0x7f10", 0x7F10, 1, 4, is_certain=True)
    assert holder.line() == "rpds.Map at 0x7f10, 4 allocations away"
    assert replace(holder, steps=1, held="app.Request").line() == (
        "rpds.Map at 0x7f10, 1 allocation away, holds app.Request"
    )
    on_stack = replace(holder, text="the stack of thread main", steps=0, is_certain=False)
    assert on_stack.line() == "≈ the stack of thread main"


def test_memory_is_searched_only_where_python_s_answer_is_open() -> None:
    rooted = RetainerPath((PathStep("global", "global app.X"),), is_rooted=True)
    whole = replace(SEEN, paths=(rooted,))
    assert whole.is_explained
    assert not replace(whole, known_references=6).is_explained
    assert not replace(whole, paths=(rooted, replace(rooted, is_rooted=False))).is_explained
    assert not SEEN.is_explained
    assert replace(whole, memory_note="9 MiB were searched").notes() == ("9 MiB were searched",)


def test_objects_that_only_native_code_holds_are_grouped_by_their_holder() -> None:
    holder = UnseenHolder("rpds.Map at 0x7f10", 0x7F10, 1, 4, is_certain=True)
    found = replace(SEEN, unseen=(replace(holder, is_certain=False, text="a stack"), holder))
    assert expression_of_all(found) == "unknown to the collector → rpds.Map"
