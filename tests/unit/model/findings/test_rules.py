"""The rules on snapshots: suspects, sound cases, and reports that a rule cannot tell."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from inspector.model.build import LIMITED
from inspector.model.findings.ahead import LimitsAhead
from inspector.model.findings.callbacks import FailedCallbacks
from inspector.model.findings.closing import CloseCoverage, LatePending, NeverClosed
from inspector.model.findings.coverage import NotFollowed
from inspector.model.findings.finding import Facts, Verdict
from inspector.model.findings.freed import FreedButHeld
from inspector.model.findings.judge import NONE_OUTSIDE, NOTHING_FOLLOWED, all_rules, judge
from inspector.model.findings.leads import Coverage, FailedCallback, Lead, LibraryLead
from inspector.model.findings.negative import NegativeReferences
from inspector.model.findings.refused import RefusedUses
from inspector.model.findings.threads import OwnerEnded, WrongThread
from inspector.model.findings.trend import Trend
from inspector.model.limits import MEMORY, Limit
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.model.stacks import Frame, Site
from inspector.vocabulary import Level, Reference, Resource
from tests.helpers.events import events_of
from tests.helpers.snapshots import T0, Row, World, big_snapshot, handle_id, snapshot_of
from tests.unit.model.findings.judged import (
    OK,
    SUSPECT,
    UNMEASURED,
    YOUNG,
    ended,
    found,
    verdicts,
    with_kind,
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


@pytest.mark.parametrize("name", [*LIMITED.values(), MEMORY, "file descriptors"])
def test_the_nearest_limit_is_told_by_its_noun(name: str) -> None:
    snapshot = dataclasses.replace(
        snapshot_of(), limits=(Limit(name, 107, 12_000), Limit("other things", 0, 9))
    )
    (finding,) = found(LimitsAhead(), snapshot)
    assert finding.headline == (
        f"Nothing is nearly used up; the nearest limit: 107 of 12,000 {name} in use"
    )


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


def test_a_hundred_thousand_handles_are_judged_whole() -> None:
    trend = Trend()
    for at in range(3):
        assert trend.observe(
            big_snapshot(100_000, at=T0 + at, serial=at + 1, tombstones=5000, pending=300)
        )
    report = judge(Facts(big_snapshot(100_000, at=T0 + 2, tombstones=5000, pending=300), trend))
    assert np.isfinite(report.at)
    assert len(trend.drift.ids) == 95_000


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
