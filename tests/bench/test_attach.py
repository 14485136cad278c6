"""Attaching: time until the first rows, and time that the target's threads stand still.

Beside gdb.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Callable

import pytest

from inspector.attach.diagnosis import Method
from inspector.attach.discovery import find_target
from inspector.attach.inject import bring_agent
from inspector.commands.support.opening import Watch
from inspector.errors import AttachError
from inspector.session.live import LiveSession
from tests.bench.conftest import StateGoal
from tests.bench.ticking import Lateness, ticking_pair
from tests.helpers.targets import start_target
from tests.helpers.unprepared import detach, unprepared

ROUNDS = 100
GDB_ROUNDS = 8


def first_rows_secs(pid: int) -> float:
    """From opening the session to its first snapshot."""
    began = time.perf_counter()
    segment = find_target(pid).segment
    assert segment is not None
    session = LiveSession(segment)
    watch = Watch(session)
    watch.wait(lambda _snapshot: True, 20)
    took_secs = time.perf_counter() - began
    watch.leave()
    session.end()
    session.join()
    return took_secs


def spread(values: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and largest, in milliseconds."""
    ordered = sorted(values)
    late = ordered[int(0.99 * (len(ordered) - 1))]
    return 1000 * statistics.median(ordered), 1000 * late, 1000 * ordered[-1]


@pytest.mark.parametrize("kind", ["idle", "busy", "malloc"])
def test_attaching_an_unprepared_process(kind: str, goal: StateGoal) -> None:
    paused, arrived, rows, tries = [], [], [], 0
    with unprepared(kind) as target:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            arrival = bring_agent(target.pid, Method.INJECT)
            arrived.append(time.perf_counter() - began)
            rows.append(arrived[-1] + first_rows_secs(target.pid))
            paused.append(arrival.paused_secs)
            tries += arrival.tries
            detach(target.pid)
    held = "/".join(f"{each:.2f}" for each in spread(paused))
    print(
        f"\n{kind}: one thread held {held} ms (median/p99/max), others not at all; "
        f"{tries / ROUNDS:.1f} tries"
    )
    print(
        f"{kind}: agent in after {'/'.join(f'{each:.0f}' for each in spread(arrived))} ms, "
        f"first rows after {spread(rows)[0]:.0f} ms"
    )
    goal(f"attach {kind}: one thread held, p99", spread(paused)[1], at_most=10, unit="ms")
    goal(f"attach {kind}: to first rows, median", spread(rows)[0], at_most=1000, unit="ms")


def test_attaching_a_process_with_an_agent(goal: StateGoal) -> None:
    with start_target("todo") as target:
        times = [first_rows_secs(target.pid) for _ in range(ROUNDS)]
    print(
        f"\nwith an agent: first rows after {'/'.join(f'{each:.1f}' for each in spread(times))} ms"
    )
    goal("attach with an agent: to first rows, median", spread(times)[0], at_most=100, unit="ms")


def brought(pid: int) -> None:
    """Bring the agent in, as often as it takes."""
    while True:
        try:
            bring_agent(pid, Method.INJECT)
        except AttachError as error:
            if not str(error).startswith("busy"):
                raise
        else:
            return


def shown(seen: list[float]) -> str:
    """Median, 99th percentile and largest in words."""
    return "/".join(f"{each:.2f}" for each in spread(seen))


def print_threads(what: str, attached: Lateness, control: Lateness) -> None:
    """Lateness of the threads of the held process, and of the process that was left alone."""
    for kind in ("native", "python"):
        print(
            f"{what}: a {kind} thread late by {shown(getattr(attached, kind))} ms, left alone "
            f"{shown(getattr(control, kind))} ms"
        )


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_threads_that_are_not_held_run_on(goal: StateGoal) -> None:
    """Lateness of the target's threads, and of a process that is left alone at the same time."""
    gdb = shutil.which("gdb")
    with ticking_pair() as pair:
        attached, control = pair.measure(ROUNDS, brought, detach)
        print()
        print_threads("attaching (median/p99/max)", attached, control)
        for kind in ("native", "python"):
            ratio = spread(getattr(attached, kind))[1] / spread(getattr(control, kind))[1]
            goal(
                f"attach: lateness of a {kind} thread, p99, attached / left alone", ratio, at_most=2
            )
        if gdb is not None:
            call = [gdb, "-nx", "-batch", "-ex", "call (int)getpid()", "-p"]
            stopped, left = pair.measure(
                GDB_ROUNDS,
                lambda pid: subprocess.run([*call, str(pid)], check=True, capture_output=True),
                lambda _pid: None,
            )
            print_threads("gdb", stopped, left)
            for kind in ("native", "python"):
                ratio = statistics.median(getattr(stopped, kind)) / statistics.median(
                    getattr(attached, kind)
                )
                goal(
                    f"attach: lateness of a {kind} thread, gdb / ours, medians", ratio, at_least=10
                )


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
def test_gdb_holds_the_whole_process_longer(goal: StateGoal) -> None:
    """In turn: our injection, and gdb attaching, making one call and leaving.

    The time a thread is held.
    """
    ours, gdbs = [], []
    with unprepared("sleep") as target:
        for _ in range(GDB_ROUNDS):
            ours.append(bring_agent(target.pid, Method.INJECT).paused_secs)
            detach(target.pid)
            command = [
                str(shutil.which("gdb")),
                "-nx",
                "-batch",
                "-p",
                str(target.pid),
                "-ex",
                "call (int)getpid()",
            ]
            gdbs.append(
                held_secs(
                    lambda command=command: subprocess.run(
                        command, check=True, capture_output=True
                    ),
                    target.pid,
                )
            )  # type: ignore[misc]
    ratio = statistics.median(gdbs) / statistics.median(ours)
    print(f"\nheld: ours {spread(ours)[0]:.2f} ms, gdb {spread(gdbs)[0]:.1f} ms: ×{ratio:.0f}")
    goal("time that a target is held, gdb / ours", ratio, at_least=10)


def held_secs(work: Callable[[], object], pid: int) -> float:
    """How long the process was in a tracing stop while ``work`` ran, seen every half
    millisecond."""
    done, held = threading.Event(), 0.0

    def run() -> None:
        work()
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    last = time.perf_counter()
    while not done.is_set():
        time.sleep(0.0005)
        now = time.perf_counter()
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - read very often
            if file.read().rpartition(")")[2].split()[0] == "t":
                held += now - last
        last = now
    thread.join()
    return held
