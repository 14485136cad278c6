"""Declared instances born without a hook.

Found by looks in a real process, and judged like the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inspector.model.findings.finding import Facts, Verdict
from inspector.model.findings.judge import judge
from inspector.model.findings.leaks import LeakSuspects
from inspector.model.findings.trend import Trend
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.vocabulary import Level
from tests.helpers.targets import Target, start_target
from tests.helpers.watching import rounds_of_looks, watched

TYPES = {"new": "Frame", "copy": "Frame", "native": "Point", "seen": "Frame"}
ROUNDS = 6
MADE = 10
"""In a round."""


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with start_target("unseen_births", str(tmp_path / "mine.toml")) as started:
        yield started


def live(snapshot: Snapshot, type_name: str) -> int:
    """Live rows of a type."""
    kinds = [index for index, row in snapshot.types.items() if row.name == type_name]
    return int(np.isin(snapshot.handles.types[alive(snapshot.handles)], kinds).sum())


@pytest.mark.parametrize("kind", TYPES)
def test_a_class_that_grows_where_no_hook_sees_is_suspect_while_nobody_asks_for_a_scan(
    target: Target, kind: str
) -> None:
    trend, before = Trend(min_gap_secs=0.0), int(TYPES[kind] == "Frame")
    with watched(target.ready["segment"], level=Level.STACKS) as watch:
        seen = watch.until(lambda snapshot: live(snapshot, TYPES[kind]), before)
        trend.observe(seen)
        for number in rounds_of_looks(trend, ROUNDS):
            target.ask(f"make {kind} {MADE}")
            seen = watch.until(lambda snapshot: live(snapshot, TYPES[kind]), before + MADE * number)
            trend.observe(seen)
        (found,) = judge(Facts(seen, trend), [LeakSuspects(min_span_secs=0.01)]).findings
    assert found.verdict is Verdict.SUSPECT
    assert found.headline.startswith(f"{TYPES[kind]} keeps growing")
    assert target.finish() == 0


def test_a_birth_that_a_hook_saw_keeps_its_place(target: Target) -> None:
    with watched(target.ready["segment"], level=Level.STACKS) as watch:
        target.ask(f"make seen {MADE}")
        target.ask(f"make new {MADE}")
        seen = watch.until(lambda snapshot: live(snapshot, "Frame"), 1 + 2 * MADE)
    born = alive(seen.handles) & ~np.isnan(seen.handles.created_at)
    places = {seen.sites[int(site)].frames[0].function for site in seen.handles.created_sites[born]}
    assert int(born.sum()) == MADE
    assert places == {"<lambda>"}
    assert target.finish() == 0
