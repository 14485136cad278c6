"""The cost of starting the agent, imports included, in fresh processes.

Processor time, so that other programs on the machine disturb it little.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.bench.conftest import StateGoal
from tests.helpers.targets import ROOT

PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
began = time.process_time()
from inspector import agent
agent.start()
print(time.process_time() - began)
"""
ROUNDS = 15


def started_secs() -> float:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


@pytest.mark.benchmark(group="start of the agent")
def test_the_agent_starts_within_25_ms(benchmark: Any, goal: StateGoal) -> None:
    started_secs()  # the bytecode is written
    times = [started_secs() for _ in range(ROUNDS)]
    benchmark.extra_info["median_ms"] = median_ms = statistics.median(times) * 1000
    print(f"\nstart of the agent: {median_ms:.1f} ms")
    benchmark.pedantic(started_secs, rounds=3, iterations=1)
    goal("start of the agent, imports and all", median_ms, at_most=25, unit="ms")


ENDING = """
import sys, time
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "agent":
    from inspector import agent
    agent.start()
print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)
"""


def ended_secs(kind: str) -> float:
    """From the last line of a program to its end."""
    with subprocess.Popen(
        [sys.executable, "-c", ENDING, str(ROOT), kind], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        last_line = float(process.stdout.readline())
        process.wait()
        return time.clock_gettime(time.CLOCK_MONOTONIC) - last_line


@pytest.mark.benchmark(group="start of the agent")
def test_a_program_with_the_agent_ends_at_once(benchmark: Any, goal: StateGoal) -> None:
    rounds = [(ended_secs("agent"), ended_secs("none")) for _ in range(ROUNDS)]
    added_ms = (
        statistics.median(each for each, _ in rounds)
        - statistics.median(each for _, each in rounds)
    ) * 1000
    print(f"\nend of a program with the agent: {added_ms:+.1f} ms")
    benchmark.pedantic(ended_secs, args=("agent",), rounds=3, iterations=1)
    goal("end of a program, with the agent over without", added_ms, at_most=20, unit="ms")
