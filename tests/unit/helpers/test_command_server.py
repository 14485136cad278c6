"""Commands that the server starts are processes of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.helpers.command_line import command_environment, command_line, run_command


@pytest.mark.parametrize("words", [("--version",), ("nonesuch",), ("handles", "--help")])
def test_a_command_prints_and_ends_as_in_an_interpreter_of_its_own(words: tuple[str, ...]) -> None:
    alone = subprocess.run(
        command_line(*words), env=command_environment(), capture_output=True, text=True
    )
    done = run_command(*words)
    assert (done.status, done.out, done.err) == (alone.returncode, alone.stdout, alone.stderr)


def test_a_command_has_the_folder_and_the_variables_of_its_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.arcs").write_bytes(b"none")
    monkeypatch.chdir(tmp_path)
    shown = run_command("handles", "bad.arcs")
    assert "bad.arcs" in shown.err
    assert run_command("handles", "bad.arcs", env={"COLUMNS": "40"}).err == shown.err
    monkeypatch.chdir("/")
    assert run_command("handles", "bad.arcs").err != shown.err
