"""The window on a real target of our own runtime, from 1,000 to 1,000,000 live handles.

CPU and memory are read from outside, in ``/proc``. Stalls are counted by a watch on the window's
thread, in each pane, in a part of the run of their own.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.bench.conftest import StateGoal
from tests.helpers.targets import ROOT, Target, start_command, start_target
from tests.helpers.usage import Usage, usage_of

MEASURED_SECS: Final = 10.0
PANE_SECS: Final = 3.0
SETTLING_SECS: Final = 4.0
PRIORITY: Final = -15
QUIET_HANDLES: Final = 1_000
LOADS: Final = ((1_000, 1_000), (100_000, 20_000), (1_000_000, 80_000))
"""Live handles, and births a second."""
ONLY: Final = os.environ.get("ARC_INSPECTOR_BENCH_HANDLES", "")
"""One number of live handles instead of all of ``LOADS``."""

pytestmark = pytest.mark.minutes


@dataclass(frozen=True)
class Span:
    """The viewer's use of resources over a span of time."""

    cores: float
    after: Usage


@contextmanager
def viewer_on(handles: int, births: int = 0) -> Iterator[tuple[Target, float]]:
    """A viewer attached to such a target, and the milliseconds to its first painted table."""
    with start_target("todo", "count") as target:
        target.ask(f"many {handles}")
        if births:
            target.ask(f"churn 1 {births}")
        with start_command([sys.executable, str(ROOT / "tests/bench/window_steps.py")]) as viewer:
            with suppress(PermissionError):  # other programs on the machine count less then
                for process in (target, viewer):
                    os.setpriority(os.PRIO_PROCESS, process.pid, PRIORITY)
            viewer.tell(f"attach {target.pid}")
            first_ms = viewer.expect("attach", patience_secs=200)
            time.sleep(SETTLING_SECS)
            yield viewer, first_ms


def spend(viewer: Target, secs: float) -> Span:
    """Let the viewer run for a while, and read its use of resources."""
    before, began = usage_of(viewer.pid), time.perf_counter()
    time.sleep(secs)
    after = usage_of(viewer.pid)
    return Span((after.cpu_secs - before.cpu_secs) / (time.perf_counter() - began), after)


@pytest.mark.parametrize("state", ["visible", "minimised", "hidden"])
def test_a_window_on_a_quiet_target(state: str, goal: StateGoal) -> None:
    with viewer_on(QUIET_HANDLES) as (viewer, _):
        for step in {"minimised": ("minimise",), "hidden": ("hide",)}.get(state, ()):
            viewer.ask(step)
        time.sleep(SETTLING_SECS)
        viewer.ask("count")
        span = spend(viewer, MEASURED_SECS)
        counted = viewer.ask("counted")
    percent = span.cores * 100
    print(
        f"\n{QUIET_HANDLES:,} handles, quiet, {state}: {percent:.1f} % of a core, "
        f"{span.after.memory_bytes >> 20} MB, {counted['snapshots_a_sec']:.1f} snapshots/s, "
        f"{counted['frames_a_sec']:.1f} frames/s"
    )
    goal(f"quiet, {state}: CPU", percent, at_most=8 if state == "visible" else 1, unit="%")


@pytest.mark.parametrize(
    ("handles", "births"), [load for load in LOADS if not ONLY or str(load[0]) == ONLY]
)
def test_a_window_on_a_busy_target(
    handles: int, births: int, goal: StateGoal, tmp_path: Path
) -> None:
    with viewer_on(handles, births) as (viewer, first_ms):
        viewer.ask("count")
        span = spend(viewer, MEASURED_SECS)
        counted = viewer.ask("counted")
        named = f"{handles:,} handles, {births:,} births/s"
        print(
            f"\n{named}: first table {first_ms:.0f} ms, {span.cores * 100:.0f} % of a core, "
            f"{span.after.memory_bytes >> 20} MB, {counted['snapshots_a_sec']:.1f} snapshots/s, "
            f"{counted['frames_a_sec']:.1f} frames/s"
        )
        stalls = dict(_stalls(viewer, tmp_path))
    longest = max(stalls.values())
    goal(f"{named}: CPU", span.cores * 100, at_most=60, unit="%")
    goal(f"{named}: memory", span.after.memory_bytes / 1e6, at_most=600, unit="MB")
    goal(f"{named}: snapshots a second", counted["snapshots_a_sec"], at_least=9, unit="/s")
    goal(f"{named}: longest stall", longest, at_most=50, unit="ms")


def _stalls(viewer: Target, folder: Path) -> Iterator[tuple[str, float]]:
    """The longest stall in milliseconds with each pane in front, and of some acts."""
    acts = [(f"pane {key}", f"pane {key}") for key in viewer.ask("panes")]
    acts += [("list of handles", "rows"), ("sort", "sort")]
    acts += [("filter", "filter type:TodoItem"), ("no filter", "filter")]
    acts += [("mark", "mark"), ("screenshot", f"screenshot {folder / 'window.png'}")]
    for name, step in acts:
        viewer.ask("begin")
        viewer.tell(step)
        viewer.expect(step.split()[0])
        time.sleep(PANE_SECS)
        found = viewer.ask("take")
        print(
            f"  {name}: longest stall {found['longest_ms']:.0f} ms, {found['long']} above 50 ms, "
            f"worked {found['worked_ms']:.0f} ms, waited for a core {found['waited_ms']:.0f} ms, "
            f"{found['snapshots_a_sec']:.1f} snapshots/s, {found['frames_a_sec']:.1f} frames/s"
        )
        for millis, stack in found["causes"][:2]:
            print(f"      {millis} ms: {stack}")
        yield name, found["longest_ms"]
