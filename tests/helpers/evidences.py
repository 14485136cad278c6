"""Evidence for tests of exports: of a hostile target, and of a leaking one."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from inspector.model.exports.evidence import Evidence, HeldBy
from inspector.model.findings.finding import Finding, Verdict
from inspector.model.findings.judge import Report, all_rules
from inspector.model.holders import (
    NamedHolder,
    NativeHolders,
    PathStep,
    RetainerPath,
    Retainers,
)
from inspector.model.snapshot import Snapshot
from inspector.model.stacks import Frame, Site
from inspector.vocabulary import Resource
from tests.helpers.snapshots import T0, Row, World, make_vitals, snapshot_of

HOSTILE = '<script>alert("1")</script>\'"><img src=x onerror=y>&amp;|`=[a](b)'
"""A name that is markup in each of the formats."""


def evidence_of(name: str, *, rows: int = 3) -> Evidence:
    """A suspect with holders, a pending close, stacks and a course, with ``name`` in every text."""
    snapshot = _snapshot(name, rows)
    report = Report(
        at=T0,
        findings=(
            Finding(
                "leak-suspect",
                Verdict.SUSPECT,
                f"{name} grows",
                evidence=(f"{name} is made by {name}",),
                handles=(Row(1).id,),
            ),
        ),
        rules=all_rules(),
        observed_secs=6.0,
    )
    path = RetainerPath((PathStep("global", f"global {name}", name, 7),), is_rooted=True)
    retainers = Retainers((path,), 1, 10, is_cut=False, longest_step_secs=0.0)
    held = HeldBy(NativeHolders((NamedHolder(name, 2),)), retainers)
    lives = [make_vitals(T0 - 10 + at, (at, 2), (0, 1)) for at in range(5)]
    return Evidence(
        snapshot,
        report,
        course=tuple(lives),
        holders=MappingProxyType({Row(1).id: held}),
        program="arc-inspector 0",
    )


def _snapshot(name: str, rows: int) -> Snapshot:
    world = World(types=(name, "Journal"), threads=(name, "worker"))
    snapshot = snapshot_of(
        [
            *(Row(slot, name, thread=name) for slot in range(1, rows + 1)),
            Row(rows + 1, "Journal", thread=name, resource=Resource.DRAINING, in_flight=1),
        ],
        world=world,
        lost={"events": 2},
    )
    frames = (Frame(name, f"/srv/{name}.py", 3), Frame("main", "/srv/main.py", 1))
    return replace(
        snapshot,
        target=replace(snapshot.target, name=name, reason=name),
        sites=MappingProxyType({1: Site(1, frames)}),
        notes=(name,),
    )
