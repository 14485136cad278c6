"""Notes under an answer about holders: references that the collector does not see."""

from __future__ import annotations

from dataclasses import replace

from inspector.model.holders import CycleReport, Retainers

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
