"""The cost of following a UniFFI library at its C functions, beside a host that is not followed."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from pathlib import Path

import pytest

from inspector.vocabulary import Level
from tests.bench.conftest import StateGoal
from tests.helpers.other_hosts import preloaded, shapes_host, shapes_library
from tests.helpers.stepped import running, step

ROUNDS = 31


@pytest.mark.parametrize(
    ("word", "level", "nanos"),
    [
        ("call", Level.COUNT, 20.0),
        ("call", Level.OFF, 20.0),
        ("churn", Level.COUNT, 150.0),
        ("churn", Level.STACKS, 5_000.0),
    ],
)
def test_a_call_and_a_life_of_an_object_cost_little_more(
    goal: StateGoal, tmp_path: Path, word: str, level: Level, nanos: float
) -> None:
    library, program = shapes_library(), shapes_host(tmp_path)
    with ExitStack() as stack:
        plain = stack.enter_context(running(program, tmp_path, words=[library]))
        followed = stack.enter_context(
            running(program, tmp_path, preloaded(level), words=[library])
        )
        for child in (plain, followed):
            step(child, "node 1")
        calls = 10_000 if level is Level.STACKS else 200_000
        # processor time of the thread, in turn, so that other load affects both alike
        rounds = [
            [step(child, f"timed {word} {calls}")[0] / calls for child in (plain, followed)]
            for _ in range(ROUNDS)
        ]
    before, after = map(statistics.median, zip(*rounds, strict=True))
    print(f"{word} at level {level.name.lower()}: {before:.1f} ns, followed {after:.1f} ns")
    goal(f"{word}, {level.name.lower()}, C functions", after - before, at_most=nanos, unit="ns")
