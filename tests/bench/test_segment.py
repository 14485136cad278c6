"""The memory of a live handle in the segment."""

from __future__ import annotations

from typing import Any

import pytest

from inspector.attach.discovery import find_target
from inspector.attach.segment import Segment
from tests.bench.conftest import StateGoal
from tests.helpers.targets import Target, start_target

STEP = 1 << 17
"""Rows; a whole number of the chunks in which the file grows."""


def allocated_bytes(target: Target) -> int:
    path = find_target(target.pid).segment
    assert path is not None
    with Segment(path) as segment:
        return segment.allocated_bytes()


@pytest.mark.benchmark(group="segment")
def test_a_live_handle_takes_a_row_of_64_bytes_and_nothing_else(
    benchmark: Any, goal: StateGoal
) -> None:
    with start_target("todo", "count") as target:
        target.ask(f"many {STEP}")
        before = allocated_bytes(target)
        target.ask(f"many {STEP}")
        per_handle = (allocated_bytes(target) - before) / STEP
        benchmark.extra_info["bytes_per_handle"] = per_handle
        benchmark.pedantic(allocated_bytes, args=(target,), rounds=3)
        goal("segment per live handle, without stacks", per_handle, at_most=64, unit="bytes")
