"""Subcommands are imported when they are used, and the help still tells what each does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from inspector.commands.group import summary
from inspector.commands.subcommands import SUBCOMMANDS, Subcommand
from tests.helpers.targets import ROOT

HELP = """
import sys
from inspector.commands.app import run
run(sys.argv[1:])
HEAVY = ("numpy", "PySide6", "psutil", "inspector.commands")
print(*(name for name in sys.modules if name.startswith(tuple(f"{each}." for each in HEAVY))))
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["no-such-command"]])
def test_help_loads_neither_numpy_nor_a_subcommand(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELP, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.splitlines()[-1].split()) == {
        "inspector.commands.app",
        "inspector.commands.extras",
        "inspector.commands.group",
        "inspector.commands.subcommands",
        "inspector.commands.support",
        "inspector.commands.support.output",
    }


@pytest.mark.parametrize("subcommand", SUBCOMMANDS, ids=lambda each: each.name)
def test_the_summary_is_that_of_the_command_itself(subcommand: Subcommand) -> None:
    command = subcommand.load()
    assert command.name == subcommand.name
    assert summary(subcommand, 60) == command.get_short_help_str(60) != ""
