"""Looking at a process from outside.

How long a look takes, and whether the process's threads notice.
"""

from __future__ import annotations

import statistics
import sys
import time

import pytest

from inspector.attach.diagnosis import Method
from inspector.attach.inject import bring_agent
from inspector.attach.outside.look import look
from tests.bench.conftest import StateGoal
from tests.bench.test_attach import first_rows_secs, print_threads, spread
from tests.bench.ticking import ticking_pair
from tests.helpers.outside import stepped
from tests.helpers.unprepared import detach

ROUNDS = 50
LOOKS = 9


@pytest.mark.timeout(600)
@pytest.mark.parametrize("handles", [100, 10_000, 100_000])
def test_a_look_beside_bringing_the_agent_in(handles: int, goal: StateGoal) -> None:
    """In turn on one process.

    A look from outside, and the agent brought in until its first rows are there.
    """
    outside, inside, read_bytes = [], [], 0
    with stepped(sys.executable) as target:
        target.ask(f"make {handles}")
        for _ in range(LOOKS):
            found = look(target.pid, with_stacks=False)
            assert len(found.rows) == handles
            outside.append(found.took_secs)
            read_bytes = found.effort.read_bytes
            began = time.perf_counter()
            bring_agent(target.pid, Method.INJECT)
            first_rows_secs(target.pid)
            inside.append(time.perf_counter() - began)
            detach(target.pid)
    ratio = statistics.median(outside) / statistics.median(inside)
    took = "/".join(f"{each:.0f}" for each in spread(outside))
    print(
        f"\n{handles:,} handles: a look {took} ms (median/p99/max), {read_bytes >> 20} MiB "
        f"read; ×{ratio:.2f} of bringing the agent in"
    )
    goal(f"look at {handles:,} handles, median", spread(outside)[0], at_most=2000, unit="ms")


def test_the_process_s_threads_run_on_while_it_is_looked_at(goal: StateGoal) -> None:
    """Lateness of its threads, and of a process that is left alone at the same time."""
    with ticking_pair() as pair:
        looked_at, control = pair.measure(ROUNDS, look, lambda _pid: None)
    print()
    print_threads("a look with stacks (median/p99/max)", looked_at, control)
    for kind in ("native", "python"):
        ratio = spread(getattr(looked_at, kind))[1] / spread(getattr(control, kind))[1]
        goal(f"a {kind} thread's latest wake-up, p99, looked at / left alone", ratio, at_most=2)
