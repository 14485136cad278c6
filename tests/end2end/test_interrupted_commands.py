"""Ctrl+C during each command that waits for a process.

Status 130, no traceback, at most one line, and nothing is left behind.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.command_line import command_environment, command_line
from tests.helpers.targets import PATIENCE_SECS, Target, start_target

COMMANDS = {
    "handles": ("handles", "PID"),
    "pending": ("pending", "PID"),
    "findings": ("findings", "PID", "--for", "1h"),
    "gc": ("gc", "PID"),
    "drain": ("drain", "PID"),
    "audit": ("audit", "PID"),
    "close": ("close", "PID", "#1.1"),
    "adapters": ("adapters", "PID"),
    "detach": ("detach", "PID"),
    "shot": ("shot", "PID", "-o", "FILE"),
}
"""Each on a process that is stopped, so that none of its answers ends the command. ``record`` is
meant to be ended so."""


def has_opened(process: subprocess.Popen[str], segment: str) -> bool:
    """Whether the command reads the process's segment or waits at its socket by now."""
    for each in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            place = str(each.readlink())
        except OSError:
            continue
        if place == segment or place.startswith("socket:"):
            return True
    return False


def interrupted(words: tuple[str, ...], target: Target) -> tuple[int, str]:
    """The command's status and stderr when SIGINT comes while it waits."""
    process = subprocess.Popen(
        command_line(*words),
        env=command_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        until = time.monotonic() + PATIENCE_SECS
        while (
            process.poll() is None
            and not has_opened(process, target.ready["segment"])
            and time.monotonic() < until
        ):
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_SECS)
    return process.returncode, said


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_ends_a_command_that_waits(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "saved.png"
    with start_target("todo") as target:
        target.ask("item milk buy")
        target.stop()
        words = tuple(
            {"PID": str(target.pid), "FILE": str(file)}.get(word, word)
            for word in COMMANDS[command]
        )
        status, said = interrupted(words, target)
        target.send_signal(signal.SIGCONT)
        assert (status, len(said.splitlines()) <= 1, "Traceback" in said) == (130, True, False), (
            said
        )
        assert [each.name for each in tmp_path.iterdir() if each.name != "config"] == []
        target.tell("drop milk")
        target.expect("drop")
        assert target.finish() == 0


def test_ctrl_c_reaches_a_program_that_is_checked(tmp_path: Path) -> None:
    program = tmp_path / "waits.py"
    program.write_text(
        "import sys, time\nprint('ready', flush=True)\nwhile True:\n    time.sleep(3600)\n"
    )
    for words in (
        ("check", "--", sys.executable, str(program)),
        ("run", "--headless", sys.executable, str(program)),
    ):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            command_line(*words), env=command_environment(), text=True, **pipes
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE_SECS)
        assert process.returncode == 130, (words, said)
        # the program's own
        assert sum(line.startswith("Traceback") for line in said.splitlines()) <= 1, said
