"""The cost of following a declared class, beside an undeclared copy, in one interleaved run."""

from __future__ import annotations

import mmap
import sqlite3
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.vocabulary import Level
from inspector.wire import lib
from inspector.wire.declaration_files import Declared
from inspector.wire.declarations import parse_declarations
from tests.bench import declared_subjects
from tests.bench.conftest import StateGoal
from tests.bench.declared_subjects import (
    PLAIN_BUFFER,
    PLAIN_CHEAP,
    PLAIN_CHECKED,
    Buffer,
    Cheap,
    Checked,
    extension_again,
    generated,
)
from tests.bench.interleave import nanos_per_call
from tests.bench.test_uniffi_overhead import in_thread_of_4_frames

MODULE = declared_subjects.__name__
FOLLOWED, UNFOLLOWED = generated("bdk_declared"), generated("bdk_unfollowed")
DECLARED = [
    {
        "class": "bdk_declared.Amount",
        "handle": "_handle",
        "made_by": ["bdk_declared.Amount.from_sat"],
    },
    {"class": f"{MODULE}.Buffer", "handle": "_handle", "close": "close"},
    {"class": f"{MODULE}.Checked", "handle": "_handle", "close": "close"},
    {"class": f"{MODULE}.Cheap", "handle": "_handle", "close": "close"},
    {"class": "mmap.mmap", "released": "closed", "close": "close"},
    {"class": "sqlite3.Cursor", "close": "close"},
]
LEVELS = (Level.OFF, Level.COUNT, Level.HISTORY, Level.STACKS)


@pytest.fixture(autouse=True)
def adapter(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeclaredAdapter]:
    monkeypatch.setitem(sys.modules, FOLLOWED.__name__, FOLLOWED)
    before = lib.ai_level()
    declarations, troubles = parse_declarations(DECLARED, "benchmark")
    assert not troubles
    adapter = DeclaredAdapter(Declared(declarations))
    lib.ai_set_level(Level.COUNT)
    adapter.attach()
    yield adapter
    adapter.poll()
    adapter.detach()
    lib.ai_set_level(before)


def making(cls: Any, *args: Any) -> Callable[[int], None]:
    """Create and close."""

    def run(calls: int) -> None:
        for _ in range(calls):
            cls(*args).close()

    return run


def making_cursors(module: Any) -> Callable[[int], None]:
    """Create and release; made by the connection, not by a call of the class."""
    connection = module.connect(":memory:", check_same_thread=False)

    def run(calls: int) -> None:
        for _ in range(calls):
            connection.cursor()

    return run


def calling(cls: Any) -> Callable[[int], None]:
    buffer = cls(16)

    def run(calls: int) -> None:
        for _ in range(calls):
            buffer.size()

    return run


def at(level: Level, run: Callable[[int], None]) -> Callable[[int], None]:
    def at_level(calls: int) -> None:
        lib.ai_set_level(level)
        run(calls)

    return at_level


def making_amounts(module: Any) -> Callable[[int], None]:
    """Create and release."""

    def run(calls: int) -> None:
        for _ in range(calls):
            module.Amount.from_sat(1)

    return run


SUBJECTS: dict[
    str, tuple[Callable[[], Callable[[int], None]], Callable[[], Callable[[int], None]], bool]
] = {
    "generated ctypes proxy": (
        lambda: making_amounts(UNFOLLOWED),
        lambda: making_amounts(FOLLOWED),
        True,
    ),
    "ctypes proxy with checked calls": (
        lambda: making(PLAIN_CHECKED, 16),
        lambda: making(Checked, 16),
        False,
    ),
    "ctypes proxy with bare calls": (
        lambda: making(PLAIN_BUFFER, 16),
        lambda: making(Buffer, 16),
        False,
    ),
    "class that costs nothing": (lambda: making(PLAIN_CHEAP), lambda: making(Cheap), False),
    "mmap by type slots": (
        lambda: making(extension_again("mmap").mmap, -1, 4096),
        lambda: making(mmap.mmap, -1, 4096),
        True,
    ),
    "sqlite3 cursor by type slots": (
        lambda: making_cursors(extension_again("_sqlite3")),
        lambda: making_cursors(sqlite3),
        False,
    ),
}
"""The copy that nobody follows, the one that is followed, and whether it costs as much as a class
over UniFFI does."""


@pytest.mark.benchmark(group="declared: create and release")
@pytest.mark.parametrize("name", SUBJECTS)
def test_creating_and_releasing_while_followed(benchmark: Any, goal: StateGoal, name: str) -> None:
    plain, followed, costs_microseconds = SUBJECTS[name]
    run = followed()
    subjects = {"plain": at(Level.COUNT, plain())} | {
        level.name.lower(): at(level, run) for level in LEVELS
    }
    times = in_thread_of_4_frames(lambda: nanos_per_call(subjects, calls=1_000, rounds=61))
    benchmark.extra_info.update(times)
    shown = (
        f"{level} x{nanos / times['plain']:.3f} (+{nanos - times['plain']:.0f} ns)"
        for level, nanos in times.items()
        if level != "plain"
    )
    print(f"\n{name}, create + release: plain {times['plain']:.0f} ns,", ", ".join(shown))
    benchmark.pedantic(at(Level.COUNT, run), args=(1_000,), rounds=10)
    if costs_microseconds:
        goal(
            f"{name}, create and release at level count / not followed",
            times["count"] / times["plain"],
            at_most=1.10,
        )
        goal(
            f"{name}, create and release with a stack of 4 frames / not followed",
            times["stacks"] / times["plain"],
            at_most=1.20,
        )


@pytest.mark.benchmark(group="declared: method call")
def test_methods_that_are_not_named_cost_nothing_more(benchmark: Any, goal: StateGoal) -> None:
    times = nanos_per_call(
        {"plain": calling(PLAIN_BUFFER), "followed": calling(Buffer)}, calls=5_000
    )
    benchmark.extra_info.update(times)
    ratio = times["followed"] / times["plain"]
    print(f"\nmethod call: plain {times['plain']:.0f} ns, followed x{ratio:.3f}")
    benchmark.pedantic(calling(Buffer), args=(1_000,), rounds=10)
    goal("declared class, method call, followed / not followed", ratio, at_most=1.05)
