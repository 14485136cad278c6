"""Example programs in other languages: a step a line, and an answer a line, without sleeping."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.targets import PATIENCE_SECS


@contextmanager
def running(
    program: Path,
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    words: Sequence[str | Path] = (),
) -> Iterator[subprocess.Popen[str]]:
    """The program with these words, ready for its steps; it has to end well when its input ends."""
    errors = folder / "errors"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [program, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **(env or {})},
        ) as child,
    ):
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n", errors.read_text()
            yield child
            assert child.stdin is not None
            child.stdin.close()
            assert child.wait(PATIENCE_SECS) == 0, errors.read_text()
        finally:
            child.kill()


def step(child: subprocess.Popen[str], words: str) -> list[int]:
    """Have the program do a step; returns the numbers that it answers."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{words}\n")
    child.stdin.flush()
    return [int(word) for word in child.stdout.readline().split()]
