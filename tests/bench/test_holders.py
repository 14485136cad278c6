"""The cost of asking for holders at 100,000 handles, in the window and in the target."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import pytest

from inspector.commands.support.offscreen import OffscreenWindow
from inspector.model.flame import build_flames
from tests.bench.conftest import StateGoal
from tests.helpers.snapshots import big_snapshot
from tests.helpers.tables import ask, connect
from tests.helpers.targets import Target, start_target

HANDLES = 100_000
ROUNDS = 15


@pytest.fixture(scope="module")
def crowded() -> Iterator[Target]:
    with start_target("todo", "count") as target:
        target.ask("list groceries")
        target.ask(f"many {HANDLES}")
        yield target


def test_a_page_opens_within_a_tenth_of_a_second(crowded: Target, goal: StateGoal) -> None:
    with OffscreenWindow() as offscreen:
        offscreen.attach(crowded.pid)
        snapshot = offscreen.wait_settled()
        assert len(snapshot.handles) >= HANDLES
        bench = offscreen.window.workbench
        times = []
        for row in range(0, HANDLES, HANDLES // ROUNDS):
            began = time.perf_counter()
            bench.detail.choose(int(snapshot.handles.ids[row]), snapshot)
            bench.detail.repaint()
            times.append(time.perf_counter() - began)
        goal(
            "opening an object's page at 100,000 handles",
            statistics.median(times) * 1000,
            at_most=100,
            unit="ms",
        )


def test_a_search_holds_the_interpreter_in_short_steps(crowded: Target, goal: StateGoal) -> None:
    with connect(crowded.ready["segment"], crowded.pid) as connection:
        handle = crowded.ask("numbers")["groceries"]
        found = [ask(connection, "retainers", handle=handle) for _ in range(ROUNDS)]
        assert all(each["paths"][0]["root"] for each in found)
        steps = sorted(each["longest_step_ms"] for each in found)
        goal(
            "longest step of a retainer search, 100,000 proxies on the heap (median)",
            steps[ROUNDS // 2],
            at_most=5,
            unit="ms",
        )


def test_naming_native_holders_asks_only_types_that_report(
    crowded: Target, goal: StateGoal
) -> None:
    with connect(crowded.ready["segment"], crowded.pid) as connection:
        handle = crowded.ask("numbers")["groceries"]
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            ask(connection, "holders", handle=handle)
            times.append(time.perf_counter() - began)
        goal(
            "named native holders at 100,000 handles, asked over the socket",
            statistics.median(times) * 1000,
            at_most=20,
            unit="ms",
        )


def test_a_flame_graph_of_a_hundred_thousand_rows_is_built_within_two_frames(
    goal: StateGoal,
) -> None:
    snapshot = big_snapshot(HANDLES)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        build_flames(snapshot)
        times.append(time.perf_counter() - began)
    goal(
        "flame graph of 100,000 rows, off the window's thread",
        statistics.median(times) * 1000,
        at_most=33,
        unit="ms",
    )
