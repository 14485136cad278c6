"""Calls that do not end: the rule on them, and closing methods among the pending closes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from types import MappingProxyType

from inspector.model.findings.calls import LateCalls
from inspector.model.findings.closing import LatePending
from inspector.model.findings.finding import Facts, Finding, Rule, Verdict
from inspector.model.findings.trend import Trend
from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Kind, Reference
from tests.helpers.snapshots import T0, Row, World, snapshot_of

CALL = Kind.UNIFFI_CALL.word
KINDS = {
    "Client": "uniffi",
    "Client.fetch": CALL,
    "Client.shutdown": CALL,
    "Store.load": Kind.UNIFFI_FUTURE.word,
}
PLACE = "app.py:41 add"


def calls(*rows: Row, at: float = T0, serial: int = 1) -> Snapshot:
    """A client and calls of a UniFFI package."""
    snapshot = snapshot_of(
        [Row(1, type="Client"), *rows], at=at, serial=serial, world=World(types=tuple(KINDS))
    )
    types = {
        index: dataclasses.replace(row, kind=KINDS[row.name])
        for index, row in snapshot.types.items()
    }
    return dataclasses.replace(snapshot, types=MappingProxyType(types))


def found(rule: Rule, snapshots: Sequence[Snapshot]) -> list[Finding]:
    trend = Trend()
    for snapshot in snapshots:
        trend.observe(snapshot)
    return list(rule.check(Facts(snapshots[-1], trend)))


def test_a_call_that_does_not_end_is_told_with_its_age_and_its_line() -> None:
    (finding,) = found(LateCalls(), [calls(Row(2, type="Client.fetch", age_secs=42.0))])
    assert finding.verdict is Verdict.SUSPECT
    assert finding.headline == "1 call of Client.fetch not ended for 42 s"
    assert finding.subject == f"Client.fetch from {PLACE}"
    assert finding.evidence == (f"Called at {PLACE}", "On MainThread")


def test_a_python_call_that_native_code_awaits_is_told_too() -> None:
    (finding,) = found(LateCalls(), [calls(Row(2, type="Store.load", age_secs=15.0))])
    assert (finding.verdict, finding.headline) == (
        Verdict.SUSPECT,
        ("1 call of Store.load awaited by native code for 15 s"),
    )


def test_the_line_of_an_awaited_call_whose_start_was_not_seen_is_where_it_waited() -> None:
    looks = [
        calls(Row(2, type="Store.load", age_secs=math.nan), at=T0 + at, serial=at + 1)
        for at in (0, 5, 9, 12)
    ]
    (finding,) = found(LateCalls(), looks)
    assert finding.evidence[0] == f"Waited at {PLACE}"
    (early,) = found(LateCalls(), [calls(Row(2, type="Store.load", age_secs=15.0))])
    assert early.evidence[0] == f"Called at {PLACE}"


def test_a_call_that_began_before_anybody_looked_is_as_old_as_the_first_look() -> None:
    looks = [
        calls(Row(2, type="Client.fetch", age_secs=math.nan), at=T0 + at, serial=at + 1)
        for at in (0, 5, 9, 12)
    ]
    assert [each.verdict for each in found(LateCalls(), looks[:3])] == [Verdict.OK]
    assert [each.headline for each in found(LateCalls(), looks)] == [
        ("1 call of Client.fetch not ended for at least 12 s")
    ]


def test_short_and_ended_calls_are_well_and_without_a_package_nothing_is_measured() -> None:
    ended = Row(3, type="Client.fetch", age_secs=99.0, reference=Reference.RELEASED)
    assert [
        each.verdict
        for each in found(LateCalls(), [calls(Row(2, type="Client.fetch", age_secs=3.0), ended)])
    ] == [Verdict.OK]
    assert [each.verdict for each in found(LateCalls(), [snapshot_of([Row(1)])])] == [
        Verdict.UNMEASURED
    ]


def test_a_closing_method_that_has_not_ended_is_a_pending_close() -> None:
    snapshot = calls(
        Row(2, type="Client.shutdown", age_secs=20.0, changed_secs=20.0),
        Row(3, type="Client.fetch", age_secs=1.0),
    )
    closes = pending_closes(snapshot)
    assert [closes.type_name(row) for row in range(len(closes))] == ["Client.shutdown"]
    site = closes.request_site(0)
    assert (closes.reason(0), closes.requester(0)) == (
        ("Its closing method runs and has not ended"),
        "MainThread",
    )
    assert site is not None
    assert site.short() == PLACE
    (finding,) = found(LatePending(), [snapshot])
    assert finding.verdict is Verdict.SUSPECT
    assert finding.evidence == ("Its closing method runs and has not ended", f"Called at {PLACE}")
    assert [each.verdict for each in found(LateCalls(), [snapshot])] == [Verdict.OK]
