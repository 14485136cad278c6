from __future__ import annotations

from typing import Any

import pytest

from inspector.errors import ControlError, TargetBusyError
from inspector.session.answers import close_answers, gc_report, level_in, require_ok
from inspector.wire.messages import Answer

GC = {
    "collected": 312,
    "uncollectable": 1,
    "released": 40,
    "closes_queued": 2,
    "still_pending": 4,
    "took_nanos": 38_000_000,
}


def ok(**fields: Any) -> Answer:
    return Answer(nonce=1, ok=True, error="", status="", fields=fields)


def test_a_collection_is_reported_in_the_sessions_words():
    report = gc_report(ok(**GC))
    assert (
        report.collected,
        report.handles_released,
        report.closes_queued,
        report.still_pending,
    ) == (312, 40, 2, 4)
    assert (report.took_secs, report.uncollectable) == (0.038, 1)


def test_close_answers_keep_reason_and_holders():
    (answer,) = close_answers(
        ok(
            answers=[
                {
                    "handle": 7,
                    "outcome": "refused",
                    "reason": "held\n by  others",
                    "holders": ["#1.1"],
                }
            ]
        )
    )
    assert (answer.handle, answer.outcome, answer.reason, answer.holders) == (
        7,
        "refused",
        "held by others",
        ("#1.1",),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"answers": 7},
        {"answers": [7]},
        {"answers": [{}]},
        {"answers": [{"handle": "x", "outcome": "closed"}]},
        {"answers": [{"handle": 1, "outcome": "eaten"}]},
    ],
)
def test_an_answer_that_says_something_else_is_not_understood(fields: dict[str, Any]):
    with pytest.raises(ControlError, match="not understood"):
        close_answers(ok(**fields))


def test_an_incomplete_report_is_not_understood():
    with pytest.raises(ControlError, match="not understood"):
        gc_report(ok(collected=3))


def test_a_level_is_a_number():
    assert level_in(ok(level=2)) == 2
    with pytest.raises(ControlError):
        level_in(ok(level=None))


def test_a_refusal_is_raised_with_its_reason():
    with pytest.raises(ControlError, match="no such level"):
        require_ok(Answer(1, ok=False, error="no such level", status="BadArgument", fields={}))


def test_a_target_that_gave_up_was_busy():
    with pytest.raises(TargetBusyError):
        require_ok(Answer(1, ok=False, error="the deadline passed", status="GivenUp", fields={}))


def test_a_refusal_without_a_reason_says_so():
    with pytest.raises(ControlError, match="without a reason"):
        require_ok(Answer(1, ok=False, error="", status="", fields={}))
