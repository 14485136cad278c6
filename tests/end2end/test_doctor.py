"""``arc-inspector doctor`` on real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from inspector.attach import procfs
from tests.helpers.command_line import run_command
from tests.helpers.targets import start_target
from tests.helpers.unprepared import unprepared
from tests.helpers.users import NOBODY, as_user, need_own_python, need_root

NO_PROCESS = 4_199_015


def causes(pid: int, status: int = 3) -> list[str]:
    """Keys of doctor's answer about a process."""
    done = run_command("doctor", pid, "--json")
    assert done.status == status, done
    assert done.json["attachable"] == (status == 0)
    return [each["key"] for each in done.json["causes"]]


def test_a_process_that_can_be_attached_says_how():
    with unprepared("idle") as target:
        done = run_command("doctor", target.pid)
        assert done.status == 0
        assert f"arc-inspector attach {target.pid}" in done.out
        assert causes(target.pid, 0) == []


def test_one_with_an_agent_is_attached_at_once():
    with start_target("todo") as target:
        assert "at once" in run_command("doctor", target.pid).out


def test_no_process_no_python_stopped_and_traced_are_told_apart():
    assert causes(NO_PROCESS) == ["no-process"]
    with subprocess.Popen(["/bin/sleep", "100"]) as sleeper:
        try:
            assert causes(sleeper.pid)[0] in ("no-python", "unreadable")
        finally:
            sleeper.kill()
    with unprepared("idle") as target:
        os.kill(target.pid, signal.SIGSTOP)
        while procfs.thread_state(target.pid, target.pid) != "T":
            pass
        assert causes(target.pid) == ["stopped"]
        seen = run_command("doctor", target.pid, "--json").json["fallback"]
        assert [each["tid"] for each in seen["threads"]] == [target.pid]
        assert "as a fallback (read only" in run_command("doctor", target.pid).out
        os.kill(target.pid, signal.SIGCONT)


def test_one_that_a_debugger_holds_names_the_debugger():
    seize = (
        "import ctypes, sys; l = ctypes.CDLL(None); print(l.ptrace(0x4206, {pid}, None, "
        "None), flush=True); sys.stdin.read()"
    )
    with (
        unprepared("idle") as target,
        subprocess.Popen(
            [sys.executable, "-c", seize.format(pid=target.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as tracer,
    ):
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == b"0\n"
        done = run_command("attach", target.pid, "--headless", "--inject")
        done.assert_one_line_error(3, "is traced by python", f"({tracer.pid})")
        assert tracer.stdin is not None
        tracer.stdin.close()


def test_root_attaches_another_users_process_as_that_user():
    need_root()
    os.chown(os.environ["XDG_RUNTIME_DIR"], NOBODY, NOBODY)
    with unprepared("sleep", program=need_own_python(), prefix=as_user(NOBODY)) as target:
        done = run_command("attach", target.pid, "--headless", "--inject", "--json")
        assert done.status == 0, done
        assert done.json["way"] == "inject"
        assert Path(done.json["segment"]).stat().st_uid == NOBODY


def test_the_machine_is_checked_by_attaching_once():
    done = run_command("doctor", "--json")
    assert done.status == 0, done
    checks = {each["key"]: each["well"] for each in done.json["checks"]}
    assert checks["attach"]
    assert checks["system"]
