"""Runs ``arc-inspector`` as a person or a script would, in a process of its own."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.helpers.command_server import CommandServer
from tests.helpers.targets import ROOT

PATIENCE_SECS = 100.0
"""A guard against hanging, no expectation about speed."""
READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_")
"""How names of variables begin that matter before a command begins."""


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, as JSON."""
        return json.loads(self.out)

    def assert_one_line_error(self, status: int, *parts: str) -> None:
        """It ended so, with nothing on stdout and one line on stderr that holds all parts."""
        assert self.status == status, self
        assert self.out == "", self
        lines = self.err.splitlines()
        assert len(lines) == 1, self
        assert lines[0].startswith("arc-inspector: "), self
        for part in parts:
            assert part in lines[0], self


def run_command(
    *words: str | int, env: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
) -> Finished:
    """``arc-inspector words…`` without a display.

    ``prefix`` is a command that runs it, such as ``setpriv``. A command with a prefix, or with
    variables that an interpreter reads when it starts, has an interpreter of its own; others are
    started by the server.
    """
    environment = command_environment(env)
    if not prefix and not any(name.startswith(READ_AT_START) for name in env or {}):
        return _run_by_server(list(map(str, words)), environment)
    done = subprocess.run(
        [*prefix, *command_line(*words)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        stdin=subprocess.DEVNULL,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def _run_by_server(words: list[str], environment: Mapping[str, str]) -> Finished:
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        _server().start(words, environment, stdout=out.fileno(), stderr=err.fileno()) as answers,
    ):
        answers.settimeout(PATIENCE_SECS)
        pid = int(answers.recv(32))
        try:
            status = int(answers.recv(32))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return Finished(status, *texts)


@cache
def _server() -> CommandServer:
    """One for all tests of this process, ended with it."""
    server = CommandServer(command_environment())
    atexit.register(server.close)
    return server


def command_line(*words: str | int) -> list[str]:
    """The words after the interpreter's."""
    return [sys.executable, "-m", "inspector", *map(str, words)]


def command_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without a display, with the package importable."""
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "ARC_INSPECTOR"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "PYTHONPATH": str(ROOT), **(more or {})}
