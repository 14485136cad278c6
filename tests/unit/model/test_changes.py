from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

from inspector.model.change_facts import ChangeFacts
from inspector.model.change_groups import GroupBy
from inspector.model.change_trends import ChangeTrends
from inspector.model.changes import (
    ChangeQuery,
    ChangeRow,
    ChangeTable,
    RowKind,
    change_table,
)
from inspector.model.filter import parse
from inspector.model.findings.finding import Finding, Verdict
from inspector.model.marks import mark_now
from inspector.model.rates import RateWindow
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.survivors import oldest_survivors
from inspector.vocabulary import Reference, Resource
from tests.helpers.snapshots import T0, Row, make_vitals, snapshot_of, with_state

FOREIGN = "uniffi_foreign"
LEAKED = Row(5).id
BEFORE = snapshot_of([Row(1), Row(2), Row(3, "Journal", site=2)], at=T0)
AFTER = snapshot_of(
    [
        Row(1, age_secs=100),
        Row(2, reference=Reference.DROPPED, changed_secs=20),
        Row(3, "Journal", site=2, resource=Resource.CLOSE_REQUESTED, age_secs=100),
        *(Row(slot, age_secs=5, site=3, thread="worker-1") for slot in range(4, 9)),
    ],
    at=T0 + 30,
)


def table_of(snapshot: Snapshot, query: ChangeQuery | None = None, **facts: object) -> ChangeTable:
    mark = mark_now(BEFORE, "attach")
    made = ChangeFacts(snapshot, mark, **facts)  # type: ignore[arg-type]
    return change_table(made, query or ChangeQuery())


def short(rows: tuple[ChangeRow, ...]) -> list[tuple[str, float, float]]:
    return [(row.title, row.live, row.change) for row in rows]


def test_the_largest_change_comes_first_with_its_lines_below() -> None:
    rows = table_of(AFTER).rows
    assert short(rows) == [("TodoItem", 6, 4), ("Journal", 1, 0)]
    assert short(rows[0].children) == [("sync.py:88 sync", 5, 5), ("app.py:41 add", 1, -1)]


def test_a_row_knows_rate_oldest_handle_waits_and_filter() -> None:
    items, journal = table_of(AFTER).rows
    assert items.per_min == 8
    assert AFTER.taken_at - items.oldest_at == 100
    assert (items.waits, journal.waits) == (0, 1)
    assert items.children[0].filter == 'type:"TodoItem" site:"sync.py:88 sync" state:live'


def test_without_a_baseline_changes_are_unknown_and_the_order_is_by_live_handles() -> None:
    table = change_table(ChangeFacts(AFTER), ChangeQuery())
    assert [math.isnan(row.change) for row in table.rows] == [True, True]
    assert [row.title for row in table.rows] == ["TodoItem", "Journal"]
    assert table.reason == "No baseline of this process has been taken yet"


def test_a_filter_that_keeps_a_part_of_a_line_leaves_its_change_unknown() -> None:
    table = table_of(AFTER, ChangeQuery(filter=parse("age>50s")))
    journal, items = table.rows
    assert (items.live, math.isnan(items.change)) == (1, True)
    assert (journal.live, journal.change) == (1, 0)
    assert short(items.children) == [("app.py:41 add", 1, -1)]


def test_a_filter_shows_only_rows_that_match() -> None:
    table = table_of(AFTER, ChangeQuery(filter=parse("type:Journal")))
    assert short(table.rows) == [("Journal", 1, 0)]
    assert (table.live, table.dead) == (1, 0)


def test_it_groups_by_line_and_by_thread() -> None:
    by_line = table_of(AFTER, ChangeQuery(GroupBy.SITE))
    assert [row.title for row in by_line.rows] == [
        "sync.py:88 sync",
        "storage.py:12 open_journal",
        "app.py:41 add",
    ]
    by_thread = table_of(AFTER, ChangeQuery(GroupBy.THREAD))
    assert short(by_thread.rows) == [("worker-1", 5, 5), ("MainThread", 2, -1)]


def test_marks_are_borders_of_generations() -> None:
    marks = (mark_now(BEFORE, "attach"),)
    rows = table_of(AFTER, ChangeQuery(GroupBy.MARK), marks=marks).rows
    assert [(row.title[:12], row.live) for row in rows] == [
        ("since attach", 5),
        ("before attac", 2),
    ]


def test_handles_that_were_asked_about_are_grouped_by_their_holder() -> None:
    holders = {Row(4).id: "app.CACHE", Row(5).id: "app.CACHE", Row(6).id: "app.LATER"}
    rows = table_of(AFTER, ChangeQuery(GroupBy.HOLDER), holders=holders).rows
    assert [(row.title, row.live) for row in rows] == [
        ("not looked at", 4),
        ("app.CACHE", 2),
        ("app.LATER", 1),
    ]
    assert all(math.isnan(row.change) for row in rows)


def test_an_opened_line_lists_its_handles_the_oldest_first() -> None:
    key = table_of(AFTER).rows[0].children[0].key
    table = table_of(AFTER, ChangeQuery(opened=frozenset({key})))
    handles = table.rows[0].children[0].children
    assert [row.title for row in handles] == [f"#{slot}.1  live" for slot in range(4, 9)]
    assert {row.kind for row in handles} == {RowKind.HANDLE}


def test_a_line_with_many_handles_says_how_many_are_left_out() -> None:
    many = snapshot_of([Row(slot) for slot in range(1, 131)], at=T0)
    key = change_table(ChangeFacts(many), ChangeQuery()).rows[0].children[0].key
    table = change_table(ChangeFacts(many), ChangeQuery(opened=frozenset({key})))
    handles = table.rows[0].children[0].children
    assert len(handles) == 101
    assert handles[-1].title == "30 more handles: group by None to list all"


