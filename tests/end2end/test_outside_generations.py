"""A look from outside and the agent agree for every generation of UniFFI, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from inspector.attach.outside.look import look
from inspector.model.snapshot import Snapshot
from inspector.session.outside_rows import OutsideRows
from inspector.vocabulary import Reference
from tests.helpers.generations import CLONING, EVERY, GLEAN, NOSTR, program
from tests.helpers.snapshots import make_target
from tests.helpers.targets import Target
from tests.helpers.watching import watched

CASES = {
    **{each: ["make a", "make b"] for each in EVERY},
    **{
        each: ["make holder holder", "make a again holder", "make b again holder", "make c"]
        for each in GLEAN
    },
    **{
        each: ["make a", "share b a", "share c a", "make f filter", "fail_to_lower f 10"]
        for each in CLONING
    },
    **{
        each: [
            "make a",
            "share b a",
            "make f filter",
            "fail_to_lower f 3",
            "make h held",
            "call_slowly c",
        ]
        for each in NOSTR
    },
}
"""What is made before anybody looks. One older bdkpython has no argument that fails to lower."""
CASES["bdkpython==2.2.0"] = ["make a", "share b a", "make f filter"]


def table(snapshot: Snapshot) -> list[tuple[Any, ...]]:
    """All facts about each live row."""
    handles = snapshot.handles
    told = []
    for row in range(len(handles)):
        kind = snapshot.types[int(handles.types[row])]
        if handles.references[row] != Reference.LIVE:
            continue
        columns = (
            "strong",
            "weak",
            "inner_strong",
            "outer_strong",
            "proxies",
            "native_refs",
            "addresses",
            "data",
        )
        told.append(
            (
                kind.kind,
                kind.name,
                kind.origin,
                *(int(getattr(handles, name)[row]) for name in columns),
                standing(snapshot, row) if kind.kind == "uniffi_future" else "",
            )
        )
    return sorted(told)


def standing(snapshot: Snapshot, row: int) -> str:
    """The lines on which a Python call waits."""
    site = snapshot.sites.get(int(snapshot.handles.created_sites[row]))
    return "" if site is None else " ".join(frame.short() for frame in site.frames)


def from_outside(target: Target) -> Snapshot:
    return OutsideRows().snapshot(look(target.pid, with_stacks=False), target=make_target(), at=1.0)


@pytest.mark.parametrize("package", EVERY)
def test_outside_and_within_tell_the_same(package: str) -> None:
    with program(package, "none") as target:
        for step in CASES[package]:
            target.ask(step)
        seen = from_outside(target)
        assert seen.live_count() >= 2
        with watched(target.ask("start history")) as watch:
            watch.until(table, table(seen))
        if "call_slowly c" in CASES[package]:
            assert {kind.kind for kind in seen.types.values()} >= {
                "uniffi",
                "uniffi_call",
                "uniffi_foreign",
            }
            awaited = [row[-1] for row in table(seen) if row[0] == "uniffi_future"]
            assert all("generation_steps.py:" in each for each in awaited), awaited
            assert bool(awaited) == (package != "nostr-sdk==0.32.2")
            target.ask("cancel c")
        assert target.finish() == 0
        assert target.errors() == ""
