"""Attaching unprepared processes: foreign interpreters without cffi and without our package."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inspector.attach import procfs
from inspector.attach.agent_folder import PREFIX
from inspector.attach.diagnosis import Method
from inspector.attach.inject import NotComeByError, bring_agent
from inspector.attach.interpreter import TargetMemory
from inspector.errors import AttachError
from tests.helpers.command_line import run_command
from tests.helpers.targets import Target
from tests.helpers.unprepared import (
    MINORS,
    close_stdin,
    detach,
    interpreter,
    own_threads,
    unprepared,
)

KINDS = ("idle", "sleep", "lock", "busy", "malloc", "dlopen", "poll")


def finish(target: Target) -> dict[str, object]:
    """Let it end; returns its last answer."""
    close_stdin(target)
    done: dict[str, object] = target.expect("done")
    assert target.process.wait(60) == 0
    return done


def bring(pid: int) -> None:
    """Inject, and again when the target was busy each time."""
    for _ in range(5):
        try:
            bring_agent(pid, Method.INJECT)
        except AttachError as error:
            if not str(error).startswith("busy"):
                raise
        else:
            return
    pytest.fail("busy five times")


def descriptors(pid: int) -> dict[str, str]:
    """The open descriptors of a process, by number."""
    return {path.name: str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}


def staged_folder(pid: int, region: int) -> Path:
    """The folder of the last injection into a process: its line of Python names it."""
    with TargetMemory(pid) as memory:
        found = re.search(
            rb"/[a-z/]+/" + PREFIX.encode() + rb"[0-9a-f]{16}", memory.read(region, 8192)
        )
    assert found is not None
    return Path(found[0].decode())


@pytest.mark.parametrize("minor", MINORS)
def test_the_agent_comes_into_a_foreign_interpreter_without_cffi_and_goes_without_a_trace(
    minor: str,
):
    with unprepared("sleep", program=interpreter(minor)) as target:
        before = descriptors(target.pid)
        arrival = bring_agent(target.pid, Method.INJECT)
        assert descriptors(target.pid) == before
        assert arrival.found.attachable
        assert arrival.found.runtime.startswith(f"CPython {minor}.")
        assert run_command("handles", target.pid, "--json").json["target"]["state"] == "live"
        detach(target.pid)
        assert descriptors(target.pid) == before
        done = finish(target)
    assert done["right"]
    assert done["names"] == [], "a name was left in the program"
    assert done["finders"] == 3, "a finder was left on sys.meta_path"
    assert done["backend"] is False


@pytest.mark.parametrize("minor", [MINORS[0], MINORS[-1]])
@pytest.mark.parametrize("kind", KINDS)
def test_a_target_of_any_kind_ends_with_the_right_answer(kind: str, minor: str):
    with unprepared(kind, program=interpreter(minor)) as target:
        bring(target.pid)
        done = finish(target)
    assert done["right"]
    assert done["names"] == []


def test_attaching_again_finds_no_memory_of_the_first_time_and_leaves_no_file():
    with unprepared("sleep") as target:
        folders = set()
        for _ in range(2):
            bring_agent(target.pid, Method.INJECT)
            code = [
                each
                for each in procfs.mappings(target.pid) or ()
                if each.flags == "r-xp" and not each.path
            ]
            folder = staged_folder(target.pid, code[0].low)
            assert not folder.exists()
            folders.add(folder)
            detach(target.pid)
            assert [
                each
                for each in procfs.mappings(target.pid) or ()
                if each.flags == "r-xp" and not each.path
            ] == []
        assert len(folders) == 2


def test_a_stopped_process_is_refused_with_the_cause_and_runs_on_afterwards():
    with unprepared("busy") as target:
        os.kill(target.pid, signal.SIGSTOP)
        while procfs.thread_state(target.pid, target.pid) != "T":
            time.sleep(0.001)
        refused = run_command("attach", target.pid, "--headless", "--inject")
        refused.assert_one_line_error(3, "is stopped by a signal", f"kill -CONT {target.pid}")
        assert own_threads(target.pid) == []
        os.kill(target.pid, signal.SIGCONT)
        assert finish(target)["right"]


def test_without_consent_nothing_is_done():
    with unprepared("idle") as target:
        refused = run_command("attach", target.pid, "--headless")
        refused.assert_one_line_error(
            3, "needs your consent", (f"arc-inspector attach {target.pid} --inject")
        )
        assert own_threads(target.pid) == []


def test_an_injector_finishes_although_the_one_who_asked_is_gone():
    code = (
        "import os, subprocess, sys, json; from inspector.attach import inject; import "
        "threading, time;"
        "threading.Thread(target=inject.bring_agent, args=({pid}, inject.Method.INJECT), "
        "daemon=True).start();"
        "time.sleep({delay}); os._exit(9)"
    )
    with unprepared("busy") as target:
        for delay in (0.0, 0.05, 0.15):
            subprocess.run(
                [sys.executable, "-c", code.format(pid=target.pid, delay=delay)],
                check=False,
                capture_output=True,
            )
        until = time.monotonic() + 60
        while not own_threads(target.pid) and time.monotonic() < until:
            time.sleep(0.02)
        assert own_threads(target.pid)
        assert finish(target)["right"]


@pytest.fixture(scope="module")
def python_314() -> str:
    return interpreter("3.14")


class TestRemote:
    def test_a_main_thread_that_comes_by_brings_the_agent_in(self, python_314: str):
        with unprepared("sleep", program=python_314) as target:
            assert bring_agent(target.pid, Method.REMOTE).paused_secs == 0
            detach(target.pid)
            assert finish(target)["right"]

    def test_a_main_thread_that_waits_is_named_and_can_be_nudged(self, python_314: str):
        with unprepared("idle", program=python_314) as target:
            with pytest.raises(NotComeByError, match="waits in read"):
                bring_agent(target.pid, Method.REMOTE)
            assert own_threads(target.pid) == []
            bring_agent(target.pid, Method.REMOTE, nudge=True)
            assert finish(target)["right"]

    def test_one_that_waits_for_a_lock_cannot_be_nudged_but_injected(self, python_314: str):
        with unprepared("lock", program=python_314) as target:
            with pytest.raises(NotComeByError, match="waits on a lock"):
                bring_agent(target.pid, Method.REMOTE, nudge=True)
            bring(target.pid)
            assert finish(target)["right"]

    def test_one_with_remote_debugging_off_is_told_so(self, python_314: str):
        with unprepared(
            "sleep", program=python_314, options=("-I", "-S", "-X", "disable-remote-debug")
        ) as target:
            with pytest.raises(AttachError, match="switched off"):
                bring_agent(target.pid, Method.REMOTE)
            bring(target.pid)
