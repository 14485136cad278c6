from __future__ import annotations

import pytest

from inspector.attach import procfs
from inspector.attach.borrowing import MOST_STOPS, RUNNING_FIRST, Bearing, Threads
from inspector.attach.procfs import SystemCall

POLL, RECV, CLOSE, FUTEX = 7, 45, 3, 202
LOCK, CONDITION = 128, 128 | 9


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> dict[int, SystemCall | None]:
    """Threads of a process and their system calls; ``None``: it runs."""
    found: dict[int, SystemCall | None] = {}
    monkeypatch.setattr(procfs, "tasks", lambda pid: list(found))
    monkeypatch.setattr(procfs, "system_call", lambda pid, tid: found[tid])
    monkeypatch.setattr(procfs, "thread_state", lambda pid, tid: "R" if found[tid] is None else "S")
    return found


def waits(number: int, second: int = 0) -> SystemCall:
    return SystemCall(number, (0, second, 0, 0, 0, 0), 0, 0)


def chosen(threads: Threads, count: int) -> list[int]:
    return [threads.next() for _ in range(count)]


def test_a_wait_that_the_kernel_begins_again_comes_first_then_what_runs_then_once_a_socket(process):
    process.update({1: waits(RECV), 2: None, 3: waits(POLL)})
    found = chosen(Threads(9), 60)
    first = MOST_STOPS[Bearing.RESTARTS]
    assert found[:first] == [3] * first
    assert found[first : first + RUNNING_FIRST + 1] == [2] * RUNNING_FIRST + [1]
    assert found.count(1) == 1
    assert found[-1] == 0


def test_a_thread_that_waits_for_a_lock_or_in_an_unknown_call_is_never_stopped(process):
    process.update({1: waits(CLOSE), 2: waits(FUTEX, LOCK)})
    assert chosen(Threads(9), 5) == [0] * 5
    process[3] = waits(FUTEX, CONDITION)
    assert Threads(9).next() == 3


def test_of_several_threads_the_one_that_was_stopped_least_is_next(process):
    process.update({1: waits(POLL), 2: waits(POLL)})
    assert chosen(Threads(9), 4) == [1, 2, 1, 2]


def test_only_threads_that_are_named_are_stopped(process):
    process.update({1: waits(POLL), 2: waits(POLL)})
    assert Threads(9, [2]).next() == 2
