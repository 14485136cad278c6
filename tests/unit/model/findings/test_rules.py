"""The rules on snapshots: suspects, sound cases, and reports that a rule cannot tell."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from inspector.model.events import Events
from inspector.model.findings.ahead import LimitsAhead
from inspector.model.findings.callbacks import FailedCallbacks
from inspector.model.findings.closing import CloseCoverage, LatePending, NeverClosed
from inspector.model.findings.coverage import NotFollowed
from inspector.model.findings.drift import CountDrifts
from inspector.model.findings.finding import Facts, Finding, Rule, Verdict
from inspector.model.findings.freed import FreedButHeld
from inspector.model.findings.judge import NONE_OUTSIDE, NOTHING_FOLLOWED, all_rules, judge
from inspector.model.findings.leads import Coverage, FailedCallback, Lead, LibraryLead
from inspector.model.findings.leaks import LeakSuspects
from inspector.model.findings.negative import NegativeReferences
from inspector.model.findings.orphans import Orphans
from inspector.model.findings.refused import RefusedUses
from inspector.model.findings.threads import OwnerEnded, WrongThread
from inspector.model.findings.trend import Trend
from inspector.model.limits import Limit
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.model.stacks import Frame, Site
from inspector.vocabulary import Level, Reference, Resource
from tests.helpers.events import events_of
from tests.helpers.snapshots import T0, Row, World, big_snapshot, handle_id, snapshot_of

SUSPECT, YOUNG, OK, UNMEASURED = Verdict.SUSPECT, Verdict.YOUNG, Verdict.OK, Verdict.UNMEASURED


def found(
    rule: Rule, snapshots: Snapshot | Sequence[Snapshot], events: Events | None = None
) -> list[Finding]:
    observed = [snapshots] if isinstance(snapshots, Snapshot) else list(snapshots)
    trend = Trend()
    for snapshot in observed:
        trend.observe(snapshot)
    return list(rule.check(Facts(observed[-1], trend, events)))


def verdicts(
    rule: Rule, snapshots: Snapshot | Sequence[Snapshot], events: Events | None = None
) -> list[Verdict]:
    return [each.verdict for each in found(rule, snapshots, events)]


def growing(counts: Sequence[int], *, site: int = 1, lives_secs: float = 1e9) -> list[Snapshot]:
    """One snapshot a second with so many live handles, each made in the second in which it was
    first counted."""
    snapshots = []
    for at, count in enumerate(counts):
        born = [
            next((then for then in range(at + 1) if counts[then] > slot), at)
            for slot in range(count)
        ]
        rows = [
            Row(slot + 1, site=site, age_secs=min(at - then, lives_secs) + 0.5)
            for slot, then in enumerate(born)
        ]
        snapshots.append(snapshot_of(rows, at=T0 + at, serial=at + 1))
    return snapshots


def test_a_count_that_never_falls_back_is_a_leak_suspect() -> None:
    (finding,) = found(LeakSuspects(), growing([5 + 5 * n for n in range(10)]))
    assert finding.verdict is SUSPECT
    assert finding.subject == "TodoItem from app.py:41 add"
    assert finding.filter == 'type:"TodoItem" site:"app.py:41 add" state:live'
    assert finding.evidence[0] == "TodoItem: 5 → 50 live in 9.0 s, and never back"


@pytest.mark.parametrize("kind", ["uniffi_running", "uniffi_call", "uniffi_future"])
def test_calls_that_become_more_are_no_objects_that_leak(kind: str) -> None:
    snapshots = growing([5 + 5 * n for n in range(10)])
    calls = {
        index: dataclasses.replace(row, kind=kind) for index, row in snapshots[-1].types.items()
    }
    assert verdicts(
        LeakSuspects(), [dataclasses.replace(snapshot, types=calls) for snapshot in snapshots]
    ) == [OK]


def test_growth_is_not_measured_while_instances_live_that_have_no_row() -> None:
    trend = Trend(min_gap_secs=0.0)
    snapshots = growing([40] * 10)
    for snapshot in snapshots:
        trend.observe(snapshot)
    (finding,) = LeakSuspects().check(Facts(snapshots[-1], trend, unseen=("rpds.HashTrieMap",)))
    assert (finding.verdict, finding.headline) == (
        UNMEASURED,
        ("Births cannot be seen of rpds.HashTrieMap"),
    )


def test_where_nothing_is_followed_no_rule_says_that_all_is_well() -> None:
    nothing = dataclasses.replace(snapshot_of(), types={})
    report = judge(Facts(nothing, Trend()))
    assert not [
        each for each in report.findings if each.verdict is OK and each.rule != "limit-ahead"
    ]
    assert report.undecided
    assert not report.is_decided
    assert report.conclusion().startswith(
        "Nothing is suspect so far, and it cannot be said yet of: "
    )


def test_from_outside_an_empty_table_does_not_say_that_the_program_has_nothing() -> None:
    seen = snapshot_of()
    outside = dataclasses.replace(
        seen, types={}, target=dataclasses.replace(seen.target, from_outside=True)
    )
    headlines = {
        each.headline
        for each in judge(Facts(outside, Trend())).findings
        if each.verdict is UNMEASURED
    }
    assert NOTHING_FOLLOWED not in headlines
    assert NONE_OUTSIDE in headlines


def test_classes_that_nobody_follows_are_told_with_the_way_to_follow_them_and_never_as_well() -> (
    None
):
    nothing = dataclasses.replace(snapshot_of(), types={})
    lead = Lead((LibraryLead("rpds", "PyO3 0.29.3", 9, 1204, module="rpds.rpds"),))
    (told,) = NotFollowed().check(Facts(nothing, Trend(), lead=lead))
    assert (told.verdict, told.headline) == (
        UNMEASURED,
        "rpds (PyO3 0.29.3): 9 classes, about 1,204 objects alive",
    )
    assert "rpds.rpds.*" in told.evidence[0]
    (unknown,) = NotFollowed().check(Facts(nothing, Trend()))
    assert unknown.verdict is UNMEASURED
    (none,) = NotFollowed().check(Facts(nothing, Trend(), lead=Lead()))
    assert none.verdict is OK
    assert told in judge(Facts(nothing, Trend(), lead=lead)).findings


def test_a_callback_that_fails_is_named_with_its_place_and_objects() -> None:
    snapshot = snapshot_of([Row(1)])
    failed = (
        FailedCallback(
            "Listener.on_event", "ValueError", "app.py:12 on_event", 3, ((handle_id(1), 2),)
        ),
    )
    (told,) = FailedCallbacks().check(Facts(snapshot, Trend(), failed=failed))
    assert (told.verdict, told.headline) == (
        SUSPECT,
        ("Listener.on_event failed 3 times: ValueError at app.py:12 on_event"),
    )
    assert told.handles == (handle_id(1),)
    assert [each.verdict for each in FailedCallbacks().check(Facts(snapshot, Trend()))] == [
        UNMEASURED
    ]
    assert [
        each.verdict for each in FailedCallbacks().check(Facts(snapshot, Trend(), failed=()))
    ] == [OK]
    coverage = Coverage(failed=failed)
    assert (
        coverage.failures_of(handle_id(1)),
        coverage.failures_of(handle_id(2)),
        Coverage().failures_of(1),
    ) == (2, 0, None)


def test_the_failed_calls_of_an_object_are_told_or_unknown_where_objects_were_not_told_apart() -> (
    None
):
    first, second = handle_id(1), handle_id(2)
    older = FailedCallback(
        "Listener.on_event", "ValueError", "app.py:12 on_event", 3, ((first, 2), (second, 1))
    )
    newer = FailedCallback(
        "Listener.on_end", "KeyError", "", 1, ((first, 1),), newest_of=frozenset({first})
    )
    coverage = Coverage(failed=(older, newer))
    assert coverage.failures_text(first) == (
        "3, last in Listener.on_end at a place that is not in Python (KeyError)"
    )
    assert coverage.failures_text(second) == "1"
    assert coverage.failures_text(handle_id(3)) == "0"
    many = Coverage(failed=(dataclasses.replace(older, has_more_objects=True),))
    assert (many.failures_text(first), many.failures_text(handle_id(3))) == ("2", "–")
    assert Coverage().failures_text(first) == "–"


def test_orphans_are_not_measured_where_calls_are_not_recorded() -> None:
    snapshot = snapshot_of([Row(1, age_secs=40)])
    types = {
        index: dataclasses.replace(row, kind="uniffi") for index, row in snapshot.types.items()
    }
    events = events_of((T0, "create", handle_id(1)))
    assert verdicts(Orphans(), dataclasses.replace(snapshot, types=types), events) == [UNMEASURED]


def adopted(counts: Sequence[int]) -> list[Snapshot]:
    """A snapshot each second with so many live handles whose births were not seen."""
    unseen = [
        [Row(slot + 1, site=0, age_secs=math.nan) for slot in range(count)] for count in counts
    ]
    return [snapshot_of(rows, at=T0 + at, serial=at + 1) for at, rows in enumerate(unseen)]


def test_handles_whose_births_nobody_saw_grow_like_others() -> None:
    (finding,) = found(LeakSuspects(), adopted([300 + 30 * n for n in range(10)]))
    assert finding.verdict is SUSPECT
    assert finding.evidence[0] == "TodoItem: 300 → 570 live in 9.0 s, and never back"
    assert verdicts(LeakSuspects(), adopted([300] * 10)) == [OK]
    assert verdicts(LeakSuspects(), adopted([300, 600, *[900] * 8])) == [OK]


def test_the_place_that_left_most_is_named_first() -> None:
    snapshots = growing([0] * 10)
    for at in range(10):
        rows = [Row(slot + 1, site=2, age_secs=at - slot // 2 + 0.5) for slot in range(2 * at)]
        rows += [Row(100 + slot, site=3, age_secs=at - slot // 6 + 0.5) for slot in range(6 * at)]
        snapshots[at] = snapshot_of(rows, at=T0 + at, serial=at + 1)
    assert [each.subject for each in found(LeakSuspects(), snapshots)] == [
        "TodoItem from sync.py:88 sync",
        "TodoItem from storage.py:12 open_journal",
    ]


@pytest.mark.parametrize(
    "counts",
    [
        [40] * 10,
        [5, 50, 5, 50, 5, 50, 5, 50, 5, 50],
        [5, 90, 90, 90, 90, 90, 90, 90, 90, 90],
        [90, 80, 70, 60, 50, 40, 30, 20, 10, 5],
        [5, 6, 6, 7, 7, 8, 8, 9, 9, 9],
    ],
    ids=["level", "burst", "filled once", "shrinks", "grows a little"],
)
def test_what_falls_back_or_stands_still_is_no_leak(counts: list[int]) -> None:
    assert verdicts(LeakSuspects(), growing(counts)) == [OK]


def test_growth_of_handles_that_do_not_stay_is_no_leak() -> None:
    assert verdicts(LeakSuspects(), growing([10 * n for n in range(1, 11)], lives_secs=0.1)) == [OK]


def test_growth_is_not_judged_too_soon() -> None:
    assert verdicts(LeakSuspects(), growing([5, 10, 15])) == [YOUNG]


@pytest.mark.parametrize("every", [1, 2, 3, 4, 6])
@pytest.mark.parametrize(
    ("counts", "verdict"),
    [([5 + 5 * n for n in range(25)], SUSPECT), ([40] * 25, OK), ([5] + [90] * 24, OK)],
    ids=["leak", "level", "filled"],
)
def test_growth_is_judged_alike_however_many_looks_fit_into_the_time(
    counts: list[int], verdict: Verdict, every: int
) -> None:
    assert verdicts(LeakSuspects(), growing(counts)[::every]) == [verdict]


def test_growth_is_not_judged_when_a_quarter_of_the_time_was_not_looked_at() -> None:
    snapshots = growing([5 + 5 * n for n in range(25)])
    assert verdicts(LeakSuspects(), [*snapshots[:6], *snapshots[18:]]) == [YOUNG]


def drifting(strong: Sequence[int]) -> list[Snapshot]:
    return [
        snapshot_of([Row(1, strong=count, native_refs=count - 1)], at=T0 + at, serial=at + 1)
        for at, count in enumerate(strong)
    ]


def test_references_that_only_rise_drift_and_are_compared_with_the_calls() -> None:
    calls = events_of(
        *((T0 + at, kind, handle_id(1)) for at in range(6) for kind in ("borrow", "return"))
    )
    (finding,) = found(CountDrifts(), drifting([2, 3, 4, 5, 6, 7, 8]), calls)
    assert finding.verdict is SUSPECT
    assert finding.evidence[1] == "6 calls used that handle: about 1.0 more for each"
    assert "from 1 to 7 native references" in finding.evidence[0]


@pytest.mark.parametrize(
    "strong",
    [[2] * 7, [2, 3, 4, 2, 3, 4, 2], [2, 9, 9, 9, 9, 9, 9]],
    ids=["level", "falls", "once"],
)
def test_references_that_are_given_back_do_not_drift(strong: list[int]) -> None:
    assert verdicts(CountDrifts(), drifting(strong)) == [OK]


@pytest.mark.parametrize("every", [1, 2, 4])
@pytest.mark.parametrize(
    ("burst_secs", "verdict"), [(0.4, OK), (24.0, SUSPECT)], ids=["a burst", "drift"]
)
def test_drift_is_judged_alike_however_many_looks_fit_into_the_time(
    every: int, burst_secs: float, verdict: Verdict
) -> None:
    rising = [min(1.0, at / burst_secs) for at in np.arange(0.0, 24.0, 0.1)]
    snapshots = [
        snapshot_of(
            [Row(1, strong=2 + int(9 * part), native_refs=1 + int(9 * part))], at=T0 + at / 10
        )
        for at, part in enumerate(rising)
    ]
    trend = Trend(min_gap_secs=0.0)
    for snapshot in snapshots[::every]:
        trend.observe(snapshot)
    assert [each.verdict for each in CountDrifts().check(Facts(snapshots[-1], trend))] == [verdict]


def test_unknown_counts_do_not_drift() -> None:
    unknown = [
        snapshot_of([Row(1, strong=UNKNOWN, native_refs=UNKNOWN)], at=T0 + at, serial=at + 1)
        for at in range(7)
    ]
    assert verdicts(CountDrifts(), unknown) == [UNMEASURED]
    assert verdicts(CountDrifts(), drifting([2, 3])) == [YOUNG]


def test_fewer_references_than_handles_are_a_double_free_to_come() -> None:
    rows = [
        Row(slot, address=64, strong=1, proxies=2, native_refs=-1, site=slot) for slot in (1, 2)
    ]
    (finding,) = found(NegativeReferences(), snapshot_of(rows))
    assert finding.verdict is SUSPECT
    assert finding.evidence[0] == "Strong count 1, but 2 handles: 1 missing"
    assert finding.handles == (rows[0].id, rows[1].id)


@pytest.mark.parametrize(
    "row",
    [
        Row(1, strong=1, proxies=2, native_refs=-1, changing=True),
        Row(1, strong=3, proxies=2, native_refs=1),
    ],
    ids=["changing", "enough"],
)
def test_rows_that_are_being_written_are_not_judged_and_enough_references_are_no_finding(
    row: Row,
) -> None:
    assert verdicts(NegativeReferences(), snapshot_of([row])) == [OK]


def test_without_counts_nothing_is_said_of_double_frees() -> None:
    assert verdicts(
        NegativeReferences(), snapshot_of([Row(1, strong=UNKNOWN, native_refs=UNKNOWN)])
    ) == [UNMEASURED]


def test_a_double_free_to_come_is_found_however_young_the_handles_are() -> None:
    first = Row(1, address=64, strong=1, proxies=2, native_refs=-1)
    born_now = dataclasses.replace(first, slot=2, age_secs=0.0, changed_secs=0.0)
    copied = dataclasses.replace(first, slot=2, age_secs=math.nan, changed_secs=math.nan)
    assert [
        verdicts(NegativeReferences(), snapshot_of([first, other])) for other in (born_now, copied)
    ] == [[SUSPECT]] * 2


def ended(closed: int, never_closed: int, rows: Sequence[Row] = ()) -> Snapshot:
    snapshot = snapshot_of(rows)
    types = {
        index: dataclasses.replace(row, closed=closed, never_closed=never_closed)
        if row.closes
        else row
        for index, row in snapshot.types.items()
    }
    return dataclasses.replace(snapshot, types=types)


def test_a_resource_dropped_open_is_suspect_also_when_its_tombstone_is_gone() -> None:
    dropped = Row(
        1, type="Journal", reference=Reference.DROPPED, resource=Resource.NEVER_CLOSED, site=2
    )
    (finding,) = found(NeverClosed(), ended(3, 1, [dropped]))
    assert (finding.verdict, finding.subject) == (
        SUSPECT,
        ("Journal from storage.py:12 open_journal"),
    )
    (forgotten,) = found(NeverClosed(), ended(3, 1))
    assert (forgotten.verdict, forgotten.subject) == (SUSPECT, "Journal")
    assert verdicts(NeverClosed(), ended(3, 0)) == [OK]
    assert verdicts(NeverClosed(), snapshot_of(world=World(types=("TodoItem",)))) == [UNMEASURED]


def test_a_resource_that_could_not_be_asked_at_its_end_is_neither_accused_nor_called_closed() -> (
    None
):
    unasked = Row(1, type="Journal", reference=Reference.DROPPED, resource=Resource.UNKNOWN)
    (finding,) = found(NeverClosed(), ended(3, 0, [unasked]))
    assert (finding.verdict, finding.headline[:18]) == (UNMEASURED, "1 resource dropped")


@pytest.mark.parametrize(
    ("closed", "never_closed", "verdict"),
    [(96, 4, OK), (90, 10, SUSPECT), (2, 2, YOUNG), (0, 0, YOUNG)],
)
def test_close_coverage_is_judged_by_its_share(
    closed: int, never_closed: int, verdict: Verdict
) -> None:
    assert verdicts(CloseCoverage(), ended(closed, never_closed)) == [verdict]


def test_a_close_that_waits_too_long_is_suspect_with_its_reason() -> None:
    def waiting(secs: float) -> Row:
        return Row(1, type="Journal", resource=Resource.DRAINING, in_flight=1, changed_secs=secs)

    (finding,) = found(LatePending(), snapshot_of([waiting(41)]))
    assert finding.verdict is SUSPECT
    assert finding.headline == "1 close of Journal waiting, the oldest for 41 s"
    assert finding.evidence[0] == "Waits for a call in flight"
    assert verdicts(LatePending(), snapshot_of([waiting(3)])) == [OK]
    assert verdicts(LatePending(), snapshot_of([waiting(float("nan"))])) == [OK]


def test_an_owner_that_ended_is_suspect_unless_the_resource_is_closed() -> None:
    world = World(ended_threads=("worker-1",))

    def owned(owner: str, resource: Resource = Resource.OPEN) -> Snapshot:
        return snapshot_of([Row(1, type="Journal", resource=resource, owner=owner)], world=world)

    assert verdicts(OwnerEnded(), owned("worker-1")) == [SUSPECT]
    assert verdicts(OwnerEnded(), owned("worker-2")) == [OK]
    assert verdicts(OwnerEnded(), owned("worker-1", Resource.CLOSED)) == [OK]
    assert verdicts(OwnerEnded(), owned("")) == [UNMEASURED]


def test_letting_go_on_another_thread_is_suspect_unless_it_was_closed() -> None:
    def gone(last: str, resource: Resource = Resource.NEVER_CLOSED) -> Snapshot:
        row = Row(
            1,
            type="Journal",
            reference=Reference.DROPPED,
            resource=resource,
            owner="worker-1",
            last_thread=last,
        )
        return snapshot_of([row])

    (finding,) = found(WrongThread(), gone("worker-2"))
    assert finding.verdict is SUSPECT
    assert finding.evidence[0] == "Owned by worker-1, released on worker-2"
    assert verdicts(WrongThread(), gone("worker-1")) == [OK]
    assert verdicts(WrongThread(), gone("worker-2", Resource.CLOSED)) == [OK]


def test_refused_uses_are_told_by_kind_with_their_places() -> None:
    snapshot = snapshot_of([Row(1)], lost={"misuse_closed": 2, "misuse_stale": 1})
    uses = events_of((T0, "misuse", handle_id(1), 5), site=2)
    told = found(RefusedUses(), snapshot, uses)
    assert [each.subject for each in told] == ["uses of a closed resource", "uses after release"]
    assert told[0].evidence[1] == (
        "Newest refused use: #1.1 on MainThread at storage.py:12 open_journal ← app.py:7 main"
    )
    assert "level history" in found(RefusedUses(), snapshot)[0].evidence[1]
    assert verdicts(RefusedUses(), snapshot_of([Row(1)])) == [OK]
    off = dataclasses.replace(
        snapshot_of(), target=dataclasses.replace(snapshot_of().target, level=Level.OFF)
    )
    assert verdicts(RefusedUses(), off) == [UNMEASURED]


def test_a_use_after_close_tells_where_it_was_closed_and_that_a_level_records_no_whole_stack() -> (
    None
):
    events = events_of(
        (T0 - 2, "create", handle_id(1)),
        (T0 - 1, "close_request", handle_id(1)),
        (T0, "misuse", handle_id(1), 5),
        site=2,
    )
    at_stacks = snapshot_of([Row(1)], lost={"misuse_closed": 1})
    at_stacks = dataclasses.replace(
        at_stacks, target=dataclasses.replace(at_stacks.target, level=Level.STACKS)
    )
    at_history = dataclasses.replace(
        at_stacks, target=dataclasses.replace(at_stacks.target, level=Level.HISTORY)
    )
    (told,) = found(RefusedUses(), at_stacks, events)
    assert told.evidence[2:] == (
        ("#1.1 was closed on MainThread at storage.py:12 open_journal ← app.py:7 main"),
    )
    (told,) = found(RefusedUses(), at_history, events)
    assert told.evidence[3:] == (
        ("Each stack is recorded by its innermost line alone; level stacks records all lines"),
    )


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


def limited(used: Sequence[int], capacity: int = 1000) -> list[Snapshot]:
    return [
        dataclasses.replace(
            snapshot_of(at=T0 + at, serial=at + 1),
            limits=(Limit("file descriptors", count, capacity),),
        )
        for at, count in enumerate(used)
    ]


def test_a_limit_is_told_with_the_time_until_it_is_reached() -> None:
    (finding,) = found(LimitsAhead(), limited([300 + 10 * n for n in range(10)]))
    assert finding.headline == "390 of 1,000 file descriptors in use, used up in 61 s at this rate"
    assert finding.evidence == ("39% used", "+10.0 each second over 9.0 s")
    assert verdicts(LimitsAhead(), limited([900])) == [SUSPECT]


def test_a_limit_that_is_far_is_no_finding() -> None:
    assert verdicts(LimitsAhead(), limited([300] * 10)) == [OK]
    assert verdicts(LimitsAhead(), limited([10 + n for n in range(10)])) == [OK]
    assert verdicts(LimitsAhead(), snapshot_of()) == [UNMEASURED]


def test_suspects_come_first_muted_ones_after_them() -> None:
    snapshot = ended(
        1, 9, [Row(1, type="Journal", reference=Reference.DROPPED, resource=Resource.NEVER_CLOSED)]
    )
    trend = Trend()
    trend.observe(snapshot)
    report = judge(Facts(snapshot, trend), mutes={"close-coverage: Journal": "known"})
    assert [(each.rule, each.muted) for each in report.findings[:2]] == [
        ("never-closed", ""),
        ("close-coverage", "known"),
    ]
    assert len(report.suspects()) == 1
    assert {each.rule for each in report.findings} == {rule.key for rule in all_rules()}
    assert all(rule.title and rule.about for rule in all_rules())


def test_nothing_at_all_is_no_finding() -> None:
    trend = Trend()
    trend.observe(snapshot_of())
    assert not judge(Facts(snapshot_of(), trend)).suspects()


def test_a_trend_is_bounded_and_begins_anew_with_another_target() -> None:
    trend = Trend(capacity=20)
    for at in range(100):
        trend.observe(snapshot_of([Row(1)], at=T0 + at))
    assert len(trend.observations) <= 20
    assert trend.span_secs == 99
    assert not trend.observe(snapshot_of([Row(1)], at=T0 + 99))
    other = snapshot_of([Row(1)], at=T0 + 200)
    trend.observe(dataclasses.replace(other, target=dataclasses.replace(other.target, pid=1)))
    assert trend.span_secs == 0


def test_drift_is_followed_by_the_oldest_handle_of_an_object() -> None:
    trend = Trend()
    for at, rows in enumerate(
        ([Row(5, address=64)], [Row(5, address=64), Row(1, address=64, age_secs=0.1)])
    ):
        trend.observe(snapshot_of(rows, at=T0 + at))
    assert list(trend.drift.ids) == [handle_id(5)]


def test_a_hundred_thousand_handles_are_judged_whole() -> None:
    trend = Trend()
    for at in range(3):
        assert trend.observe(
            big_snapshot(100_000, at=T0 + at, serial=at + 1, tombstones=5000, pending=300)
        )
    report = judge(Facts(big_snapshot(100_000, at=T0 + 2, tombstones=5000, pending=300), trend))
    assert np.isfinite(report.at)
    assert len(trend.drift.ids) == 95_000


@pytest.mark.parametrize(
    ("site", "callers"),
    [(1, ["Called from main.py:7 main"]), (2, []), (3, [])],
    ids=["whole stack", "one frame", "no site"],
)
def test_the_callers_of_a_leak_s_place_are_told_where_whole_stacks_were_recorded(
    site: int, callers: list[str]
) -> None:
    frames = (Frame("add", "/srv/app.py", 41), Frame("main", "/srv/main.py", 7))
    sites = {1: Site(1, frames), 2: Site(2, frames[:1])}
    snapshots = [
        dataclasses.replace(each, sites=sites)
        for each in growing([5 + 5 * n for n in range(10)], site=site)
    ]
    (finding,) = found(LeakSuspects(), snapshots)
    assert finding.verdict is SUSPECT
    assert [line for line in finding.evidence if line.startswith("Called from")] == callers


def with_kind(snapshot: Snapshot, kind: str) -> Snapshot:
    types = {index: dataclasses.replace(row, kind=kind) for index, row in snapshot.types.items()}
    return dataclasses.replace(snapshot, types=types)


def test_a_proxy_that_outlives_its_release_is_suspect() -> None:
    snapshot = with_kind(
        snapshot_of([Row(1), Row(2, resource=Resource.FREED, strong=UNKNOWN)]), "uniffi"
    )
    (finding,) = found(FreedButHeld(), snapshot)
    assert finding.verdict is SUSPECT
    assert finding.headline == "1 proxy of TodoItem freed, but Python still has it"
    assert finding.handles == (handle_id(2),)


def test_freed_proxies_are_not_measured_where_no_finaliser_is_followed() -> None:
    rows = [Row(1), Row(2, reference=Reference.RELEASED, resource=Resource.FREED)]
    assert verdicts(FreedButHeld(), snapshot_of(rows)) == [UNMEASURED]
    followed = with_kind(snapshot_of(rows), "uniffi_trait")
    assert verdicts(FreedButHeld(), followed) == [OK]
    outside = dataclasses.replace(
        followed, target=dataclasses.replace(followed.target, from_outside=True)
    )
    assert verdicts(FreedButHeld(), outside) == [UNMEASURED]


def test_a_finding_muted_by_the_innermost_line_of_its_site_stays_muted() -> None:
    frames = (
        Frame("run", "/usr/lib/python3.11/asyncio/events.py", 84),
        Frame("add", "/srv/app.py", 41),
    )
    snapshot = ended(
        3, 1, [Row(1, "Journal", reference=Reference.DROPPED, resource=Resource.NEVER_CLOSED)]
    )
    snapshot = dataclasses.replace(snapshot, sites={1: Site(1, frames)})
    (finding,) = found(NeverClosed(), snapshot)
    assert finding.subject == "Journal from app.py:41 add"
    former = "never-closed: Journal from events.py:84 run"
    for key in (finding.key, former):
        report = judge(Facts(snapshot, Trend()), (NeverClosed(),), {key: "known"})
        assert [(each.muted, each.mute_key) for each in report.findings] == [("known", key)]
