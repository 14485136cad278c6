"""A long session on a busy target: neither the viewer nor the target grows. By ``./dev soak``.

``ARC_INSPECTOR_SOAK_SECS`` is the length; an hour unless it is set. The short form, in simulated
time, is ``tests/ui/shell/test_long_session.py``.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.targets import ROOT, Target, start_command, start_target
from tests.helpers.usage import Usage, usage_of

SOAK_SECS = float(os.environ.get("ARC_INSPECTOR_SOAK_SECS", "3600"))
ROUND_SECS = 5.0
KEPT = 10_000
MAY_GROW_SHARE = 0.1
MAY_GROW_BYTES = 16 << 20


def play(viewer: Target, target: Target, round_number: int, panes: list[str]) -> None:
    """A person marks, looks at another pane, sorts, and now and then detaches and comes back."""
    viewer.ask("mark")
    viewer.ask(f"pane {panes[round_number % len(panes)]}")
    viewer.ask("sort")
    if round_number % 8 == 7:
        viewer.ask("detach")
        viewer.tell(f"attach {target.pid}")
        viewer.expect("attach", patience_secs=200)
    time.sleep(ROUND_SECS)


def assert_flat(before: Usage, after: Usage) -> None:
    assert after.memory_bytes <= before.memory_bytes * (1 + MAY_GROW_SHARE) + MAY_GROW_BYTES
    assert after.descriptors <= before.descriptors
    assert after.threads <= before.threads + 1


@pytest.mark.soak
@pytest.mark.timeout(2 * SOAK_SECS + 600)
def test_a_long_session_on_a_busy_target_leaves_both_processes_flat(tmp_path: Path) -> None:
    steps = [sys.executable, str(ROOT / "tests/bench/window_steps.py")]
    with start_target("todo", "history") as target, start_command(steps) as viewer:
        target.ask(f"many {KEPT}")
        target.ask("churn 2 5000")
        viewer.tell(f"attach {target.pid}")
        viewer.expect("attach", patience_secs=200)
        panes = viewer.ask("panes")
        readings: list[tuple[Usage, Usage]] = []
        rounds = max(int(SOAK_SECS / ROUND_SECS), 16)
        for round_number in range(rounds):
            play(viewer, target, round_number, panes)
            if round_number % 8 == 7:  # after each return, so that equal moments are compared
                readings.append((usage_of(viewer.pid), usage_of(target.pid)))
        first = readings[len(readings) // 3]
        for before, after in zip(first, readings[-1], strict=True):
            assert_flat(before, after)
        target.ask("calm")
        viewer.ask("count")
        time.sleep(ROUND_SECS)
        assert viewer.ask("counted")["rows"] >= KEPT
        assert target.finish() == 0
        assert target.errors() == ""