def test_a_finding_stands_in_the_row_of_its_type_and_line() -> None:
    finding = Finding("leak-suspect", Verdict.SUSPECT, "grows", "TodoItem from sync.py:88 sync")
    items, journal = table_of(AFTER, findings=(finding,)).rows
    assert items.finding is finding
    assert [child.finding for child in items.children] == [finding, None]
    assert journal.finding is None


def test_births_by_line_are_unknown_when_dead_handles_have_left_the_table() -> None:
    line = table_of(AFTER).rows[0].children[0]
    assert (line.births, line.deaths) == (0, 0)
    fresh = snapshot_of([Row(1, age_secs=1), Row(2, reference=Reference.DROPPED, changed_secs=1)])
    fresh.vitals.released[1] = 900
    rows = change_table(ChangeFacts(fresh), ChangeQuery()).rows
    assert math.isnan(rows[0].children[0].births)


def test_a_target_that_ended_has_no_rates() -> None:
    ended = with_state(AFTER, TargetState.ENDED)
    rows = change_table(ChangeFacts(ended), ChangeQuery()).rows
    assert math.isnan(rows[0].births)
    assert math.isnan(rows[0].children[0].births)


def test_the_small_line_follows_the_live_count() -> None:
    trends = ChangeTrends()
    mark = mark_now(BEFORE, "attach")
    change_table(ChangeFacts(BEFORE, mark), ChangeQuery(), trends)
    table = change_table(ChangeFacts(AFTER, mark), ChangeQuery(), trends)
    assert table.rows[0].trend.values.tolist() == [2, 6]
    assert table.rows[0].children[0].trend.values.tolist() == [0, 5]


def test_a_mark_of_another_process_is_no_baseline() -> None:
    other = snapshot_of([Row(1)], at=T0)
    mark = mark_now(other, "old")
    object.__setattr__(mark, "process", (1, 1))
    assert change_table(ChangeFacts(AFTER, mark), ChangeQuery()).reason


def test_the_oldest_survivors_are_those_born_since_the_baseline() -> None:
    row = table_of(AFTER).rows[0]
    handles, count = oldest_survivors(AFTER, row, T0, 2)
    assert (handles, count) == ((Row(4).id, Row(5).id), 5)


def twins() -> Snapshot:
    """A type of Rust objects, and one of Python objects that Rust holds, of one name."""
    found = snapshot_of(
        [
            *(Row(slot, age_secs=5, site=3) for slot in range(4, 9)),
            Row(9, "Journal", site=3, age_secs=5),
        ],
        at=T0 + 30,
    )
    types = {
        index: replace(each, name="Keys", kind="uniffi" if each.name == "TodoItem" else FOREIGN)
        for index, each in found.types.items()
    }
    return replace(found, types=MappingProxyType(types))


def test_types_of_one_name_have_rows_titles_findings_and_survivors_of_their_own() -> None:
    snapshot = twins()
    suspect = Finding(
        "leak-suspect", Verdict.SUSPECT, "Keys grow", "Keys from sync.py:88 sync", handles=(LEAKED,)
    )
    rows = {row.title: row for row in table_of(snapshot, findings=(suspect,)).rows}
    assert sorted(rows) == ["Keys (Rust)", "Keys (held by Rust)"]
    assert rows["Keys (Rust)"].finding is suspect
    assert rows["Keys (held by Rust)"].finding is None
    assert {row.finding for row in rows["Keys (held by Rust)"].children} == {None}
    assert oldest_survivors(snapshot, rows["Keys (held by Rust)"], T0, 9) == ((Row(9).id,), 1)


def test_a_handle_in_the_list_has_the_finding_that_names_it() -> None:
    first, second = (
        Finding("r", Verdict.SUSPECT, name, f"{name} from sync.py:88 sync", handles=(Row(at).id,))
        for name, at in (("Journal", 9), ("TodoItem", 5))
    )
    key = table_of(AFTER).rows[0].children[0].key
    query = ChangeQuery(opened=frozenset({key}))
    (row,) = [
        row
        for row in table_of(AFTER, query, findings=(first, second)).rows[0].children[0].children
        if row.handle == Row(5).id
    ]
    assert row.finding is second


def test_a_target_without_a_handle_has_an_empty_table() -> None:
    empty = snapshot_of([])
    facts = ChangeFacts(empty, mark_now(empty, "attach"))
    assert change_table(facts, ChangeQuery(), ChangeTrends()).rows == ()


def test_a_recording_of_a_running_target_has_the_rates_of_its_moment() -> None:
    recorded = with_state(AFTER, TargetState.RECORDED)
    target = replace(recorded.target, state_then=str(TargetState.LIVE))
    recorded = replace(recorded, target=target)
    rates = RateWindow()
    for secs in (1, 0):
        rates.add(make_vitals(AFTER.taken_at - secs, (0, 100 - 8 * secs, 0), (0, 0, 0)))
    rows = change_table(ChangeFacts(recorded, rates=rates), ChangeQuery()).rows
    assert rows[0].births == 8


def test_lines_of_a_look_from_outside_have_no_rates() -> None:
    target = replace(AFTER.target, from_outside=True)
    seen = replace(AFTER, target=target)
    line = change_table(ChangeFacts(seen), ChangeQuery()).rows[0].children[0]
    assert math.isnan(line.births)
    assert math.isnan(line.deaths)
