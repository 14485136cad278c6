"""Kinds of defect in UniFFI packages: the inspector's rules find each, and name the place first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inspector.model.findings.drift import CountDrifts
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.judge import judge
from inspector.model.findings.negative import NegativeReferences
from inspector.model.findings.trend import Trend
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Level
from tests.helpers.targets import start_target
from tests.helpers.watching import counts, watched

ROUNDS = 6


def native(kind: str) -> Callable[[Snapshot], int | None]:
    """Looks at the resting native references of the type's only object; ``None``: not known."""

    def look(snapshot: Snapshot) -> int | None:
        found = {references for *_, references in counts(kind)(snapshot)}
        return found.pop() if len(found) == 1 else None

    return look


def drifted(
    program: str,
    first: tuple[str, ...],
    step: str,
    last: tuple[str, ...],
    kind: str,
    *,
    per_round: int,
) -> list[Finding]:
    """The drift rule's findings after rounds of ``step``; ``last`` undoes their effects."""
    with (
        start_target(program) as target,
        watched(target.ready["segment"], level=Level.STACKS) as watch,
    ):
        watch.until(lambda snapshot: snapshot.target.level, Level.STACKS)
        for line in first:
            target.ask(line)
        trend = Trend(min_gap_secs=0.0, rise_gap_secs=0.0)
        for number in range(ROUNDS + 1):
            watch.sampled_from_now()
            seen = watch.until(native(kind), number * per_round)
            trend.observe(seen)
            if number < ROUNDS:
                target.ask(step)
        for line in last:
            target.ask(line)
        return list(judge(Facts(seen, trend, None), (CountDrifts(),)).findings)


def negative(
    *steps: str, expected: int, wanted: Verdict | None = None, last: tuple[str, ...] = ()
) -> Finding:
    """The finding of too few references on an amount after these steps."""
    with (
        start_target("bdk_steps") as target,
        watched(target.ready["segment"], level=Level.STACKS) as watch,
    ):
        watch.until(lambda snapshot: snapshot.target.level, Level.STACKS)
        for line in steps:
            target.ask(line)
        watch.until(native("Amount"), expected)
        seen = watch.sampled_from_now()
        if wanted is not None:
            seen = watch.until(lambda snapshot: references_of(snapshot).verdict, wanted)
        for line in last:
            target.ask(line)
        return references_of(seen)


def references_of(snapshot: Snapshot) -> Finding:
    """The finding of too few references on a snapshot with one object."""
    (found,) = judge(
        Facts(snapshot, Trend(min_gap_secs=0.0), None), (NegativeReferences(),)
    ).findings
    return found


@pytest.mark.parametrize(
    ("program", "first", "step", "last", "kind", "place"),
    [
        ("bdk_steps", ("builder t",), "fail_to_lower t 2", (), "TxBuilder", "bdk_steps.py"),
        ("nostr_steps", ("search f",), "fail_to_lower f 2", (), "Filter", "nostr_steps.py"),
        (
            "nostr_steps",
            ("client c", "database d c"),
            "leak_clones d 2",
            ("return_clones d",),
            "NostrDatabaseImpl",
            "nostr_steps.py",
        ),
    ],
    ids=["lowering in bdk", "lowering in nostr", "outer Arc of a trait"],
)
def test_clones_that_calls_leave_behind_are_a_drift_that_names_where_the_object_was_made(
    program: str, first: tuple[str, ...], step: str, last: tuple[str, ...], kind: str, place: str
) -> None:
    (found,) = drifted(program, first, step, last, kind, per_round=2)
    assert found.verdict is Verdict.SUSPECT, found
    assert kind in found.subject
    assert place in found.subject
    assert f"to {2 * ROUNDS:,} native references" in found.evidence[0]


def test_calls_that_give_back_what_they_took_do_not_drift() -> None:
    (found,) = drifted("nostr_steps", ("client c",), "relays c", (), "Client", per_round=0)
    assert found.verdict is Verdict.OK, found


def test_a_copied_proxy_is_a_double_free_to_come_that_names_where_the_object_was_made() -> None:
    found = negative(
        "amount a 5",
        "duplicate b a",
        expected=-1,
        wanted=Verdict.SUSPECT,
        last=("disarm b", "drop b"),
    )
    assert found.verdict is Verdict.SUSPECT, found
    assert "Amount" in found.subject
    assert "bdk_steps.py" in found.subject
    assert len(found.handles) == 2


def test_a_proxy_that_was_lifted_again_is_no_double_free() -> None:
    found = negative("amount a 5", "share b a", expected=0)
    assert found.verdict is Verdict.OK, found
