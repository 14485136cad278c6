"""Requests about more handles than a target takes at once."""

from __future__ import annotations

import pytest

from inspector.errors import ControlError
from inspector.session.batches import ask_in_batches
from inspector.session.protocol import CloseAnswer


class Target:
    """Closes on request, as often as it is willing to."""

    def __init__(self, willing: int = 100) -> None:
        self.asked: list[list[int]] = []
        self._willing = willing

    def ask(self, handles: list[int]) -> tuple[CloseAnswer, ...]:
        if len(self.asked) == self._willing:
            raise ControlError("the target is gone")
        self.asked.append(handles)
        return tuple(CloseAnswer(handle, "closed", "") for handle in handles)


def test_many_handles_are_asked_about_in_batches_and_in_their_order() -> None:
    target = Target()
    answers = ask_in_batches(target.ask, range(1, 6), at_once=2)
    assert target.asked == [[1, 2], [3, 4], [5]]
    assert [answer.handle for answer in answers] == [1, 2, 3, 4, 5]


def test_no_handle_is_one_empty_request() -> None:
    target = Target()
    assert ask_in_batches(target.ask, []) == ()
    assert target.asked == [[]]


def test_what_was_done_before_a_failure_is_told_and_the_rest_failed() -> None:
    answers = ask_in_batches(Target(willing=1).ask, range(1, 6), at_once=2)
    assert [(answer.handle, answer.outcome) for answer in answers] == [
        (1, "closed"),
        (2, "closed"),
        (3, "failed"),
        (4, "failed"),
        (5, "failed"),
    ]
    assert answers[-1].reason == "the target is gone"


def test_a_failure_of_the_first_batch_is_the_callers() -> None:
    with pytest.raises(ControlError, match="the target is gone"):
        ask_in_batches(Target(willing=0).ask, [1, 2, 3], at_once=2)
