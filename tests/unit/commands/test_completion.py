"""Completion knows every command and its options, and each shell takes the script."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from inspector.commands.app import run
from inspector.commands.completion import WRITERS, command_words
from inspector.commands.subcommands import SUBCOMMANDS


def test_every_command_has_its_options() -> None:
    words = command_words()
    assert list(words) == [each.name for each in SUBCOMMANDS]
    assert {"--json", "--filter", "--with-command", "--help"} <= {*words["handles"]}


BASH = shutil.which("bash") or "bash"


@pytest.mark.parametrize("shell", WRITERS)
def test_the_script_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert [each.name for each in SUBCOMMANDS if each.name not in text] == []
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [("arc-inspector han", {"handles"}), ("arc-inspector handles --with-c", {"--with-command"})],
)
def test_bash_completes_commands_and_options(
    line: str, wanted: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(["completion", "bash"])
    words = line.split()
    script = (
        f"{capsys.readouterr().out}\nCOMP_WORDS=({' '.join(words)})\n"
        f'COMP_CWORD={len(words) - 1}\n_arc_inspector\necho "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run([BASH, "-c", script], capture_output=True, text=True, check=True)
    assert {*done.stdout.split()} == wanted


def test_another_shell_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err
