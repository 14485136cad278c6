"""Attaching again and again, and dying in the midst of it: the target ends with the right answer.

Short here, long with ``./dev soak``.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.attach import procfs
from inspector.attach.diagnosis import Method
from inspector.attach.inject import bring_agent
from inspector.errors import AttachError
from tests.helpers.command_line import command_environment, command_line
from tests.helpers.targets import Target
from tests.helpers.unprepared import close_stdin, detach, own_threads, unprepared

BUSY_KINDS = ("busy", "malloc", "dlopen", "idle")
ROUNDS = [
    pytest.param(5, id="short"),
    pytest.param(50, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
]
MOST_TRIES = 6


def attach_and_detach(target: Target, rounds: int) -> int:
    """That often; how often the target was busy."""
    busy = 0
    for _ in range(rounds):
        busy += brought(target.pid)
        detach(target.pid)
    return busy


def brought(pid: int) -> int:
    """Bring the agent in; how often the target was busy before that worked."""
    for tries in range(MOST_TRIES):
        try:
            bring_agent(pid, Method.INJECT)
        except AttachError as error:
            if not str(error).startswith("busy"):
                raise
        else:
            return tries
    pytest.fail(f"busy {MOST_TRIES} times")


def assert_right(target: Target) -> None:
    """It ends by itself, with the right answer."""
    close_stdin(target)
    assert target.expect("done")["right"]
    assert target.process.wait(60) == 0


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("kind", BUSY_KINDS)
def test_a_target_that_is_attached_again_and_again_ends_alive_and_leaks_nothing(
    kind: str, rounds: int
):
    with unprepared(kind) as target:
        attach_and_detach(target, 1)
        before = left_in(target.pid)
        busy = attach_and_detach(target, rounds)
        after = left_in(target.pid)
        assert_right(target)
    print(f"{kind}: {rounds} rounds, {busy} times busy")
    assert after == before


def left_in(pid: int) -> tuple[int, int, int]:
    """Descriptors, threads of ours, and mappings of code without a file."""
    code = [each for each in procfs.mappings(pid) or () if each.flags == "r-xp" and not each.path]
    return min(open_descriptors(pid)), len(own_threads(pid)), len(code)


def open_descriptors(pid: int) -> Iterator[int]:
    """Some looks at how many there are.

    A target that loads libraries opens some itself, for longer where it waits for a processor.
    """
    for _ in range(100):
        yield len(list(Path(f"/proc/{pid}/fd").iterdir()))
        time.sleep(0.005)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_busy_target_with_many_threads_bears_two_hundred_attachments():
    with unprepared("busy") as target:
        busy = attach_and_detach(target, 200)
        assert_right(target)
    print(f"busy: 200 rounds, {busy} times busy")


DEATHS = [
    pytest.param(4, id="short"),
    pytest.param(60, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
]


@pytest.mark.parametrize("deaths", DEATHS)
@pytest.mark.parametrize("victim", ["viewer", "injector"])
def test_whoever_attaches_is_killed_at_any_moment_and_the_target_runs_on(victim: str, deaths: int):
    chance, arrived = random.Random(deaths), 0  # noqa: S311 - no secret
    with unprepared("busy") as target:
        for _ in range(deaths):
            kill_one(target.pid, victim, chance.uniform(0.0, 0.8))
            assert procfs.thread_state(target.pid, target.pid) not in ("", "Z", "t", "T")
            if own_threads(target.pid):
                arrived += 1
                with contextlib.suppress(AttachError):
                    detach(target.pid)
        assert_right(target)
    print(f"{victim}: killed {deaths} times, {arrived} times the agent came in all the same")


def kill_one(pid: int, victim: str, after_secs: float) -> None:
    """Begin to attach, then kill the viewer or the injector too; returns when both have gone."""
    viewer = subprocess.Popen(
        command_line("attach", pid, "--headless", "--inject"),
        env=command_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    children = Path(f"/proc/{viewer.pid}/task/{viewer.pid}/children")
    while not (started := children.read_text().split()) and viewer.poll() is None:
        time.sleep(0.002)
    time.sleep(after_secs)  # a random moment is intended
    viewer.kill()
    viewer.wait()
    for child in started if victim == "injector" else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)
    until = time.monotonic() + 60
    while (
        any(procfs.thread_state(int(child), int(child)) not in ("", "Z") for child in started)
        and time.monotonic() < until
    ):
        time.sleep(0.005)
