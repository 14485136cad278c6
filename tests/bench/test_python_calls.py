"""The cost of a call from Python, beside the same call through UniFFI's generated code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inspector.runtime.samples import TodoList
from inspector.wire import lib
from tests.bench.conftest import StateGoal
from tests.bench.interleave import nanos_per_call
from tests.bench.peers import uniffi_todo

pytestmark = pytest.mark.peers


def looped(method: Callable[[], object]) -> Callable[[int], None]:
    def run(calls: int) -> None:
        for _ in range(calls):
            method()

    return run


def empty(calls: int) -> None:
    for _ in range(calls):
        pass


@pytest.mark.benchmark(group="method call from Python")
def test_a_method_call_is_25_times_cheaper_than_through_uniffi(
    benchmark: Any, goal: StateGoal
) -> None:
    ours, theirs = TodoList(), uniffi_todo().TodoList()
    subjects = {
        "empty loop": empty,
        "bare": looped(lib.ai_layout_version),
        "ours": looped(ours.__len__),
        "uniffi": looped(theirs.len),
    }
    times = nanos_per_call(subjects, calls=20_000)
    benchmark.extra_info.update(times)
    our_nanos, their_nanos = (
        times["ours"] - times["empty loop"],
        times["uniffi"] - times["empty loop"],
    )
    bare_nanos, ratio = times["bare"] - times["empty loop"], their_nanos / our_nanos
    print(
        f"\nmethod call: a bare cffi call {bare_nanos:.0f} ns, ours {our_nanos:.0f} ns, UniFFI "
        f"{their_nanos:.0f} ns, ratio {ratio:.1f}"
    )
    benchmark.pedantic(ours.__len__, rounds=20, iterations=10_000)
    goal("method call, UniFFI / ours", ratio, at_least=25)
    goal("method call through the runtime", our_nanos, at_most=80, unit="ns")


@pytest.mark.benchmark(group="create and release from Python")
def test_creating_and_releasing_is_cheaper_than_through_uniffi(
    benchmark: Any, goal: StateGoal
) -> None:
    module = uniffi_todo()
    times = nanos_per_call(
        {"ours": looped(TodoList), "uniffi": looped(module.TodoList)}, calls=5_000
    )
    benchmark.extra_info.update(times)
    print(
        f"\ncreate + release: ours {times['ours']:.0f} ns, UniFFI {times['uniffi']:.0f} ns, "
        f"ratio {times['uniffi'] / times['ours']:.1f}"
    )
    benchmark.pedantic(TodoList, rounds=20, iterations=2_000)
    goal("create and release, UniFFI / ours", times["uniffi"] / times["ours"], at_least=1)
