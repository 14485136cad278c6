"""The cost of following a UniFFI package, beside a copy that is not followed."""

from __future__ import annotations

import _thread
import gc
import importlib.util
import queue
import statistics
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import bdkpython.bdk
import pytest

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.vocabulary import Level
from inspector.wire import lib
from tests.bench.conftest import StateGoal
from tests.bench.interleave import nanos_per_call

MANY = 100_000


@pytest.fixture(scope="module")
def unfollowed() -> ModuleType:
    """The same generated module again; hidden: not in ``sys.modules``."""
    spec = importlib.util.spec_from_file_location("bdk_unfollowed", bdkpython.bdk.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def adapter() -> Iterator[UniffiAdapter]:
    before = lib.ai_level()
    adapter = UniffiAdapter()
    lib.ai_set_level(Level.COUNT)
    adapter.attach()
    yield adapter
    adapter.detach()
    lib.ai_set_level(before)


def creating(module: ModuleType, level: Level) -> Callable[[int], None]:
    def run(calls: int) -> None:
        lib.ai_set_level(level)
        for _ in range(calls):
            module.Amount.from_sat(1)

    return run


def calling(module: ModuleType) -> Callable[[int], None]:
    amount = module.Amount.from_sat(1)

    def run(calls: int) -> None:
        for _ in range(calls):
            amount.to_sat()

    return run


def in_thread_of_4_frames(measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Result of ``measure`` on a thread whose stack is four known frames."""
    answers: queue.SimpleQueue[dict[str, float] | BaseException] = queue.SimpleQueue()

    def outermost() -> None:
        try:
            answers.put(measure())
        except BaseException as error:  # raised again by the waiting thread
            answers.put(error)

    _thread.start_new_thread(outermost, ())
    answer = answers.get()
    if isinstance(answer, BaseException):
        raise answer
    return answer


@pytest.mark.benchmark(group="uniffi: create and release")
def test_creating_and_releasing_while_followed(
    benchmark: Any, goal: StateGoal, adapter: UniffiAdapter, unfollowed: ModuleType
) -> None:
    subjects = {"plain": creating(unfollowed, Level.COUNT)}
    subjects |= {
        level.name.lower(): creating(bdkpython.bdk, level)
        for level in (Level.OFF, Level.COUNT, Level.HISTORY, Level.STACKS)
    }
    times = in_thread_of_4_frames(lambda: nanos_per_call(subjects, calls=2_000, rounds=61))
    benchmark.extra_info.update(times)
    ratios = {name: nanos / times["plain"] for name, nanos in times.items()}
    print(
        "\ncreate + release: plain",
        f"{times['plain']:.0f} ns,",
        ", ".join(f"{name} x{ratio:.3f}" for name, ratio in ratios.items()),
    )
    benchmark.pedantic(creating(bdkpython.bdk, Level.COUNT), args=(1_000,), rounds=10)
    goal(
        "UniFFI create and release, followed at level count / not followed",
        ratios["count"],
        at_most=1.10,
    )
    goal(
        "UniFFI create and release, followed with a stack of 4 frames / not followed",
        ratios["stacks"],
        at_most=1.20,
    )


@pytest.mark.benchmark(group="uniffi: method call")
def test_methods_cost_nothing_more_while_followed(
    benchmark: Any, goal: StateGoal, adapter: UniffiAdapter, unfollowed: ModuleType
) -> None:
    times = nanos_per_call(
        {"plain": calling(unfollowed), "followed": calling(bdkpython.bdk)}, calls=5_000
    )
    benchmark.extra_info.update(times)
    ratio = times["followed"] / times["plain"]
    print(f"\nmethod call: plain {times['plain']:.0f} ns, followed x{ratio:.3f}")
    benchmark.pedantic(calling(bdkpython.bdk), args=(1_000,), rounds=10)
    goal("UniFFI method call, followed / not followed", ratio, at_most=1.05)


@pytest.mark.benchmark(group="uniffi: method call, clones in the history")
def test_methods_with_their_clones_in_the_history(
    benchmark: Any, goal: StateGoal, adapter: UniffiAdapter, unfollowed: ModuleType
) -> None:
    lib.ai_set_level(Level.HISTORY)
    subjects = {"plain": calling(unfollowed), "history": calling(bdkpython.bdk)}
    before = dict(vars(bdkpython.bdk._UniffiLib))
    bdkpython.bdk.Amount.from_sat(1)
    adapter.poll()
    assert dict(vars(bdkpython.bdk._UniffiLib)) != before
    times = nanos_per_call(subjects, calls=5_000)
    benchmark.extra_info.update(times)
    ratio = times["history"] / times["plain"]
    print(
        f"\nmethod call with its clone in the history: plain {times['plain']:.0f} ns, history "
        f"x{ratio:.3f}"
    )
    benchmark.pedantic(subjects["history"], args=(1_000,), rounds=10)
    goal("UniFFI method call, its clone in the history / not followed", ratio, at_most=1.05)


@pytest.mark.benchmark(group="uniffi: scan")
@pytest.mark.parametrize("others", [0, 330_000])
def test_scanning_100_000_objects(benchmark: Any, goal: StateGoal, others: int) -> None:
    held = [bdkpython.bdk.Amount.from_sat(1) for _ in range(MANY)]
    among = [[number] for number in range(others)]

    def scan() -> tuple[float, float]:
        adapter = UniffiAdapter()
        lib.ai_set_level(Level.COUNT)
        adapter.attach()
        steps, began = adapter.scan(), time.thread_time()
        longest, last, found = 0.0, began, 0
        for so_far in steps:
            found, longest, last = (
                so_far,
                max(longest, time.thread_time() - last),
                time.thread_time(),
            )
        adapter.detach()
        assert found >= len(held)
        return (last - began) * 1e3, longest * 1e3

    runs = [scan() for _ in range(7)]
    total_ms, longest_ms = (statistics.median(column) for column in zip(*runs, strict=True))
    tracked = f"{len(gc.get_objects()):,} tracked objects"
    benchmark.extra_info.update(total_ms=total_ms, longest_hold_ms=longest_ms)
    print(
        f"\nscan of {MANY:,} among {tracked}: {total_ms:.0f} ms, longest step with the GIL "
        f"held {longest_ms:.1f} ms"
    )
    benchmark.pedantic(scan, rounds=3)
    goal(f"scan of {MANY:,} among {tracked}, GIL time in all", total_ms, at_most=100, unit="ms")
    goal(f"scan of {MANY:,} among {tracked}, longest slice", longest_ms, at_most=5, unit="ms")
    del among
