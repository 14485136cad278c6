"""Calls that keep the interpreter's lock (``QUICK`` in ``setup.py``), from many threads."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from inspector.runtime.handles import Handle
from inspector.runtime.samples import Churn, TodoItem, TodoList
from inspector.wire import lib

THREADS = 4
ROUNDS = 2000
"""Of each thread. With a switch of threads every few microseconds that is thousands of handovers.
"""


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    """The interpreter changes threads as often as it can, and afterwards records as before."""
    interval, level = sys.getswitchinterval(), lib.ai_level()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    lib.ai_set_level(level)


def run_side_by_side(*bodies: Callable[[], None]) -> list[BaseException]:
    """Run each on a thread of its own; returns their exceptions."""
    failures: list[BaseException] = []

    def guarded(body: Callable[[], None]) -> None:
        try:
            body()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def make_count_and_release() -> None:
    for number in range(ROUNDS):
        one = TodoList()
        for _ in range(number % 3):
            one.add_item(TodoItem("x"))
        assert len(one) == number % 3


def count(shared: TodoList) -> None:
    for _ in range(ROUNDS):
        assert len(shared) == 1
        assert lib.ai_ticks() > 0
        assert lib.ai_live_handles() > 0


def change_levels() -> None:
    for number in range(ROUNDS):
        lib.ai_set_level(number % 4)
        lib.ai_set_site(0)
        assert lib.ai_level() in range(4)


def test_quick_calls_from_many_threads_give_true_answers_while_levels_change() -> None:
    shared = TodoList()
    shared.add_item(TodoItem("x"))
    churn = Churn(threads=2, per_second=2000)
    try:
        failures = run_side_by_side(
            *[make_count_and_release] * THREADS, *[lambda: count(shared)] * 2, change_levels
        )
    finally:
        churn.stop()
    assert failures == []


def test_a_list_that_is_made_quickly_is_made_as_well_when_its_birth_is_recorded() -> None:
    for level in range(4):
        lib.ai_set_level(level)
        one = TodoList()
        assert len(one) == 0
        assert one.counts().strong == 1


def test_a_proxy_that_is_dropped_on_another_thread_releases_its_handle_once() -> None:
    before = lib.ai_live_handles()
    made: list[Handle] = [TodoList() for _ in range(ROUNDS)]
    assert run_side_by_side(*[lambda: _pop_all(made)] * THREADS) == []
    assert lib.ai_live_handles() == before


def _pop_all(made: list[Handle]) -> None:
    while True:
        try:
            made.pop()
        except IndexError:
            return


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_quick_calls_work_in_a_child_that_was_forked_while_other_threads_made_them() -> None:
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            make_count_and_release()

    def fork() -> None:
        try:
            for _ in range(5):
                child = os.fork()
                if child == 0:
                    os._exit(0 if len(TodoList()) == 0 and lib.ai_live_handles() > 0 else 1)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        finally:
            is_over.set()

    assert run_side_by_side(work, work, fork) == []
