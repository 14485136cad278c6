"""Runs ``arc-inspector`` as a person or a script would, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.helpers.targets import ROOT

PATIENCE_SECS = 100.0
"""A guard against hanging, no expectation about speed."""


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

    ``prefix`` is a command that runs it, such as ``setpriv``.
    """
    done = subprocess.run(
        [*prefix, *command_line(*words)],
        env=command_environment(env),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        stdin=subprocess.DEVNULL,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def command_line(*words: str | int) -> list[str]:
    """The words after the interpreter's."""
    return [sys.executable, "-m", "inspector", *map(str, words)]


def command_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without a display, with the package importable."""
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "ARC_INSPECTOR"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "PYTHONPATH": str(ROOT), **(more or {})}
