"""``record --ring``: files of the last minutes, when something happens to a real process."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.session.replay import ReplaySession
from tests.helpers.command_line import command_environment, command_line, run_command
from tests.helpers.packed import unpacked
from tests.helpers.targets import PATIENCE_SECS, Target, start_target


@contextmanager
def recorder(target: Target, path: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A recorder that has opened the process."""
    command = command_line(
        "record", target.pid, "-o", path, "--ring", "10min", "--every", "50ms", *words
    )
    with subprocess.Popen(
        command,
        env=command_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until = time.monotonic() + PATIENCE_SECS
            while not handles(process.pid, signal.SIGUSR1):
                assert process.poll() is None
                assert time.monotonic() < until
                target.ask("numbers")
            yield process
        finally:
            process.kill()


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def marks_of(path: Path) -> list[str]:
    session = ReplaySession(path)
    try:
        assert session.trouble == ""
        assert len(session.moments) >= 1
        return [name for _, name in session.marks]
    finally:
        session.end()


def test_a_rule_a_signal_and_a_death_each_write_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ring.arcs"
    secret = "hunter2-of-the-customer"  # noqa: S105 - a word to look for
    with (
        start_target("todo", "history", f"--password={secret}") as target,
        recorder(target, path) as process,
    ):
        target.ask(f"journal j {tmp_path / 'journal'}")
        target.ask("drop j")
        said = line_of(process)
        assert said.startswith("saved ")
        assert said.rstrip().endswith(marks_of(path)[0])
        assert "Journal dropped without close" in said
        process.send_signal(signal.SIGUSR1)
        assert "asked for by a signal" in line_of(process)
        assert marks_of(tmp_path / "ring-2.arcs")[-1] == "asked for by a signal"
        target.kill()
        assert "the process was killed or crashed" in line_of(process)
        assert process.wait(PATIENCE_SECS) == 0
    files = list(tmp_path.glob("*.arcs"))
    assert len(files) == 3
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    assert [each for each in files if secret.encode() in unpacked(each)] == []


def test_ctrl_c_writes_and_another_rule_does_not(tmp_path: Path) -> None:
    path = tmp_path / "ring.arcs"
    with (
        start_target("todo") as target,
        recorder(target, path, "--when", "leak-suspect") as process,
    ):
        target.ask(f"journal j {tmp_path / 'journal'}")
        target.ask("drop j")
        process.send_signal(signal.SIGINT)
        assert "ended by Ctrl+C" in line_of(process)
        assert process.wait(PATIENCE_SECS) == 0
    assert [each.name for each in tmp_path.glob("*.arcs")] == ["ring.arcs"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--ring", "10min", "--when", "no-rule"), "the rules are "),
        (("--when", "leak-suspect"), "--when goes with --ring"),
        (("--ring", "soon"), "a span of time is written"),
        (("--ring", "1min", "--force"), "--ring replaces no file"),
        (("--ring", "1min", "-o", "/nowhere/a.arcs"), "there is no such folder: /nowhere"),
    ],
)
def test_wrong_use_is_one_line(words: tuple[str, ...], error: str, tmp_path: Path) -> None:
    given = words if "-o" in words else ("-o", str(tmp_path / "a.arcs"), *words)
    run_command("record", 1, *given).assert_one_line_error(2, error)
