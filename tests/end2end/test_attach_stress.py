"""Attaching again and again, and dying in the midst of it: the target ends with the right answer. Short here, long with ``./dev soak``."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from inspector.attach import procfs
from inspector.attach.arriving import bring_agent
from inspector.attach.way import Way
from inspector.errors import AttachError
from tests.helpers.command_line import command_environment, command_line
from tests.helpers.targets import Target
from tests.helpers.unprepared import close_stdin, detach, own_threads, unprepared

BUSY_KINDS = ("busy", "malloc", "dlopen", "idle")
ROUNDS = [pytest.param(4, id="short"), pytest.param(50, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)])]
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
            bring_agent(pid, Way.INJECT)
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
    assert target.process.wait(30) == 0


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("kind", BUSY_KINDS)
def test_a_target_that_is_attached_again_and_again_ends_alive_and_leaks_nothing(kind: str, rounds: int):
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
    descriptors = min(len(list(Path(f"/proc/{pid}/fd").iterdir())) for _ in range(50))  # a target that loads libraries opens some itself
    return descriptors, len(own_threads(pid)), len(code)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_busy_target_with_many_threads_bears_two_hundred_attachments():
    with unprepared("busy") as target:
        busy = attach_and_detach(target, 200)
        assert_right(target)
    print(f"busy: 200 rounds, {busy} times busy")


DEATHS = [pytest.param(4, id="short"), pytest.param(60, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)])]


@pytest.mark.parametrize("deaths", DEATHS)
@pytest.mark.parametrize("victim", ["viewer", "injector"])
def test_whoever_attaches_is_killed_at_any_moment_and_the_target_runs_on(victim: str, deaths: int):
    chance, arrived = random.Random(deaths), 0  # noqa: S311 - no secret
    with unprepared("busy") as target:
        for _ in range(deaths):
            kill_one(target.pid, victim, chance.uniform(0.2, 1.4))
            assert procfs.thread_state(target.pid, target.pid) not in ("", "Z", "t", "T")
            if own_threads(target.pid):
                arrived += 1
                with contextlib.suppress(AttachError):
                    detach(target.pid)
        settle(target.pid)
        assert_right(target)
    print(f"{victim}: killed {deaths} times, {arrived} times with the agent in already")


def kill_one(pid: int, victim: str, after_secs: float) -> None:
    """Begin to attach, and kill the one who asked, or the injector too, after a while."""
    viewer = subprocess.Popen(
        command_line("attach", pid, "--headless", "--inject"),
        env=command_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_secs)  # a random moment is what is asked for
    children = Path(f"/proc/{viewer.pid}/task/{viewer.pid}/children").read_text().split()
    viewer.kill()
    viewer.wait()
    for child in children if victim == "injector" else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)


def settle(pid: int) -> None:
    """Wait until no injector works on it any more, so that the target may end."""
    until = time.monotonic() + 40
    while injectors(pid) and time.monotonic() < until:
        time.sleep(0.02)


def injectors(pid: int) -> list[str]:
    """Injectors that run, as far as they hold something of the process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if b"inspector.attach.injector" in path.read_bytes() and holds(path.parent, pid):
                found.append(path.parent.name)
    return found


def holds(process: Path, pid: int) -> bool:
    """Whether a process has the memory or the files of another open."""
    links = []
    for link in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(str(link.readlink()))
    return any(link.startswith(f"/proc/{pid}/") or "arc-inspector-arrival" in link for link in links)
