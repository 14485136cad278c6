"""The table of faults."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("faults.toml")


class StaleFaultError(ValueError):
    """The text that a fault replaces is not in its file, or there more than once."""


@dataclass(frozen=True)
class Fault:
    """A wrong line, and the tests that must notice it."""

    what: str
    """What the product does wrong then."""
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def commands(self, python: str) -> list[list[str]]:
        """The commands that run the tests: cargo's from ``native``, pytest's from the top."""
        cargo = [shlex.split(test) for test in self.tests if test.startswith("cargo ")]
        pytests = [test for test in self.tests if not test.startswith("cargo ")]
        commands = [["cargo", "test", "-q", "--locked", *words[1:]] for words in cargo]
        return commands + (
            [[python, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *pytests]]
            if pytests
            else []
        )


def read_faults() -> list[Fault]:
    """All of the table."""
    return [
        Fault(**{**row, "tests": tuple(row["tests"])})
        for row in tomllib.loads(TABLE.read_text())["fault"]
    ]


def chosen(faults: Sequence[Fault], words: Sequence[str]) -> list[Fault]:
    """Faults whose file or description has one of the words; all without a word."""
    return [
        fault
        for fault in faults
        if not words or any(word in fault.file or word in fault.what for word in words)
    ]


def put_in(fault: Fault, text: str) -> str:
    """The text of the file with the fault. Raises ``StaleFaultError``."""
    if text.count(fault.old) != 1:
        raise StaleFaultError(f"{fault.file} has {text.count(fault.old)} places for: {fault.what}")
    return text.replace(fault.old, fault.new)
