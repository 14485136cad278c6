"""The cost of following the classes of Rust extensions, and of the search for what lives already.

Each subject is timed followed and not followed, in one interleaved run over the same class.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pydantic_core
import pytest
import rpds
from pydantic_core import core_schema

from inspector.agent.adapters.pyo3 import Pyo3Adapter
from inspector.vocabulary import Level
from inspector.wire import lib
from tests.bench.conftest import StateGoal
from tests.bench.interleave import nanos_per_call
from tests.bench.test_uniffi_overhead import in_thread_of_4_frames

BYTES = 1 << 30
SCHEMA = core_schema.typed_dict_schema(
    {
        name: core_schema.typed_dict_field(core_schema.list_schema(core_schema.int_schema()))
        for name in ("first", "second", "third")
    }
)
FORM = {name: list(range(20)) for name in ("first", "second", "third")}


@pytest.fixture
def adapter() -> Iterator[Pyo3Adapter]:
    before = lib.ai_level()
    lib.ai_set_level(Level.COUNT)
    adapter = Pyo3Adapter()
    adapter.attach()
    list(adapter.scan())
    yield adapter
    adapter.detach()
    lib.ai_set_level(before)


def lists(calls: int) -> None:
    """Births and ends of the cheapest class."""
    make = rpds.List
    for _ in range(calls):
        make()


def forms(calls: int) -> None:
    """A service that makes a validator for a hundred forms, and results that are objects."""
    for _ in range(calls):
        validator = pydantic_core.SchemaValidator(SCHEMA)
        for _ in range(100):
            validator.validate_python(FORM)
        pydantic_core.Url("http://example.org/a")


def at(level: Level, run: Callable[[int], None]) -> Callable[[int], None]:
    def at_level(calls: int) -> None:
        lib.ai_set_level(level)
        run(calls)

    return at_level


def compare(run: Callable[[int], None], calls: int, rounds: int) -> dict[str, float]:
    """Nanoseconds a call not followed, and followed at each level."""
    adapters: list[Pyo3Adapter] = []

    def unfollowed(calls: int) -> None:
        while adapters:
            adapters.pop().detach()
        run(calls)

    def followed(level: Level) -> Callable[[int], None]:
        def follow(calls: int) -> None:
            if not adapters:
                adapters.append(Pyo3Adapter())
                adapters[0].attach()
                adapters[0].look()
            at(level, run)(calls)

        return follow

    subjects = {"plain": unfollowed} | {
        level.name.lower(): followed(level) for level in (Level.COUNT, Level.HISTORY, Level.STACKS)
    }
    return in_thread_of_4_frames(lambda: switched(subjects, calls, rounds))


def switched(
    subjects: dict[str, Callable[[int], None]], calls: int, rounds: int
) -> dict[str, float]:
    """As ``nanos_per_call``; a subject sets its hooks outside of the time that is taken."""
    times: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            subject(1)
            times[name].append(nanos_per_call({name: subject}, calls=calls, rounds=1)[name])
    return {name: sorted(values)[len(values) // 2] for name, values in times.items()}


@pytest.mark.benchmark(group="pyo3: birth and end")
def test_a_birth_and_an_end_while_followed(benchmark: Any, goal: StateGoal) -> None:
    times = compare(lists, 2_000, 31)
    lib.ai_set_level(Level.COUNT)
    benchmark.extra_info.update(times)
    more = {name: nanos - times["plain"] for name, nanos in times.items()}
    print(f"\nbirth + end: plain {times['plain']:.0f} ns, more: {more}")
    benchmark.pedantic(lists, args=(1_000,), rounds=10)
    goal("birth and end at level count, more", more["count"], at_most=100, unit="ns")
    goal("birth and end at level history, more", more["history"], at_most=100, unit="ns")


@pytest.mark.benchmark(group="pyo3: validators")
def test_forms_are_validated_while_followed(benchmark: Any, goal: StateGoal) -> None:
    times = compare(forms, 5, 21)
    lib.ai_set_level(Level.COUNT)
    benchmark.extra_info.update(times)
    benchmark.pedantic(forms, args=(2,), rounds=3)
    for level in ("count", "history"):
        ratio = times[level] / times["plain"]
        goal(f"pydantic-core, forms at level {level} / not followed", ratio, at_most=1.10)


@pytest.mark.benchmark(group="pyo3: slices")
def test_a_slice_that_makes_rows_holds_the_lock_for_a_few_milliseconds(
    benchmark: Any, goal: StateGoal
) -> None:
    """Each slice judges a bounded number of objects; the rest of a search holds no lock."""
    before = lib.ai_level()
    lib.ai_set_level(Level.OFF)  # an adapter of another benchmark may still see births
    objects = [rpds.List([at]) for at in range(50_000)]
    lib.ai_set_level(Level.COUNT)
    adapter = Pyo3Adapter()
    adapter.attach()
    taken, made, began = [0.0], 0, time.thread_time()
    for found in adapter.scan():
        now = time.thread_time()
        if found > made:
            taken.append(now - began)
        made, began = found, time.thread_time()
    adapter.detach()
    lib.ai_set_level(before)
    longest = max(taken) * 1e3
    print(f"\n{made:,} rows in {len(taken) - 1} slices, the longest {longest:.2f} ms of CPU time")
    benchmark.pedantic(lambda: None, rounds=1)
    goal("longest slice of a search with the interpreter's lock", longest, at_most=5, unit="ms")
    del objects


@pytest.mark.benchmark(group="pyo3: search")
def test_a_search_through_a_gigabyte(benchmark: Any, adapter: Pyo3Adapter, goal: StateGoal) -> None:
    kept = [bytes([1]) * 4096 for _ in range(BYTES // 4096)]
    objects = [rpds.List([at]) for at in range(1000)]
    began = time.perf_counter()
    longest, before = 0.0, time.perf_counter()
    for _ in adapter.scan():
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    secs = time.perf_counter() - began
    benchmark.extra_info.update({"secs": secs, "longest step": longest})
    print(f"\nsearch of 1 GB: {secs:.2f} s, longest step {longest * 1e3:.1f} ms")
    benchmark.pedantic(lambda: None, rounds=1)
    goal("search of 1 GB for living objects", secs, at_most=1, unit="s")
    del kept, objects
