"""How a program ends with the agent in it: at once, as without it, and with nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.command_line import command_environment, run_command
from tests.helpers.targets import PATIENCE_SECS, start_command

SLOW_WORKER = """
from inspector.agent import agent, start, worker
worker.IDLE_MILLIS = agent.EXIT_JOIN_SECS = 3_600_000
start()
"""
STARTED = """
import os, signal, sys
from inspector.agent import start
start()
"""
ENDINGS = {
    "the end of the script": "",
    "an exit status": "sys.exit(3)",
    "an exception": "raise RuntimeError('the program fails')",
}
KILLED = {
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "os._exit": "os._exit(0)",
    "os.abort": "os.abort()",
    "exec": f"os.execv({sys.executable!r}, [{sys.executable!r}, '-c', ''])",
}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def run(code: str) -> int:
    """The status of a program with this text; the time only guards against hanging."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=command_environment(), capture_output=True, timeout=PATIENCE_SECS, check=False
    ).returncode


def left(folder: Path) -> list[str]:
    """Suffixes of the agent's files that still exist, including hidden files."""
    return sorted(path.suffix for path in folder.rglob("*") if path.is_file() or path.is_socket())


def test_the_worker_is_woken_when_the_program_ends() -> None:
    # Neither the worker's next look nor the longest wait for it is over within the test: only being
    # woken ends it.
    assert run(SLOW_WORKER) == 0


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_program_that_ends_by_itself_leaves_no_file(tmp_path: Path, ending: str) -> None:
    run(STARTED + ending)
    assert left(tmp_path) == []


@pytest.mark.parametrize("ending", KILLED.values(), ids=KILLED.keys())
def test_a_program_that_is_replaced_leaves_its_last_state_and_its_socket_goes_later(
    tmp_path: Path, ending: str
) -> None:
    run(STARTED + ending)
    assert ".seg" in left(tmp_path)
    assert run(STARTED) == 0
    assert left(tmp_path) == [".seg"]


REPLACED = """
import os, sys
from inspector.agent import start
start()
print("ready", flush=True)
sys.stdin.readline()
os.execv(sys.executable, [sys.executable, "-I", "-c", "import sys; print('replaced', flush=True); sys.stdin.read()"])
"""


def test_a_process_that_replaced_its_program_is_not_called_killed_or_crashed() -> None:
    with start_command([sys.executable, "-c", REPLACED]) as target:
        target.tell("go")
        target.expect("replaced")
        known = next(
            line
            for line in run_command("ps", "--all").out.splitlines()
            if line.split()[:1] == [str(target.pid)]
        )
        assert "killed or crashed" not in known
        for command in ("handles", "gc"):
            done = run_command(command, target.pid)
            assert "killed or crashed" not in done.out + done.err
            assert "runs another program now" in done.out + done.err
        assert target.finish() == 0
