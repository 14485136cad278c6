"""The search for holders in memory, and what-if drops, on a real program."""

from __future__ import annotations

import statistics
import time

import pytest

from inspector.attach.outside.memory import OutsideMemory
from inspector.attach.outside.memory_holders import HolderSearch
from inspector.attach.outside.python import find_python
from inspector.attach.outside.surroundings import Surroundings
from inspector.attach.outside.whatif import WhatIf
from tests.bench.conftest import StateGoal
from tests.helpers.packages import package_folder
from tests.helpers.targets import start_target

ROUNDS = 5
OBJECTS = 2_000
BALLAST_MIB = 512


@pytest.mark.timeout(300)
def test_memory_searched_for_holders_in_a_second(goal: StateGoal) -> None:
    """Gigabytes a second of this thread's processor time, one level of the search."""
    folder = str(package_folder("rpds-py==0.20.0"))
    with start_target("native_holder_steps", folder, env={"PYTHONPATH": ""}) as target:
        target.ask(f"ballast {BALLAST_MIB}")
        place = target.ask("held")["list"]
        rates = []
        for _ in range(ROUNDS):
            memory = OutsideMemory(target.pid)
            search = HolderSearch(memory, Surroundings(memory, find_python(target.pid)))
            began = time.thread_time()
            search.holders_of(place)
            rates.append(memory.effort.read_bytes / (time.thread_time() - began) / 1e9)
    print(f"\nholder search: {statistics.median(rates):.1f} GB/s")
    goal("GB searched for holders in a second", statistics.median(rates), at_least=0.5, unit="GB")


@pytest.mark.timeout(300)
def test_what_if_drops_in_a_second(goal: StateGoal) -> None:
    """Drops of maps of rpds a second of this thread's processor time."""
    folder = str(package_folder("rpds-py==0.20.0"))
    with start_target("native_holder_steps", folder, env={"PYTHONPATH": ""}) as target:
        places = target.ask(f"maps {OBJECTS}")
        memory = OutsideMemory(target.pid)
        around = Surroundings(memory, find_python(target.pid))
        kind = around.kind(around.type_at(places[0]))
        assert kind is not None
        began = time.thread_time()
        drops = WhatIf(memory).drops(places, [kind.destructor] * len(places))
        rate = len(drops) / (time.thread_time() - began)
        assert not any(drop.stopped for drop in drops)
    steps = statistics.median(drop.steps for drop in drops)
    print(f"\nwhat-if drops: {rate:,.0f} a second, {steps:.0f} instructions each (median)")
    goal("what-if drops in a second", rate, at_least=1_000, unit="")
