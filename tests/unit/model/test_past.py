"""The state of an earlier moment: what is known of it, and what is not."""

from __future__ import annotations

import math

import pytest

from inspector.model.change_facts import ChangeFacts
from inspector.model.change_groups import GroupBy
from inspector.model.changes import ChangeQuery, ChangeTable, change_table
from inspector.model.codec import decode, encode
from inspector.model.filter import parse
from inspector.model.marks import mark_now
from inspector.model.past import past_snapshot
from inspector.model.past_rows import with_counters
from inspector.model.snapshot import UNKNOWN, Snapshot, TargetState
from inspector.vocabulary import Reference, Resource
from tests.helpers.equality import same
from tests.helpers.snapshots import T0, Row, make_vitals, snapshot_of, with_state

AT = T0 - 30
STAYED = Row(1, age_secs=50, strong=7)
DIED_SINCE = Row(2, reference=Reference.DROPPED, age_secs=50, changed_secs=10, strong=0)
DIED_BEFORE = Row(3, reference=Reference.DROPPED, age_secs=50, changed_secs=40, strong=0)
BORN_SINCE = Row(4, age_secs=20)
OLDER = Row(5, age_secs=math.nan)
WAITED = Row(
    6, "Journal", resource=Resource.WAITING_OWNER, owner="worker-1", age_secs=99, changed_secs=45
)
OPENED = Row(7, "Journal", resource=Resource.CLOSED, age_secs=99, changed_secs=5)
NEWEST = snapshot_of([STAYED, DIED_SINCE, DIED_BEFORE, BORN_SINCE, OLDER, WAITED, OPENED])


def at_moment(items: int = 3, journals: int = 2, lists: int = 0) -> Snapshot:
    return past_snapshot(NEWEST, AT, make_vitals(AT, (lists, items, journals), (0, 0, 0)))


def table_at(past: Snapshot, query: ChangeQuery | None = None) -> ChangeTable:
    mark = mark_now(snapshot_of([STAYED, OLDER], at=T0 - 60), "attach")
    return with_counters(change_table(ChangeFacts(past, mark), query or ChangeQuery()))


def test_handles_that_lived_then_are_there_and_no_others() -> None:
    past = at_moment()
    wanted = [STAYED, DIED_SINCE, OLDER, WAITED, OPENED]
    assert past.handles.ids.tolist() == [row.id for row in wanted]
    assert set(past.handles.references.tolist()) == {Reference.LIVE}
    assert (past.taken_at, past.seen_at, past.missing) == (AT, T0, 0)
    assert past.is_past
    assert not NEWEST.is_past


def test_facts_that_may_have_changed_since_are_unknown() -> None:
    past = at_moment()
    assert set(past.handles.strong.tolist()) == {UNKNOWN}
    rows = dict(zip(past.handles.ids.tolist(), past.handles.resources.tolist(), strict=True))
    assert rows[WAITED.id] == Resource.WAITING_OWNER
    assert rows[OPENED.id] == Resource.NONE
    assert math.isnan(past.sampled_at)
    assert past.stacks == past.limits == ()
    assert {row.created for row in past.threads.values()} == {UNKNOWN}


def test_handles_without_a_row_are_counted_and_their_lines_are_unknown() -> None:
    past = at_moment(items=5, lists=4)
    assert past.missing == 6
    table = table_at(past)
    rows = {row.type_name: row for row in table.rows}
    assert {name: row.live for name, row in rows.items()} == {
        "TodoItem": 5,
        "TodoList": 4,
        "Journal": 2,
    }
    assert rows["TodoItem"].change == 3
    assert all(math.isnan(child.live) for child in rows["TodoItem"].children)
    assert [child.live for child in rows["Journal"].children] == [2]


@pytest.mark.parametrize(
    "query",
    [ChangeQuery(group_by=GroupBy.SITE), ChangeQuery(filter=parse("type:TodoItem"))],
)
def test_groups_and_filters_do_not_say_how_many_lived_when_some_have_no_row(
    query: ChangeQuery,
) -> None:
    assert all(math.isnan(row.live) for row in table_at(at_moment(items=5), query).rows)
    assert not any(math.isnan(row.live) for row in table_at(at_moment(), query).rows)


def test_an_earlier_moment_of_a_target_that_ended_is_a_record() -> None:
    over = with_state(NEWEST, TargetState.ENDED)
    past = past_snapshot(over, AT, make_vitals(AT, (0, 3, 2), (0, 0, 0)))
    assert past.target.state is TargetState.RECORDED
    assert past.target.ran


def test_an_earlier_moment_is_stored_as_such() -> None:
    past = at_moment(items=5)
    assert same(decode(encode(past)), past)
