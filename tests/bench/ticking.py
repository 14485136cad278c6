"""How long a process's threads stand still during some work, beside a process left alone."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.helpers.targets import TARGETS, Target
from tests.helpers.unprepared import unprepared


@dataclass
class Lateness:
    """By round, the longest lateness in seconds: of the native and the Python thread."""

    native: list[float] = field(default_factory=list)
    python: list[float] = field(default_factory=list)

    def take(self, target: Target) -> None:
        """Add the lateness that a target saw since the last request."""
        seen = target.ask("take")
        self.native.append(seen["native"])
        self.python.append(seen["python"])


@dataclass
class Pair:
    """Two processes alike."""

    first: Target
    second: Target

    def measure(
        self, rounds: int, work: Callable[[int], object], after: Callable[[int], object]
    ) -> tuple[Lateness, Lateness]:
        """Lateness of a process during ``work``, and of the other, left alone.

        ``after`` is not measured.
        """
        attached, control = Lateness(), Lateness()
        for number in range(rounds):
            one, other = (self.first, self.second) if number % 2 else (self.second, self.first)
            for each in (one, other):
                each.ask("take")
            work(one.pid)
            attached.take(one)
            control.take(other)
            after(one.pid)
        return attached, control


@contextlib.contextmanager
def ticking_pair() -> Iterator[Pair]:
    """Two such processes; skips the test where there is no compiler."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "ticking.so")
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", library, TARGETS / "ticking.c"], check=True
        )
        with (
            unprepared(str(library), script=TARGETS / "ticking.py") as first,
            unprepared(str(library), script=TARGETS / "ticking.py") as second,
        ):
            yield Pair(first, second)
