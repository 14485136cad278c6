"""Injection ends no wait of the target, in any system call."""

from __future__ import annotations

import time
from collections.abc import Callable

from inspector.attach.borrowing import Bearing, bearing_of
from inspector.attach.injection import enter
from inspector.attach.interpreter import Interpreter, find_interpreter
from tests.helpers.targets import TARGETS, Target
from tests.helpers.unprepared import close_stdin, unprepared


def wait_for(condition: Callable[[], bool]) -> None:
    """Let the threads of the target come to their waits."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0)


ROUNDS = 3


def borrowed(target: Target, found: Interpreter, tid: int) -> int:
    """Borrow one thread once it waits; how many waits that ended."""
    wait_for(lambda: bearing_of(target.pid, tid) is not Bearing.RUNS)
    return enter(target.pid, found, "pass", among=[tid]).interrupted


def test_no_wait_returns_because_its_thread_was_borrowed():
    with unprepared("all", script=TARGETS / "waiting.py") as target:
        found = find_interpreter(target.pid)
        assert found is not None
        threads = target.ready["threads"]
        told = {
            name: sum(borrowed(target, found, tid) for _ in range(ROUNDS))
            for name, tid in threads.items()
        }
        target.tell("counts")
        counts = target.expect("counts")
        close_stdin(target)
        target.expect("done")
        assert told == dict.fromkeys(threads, 0)
        assert counts == {name: {"eintr": 0, "returned": 0} for name in threads}


def test_a_thread_is_chosen_whose_wait_the_kernel_begins_again():
    with unprepared("all", script=TARGETS / "waiting.py") as target:
        names = {"recv", "epoll_wait", "semtimedop", "accept", "read", "sigtimedwait"}
        threads = target.ready["threads"]
        wait_for(
            lambda: all(
                bearing_of(target.pid, tid) not in (Bearing.RUNS, None) for tid in threads.values()
            )
        )
        bearings = {name: bearing_of(target.pid, tid) for name, tid in threads.items()}
        close_stdin(target)
        target.expect("done")
        assert {
            name for name, bearing in bearings.items() if bearing is Bearing.BEGUN_AGAIN
        } == names
