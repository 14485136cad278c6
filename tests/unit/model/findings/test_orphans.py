"""Objects made inside a call and never used."""

from __future__ import annotations

import dataclasses

import pytest

from inspector.model.events import Events
from inspector.model.findings.finding import Verdict
from inspector.model.findings.orphans import Orphans
from tests.helpers.events import events_of
from tests.helpers.snapshots import T0, Row, handle_id, snapshot_of
from tests.unit.model.findings.judged import OK, SUSPECT, UNMEASURED, YOUNG, verdicts


def test_orphans_are_not_measured_where_calls_are_not_recorded() -> None:
    snapshot = snapshot_of([Row(1, age_secs=40)])
    types = {
        index: dataclasses.replace(row, kind="uniffi") for index, row in snapshot.types.items()
    }
    events = events_of((T0, "create", handle_id(1)))
    assert verdicts(Orphans(), dataclasses.replace(snapshot, types=types), events) == [UNMEASURED]


MADE_IN_CALL = (
    (T0 - 50, "borrow", handle_id(9)),
    (T0 - 49, "create", handle_id(1)),
    (T0 - 48, "return", handle_id(9)),
)


@pytest.mark.parametrize(
    ("events", "age_secs", "verdict"),
    [
        (events_of(*MADE_IN_CALL), 49, SUSPECT),
        (events_of(*MADE_IN_CALL), 1, YOUNG),
        (events_of(*MADE_IN_CALL, (T0 - 9, "borrow", handle_id(1))), 49, OK),
        (events_of((T0 - 49, "create", handle_id(1))), 49, OK),
        (events_of(*MADE_IN_CALL, (T0 - 9, "gap", 0, 7)), 49, OK),
        (None, 49, UNMEASURED),
    ],
    ids=["orphan", "young", "used", "made outside", "gap", "no events"],
)
def test_orphans_are_made_in_a_call_and_never_used(
    events: Events | None, age_secs: float, verdict: Verdict
) -> None:
    assert verdicts(Orphans(), snapshot_of([Row(1, age_secs=age_secs)]), events) == [verdict]


BORN = (T0 - 40, "create", handle_id(1))


BEGIN, END = (T0 - 50, "borrow", handle_id(9)), (T0 - 30, "return", handle_id(9))


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        (events_of(BEGIN, BORN), OK),
        (
            events_of(
                BEGIN, (T0 - 45, "borrow", handle_id(8)), (T0 - 44, "return", handle_id(8)), BORN
            ),
            OK,
        ),
        (events_of(BEGIN, BORN, (T0 - 35, "borrow", handle_id(9)), END), OK),
        (events_of((T0 - 45, "return", handle_id(9)), BORN, END), OK),
        (events_of(BEGIN, (T0 - 45, "gap", 0, 7, 0), BORN, END), OK),
        (events_of(BEGIN, BORN, (T0 - 30, "return", handle_id(9), 0, 2)), OK),
        (
            events_of(
                BEGIN,
                (T0 - 45, "borrow", handle_id(9)),
                (T0 - 44, "return", handle_id(9)),
                BORN,
                END,
            ),
            SUSPECT,
        ),
        (events_of((T0 - 55, "return", handle_id(9)), BEGIN, BORN, END), SUSPECT),
        (events_of((T0 - 55, "borrow", handle_id(8)), BEGIN, BORN, END), SUSPECT),
    ],
    ids=[
        "no end",
        "an inner call ended",
        "the next call ended",
        "no begin",
        "gap within",
        "another thread's end",
        "recursion",
        "stray end",
        "stray begin",
    ],
)
def test_a_call_without_its_begin_or_end_is_not_one_that_still_runs(
    events: Events, verdict: Verdict
) -> None:
    assert verdicts(Orphans(), snapshot_of([Row(1, age_secs=40)]), events) == [verdict]
