"""Programs that are no plain script: out of a zip, with several interpreters, behind a launcher."""

from __future__ import annotations

import sys
import zipapp
from pathlib import Path

import pytest

from inspector.attach.diagnosis import Method
from inspector.attach.inject import bring_agent
from inspector.attach.interpreters import count_interpreters
from tests.helpers.command_line import run_command
from tests.helpers.targets import ROOT, TARGETS, start_command
from tests.helpers.unprepared import MINORS, detach, interpreter, own_threads

OTHER_INTERPRETERS = str(TARGETS / "other_interpreters.py")
IN_A_ZIP = """\
import sys
from inside import Session
kept = []
print("ready", flush=True)
for line in sys.stdin:
    kept.append(Session())
    print("made", flush=True)
"""
INSIDE = """\
class Session:
    def __init__(self):
        self._handle = 7
"""


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def archive(folder: Path) -> Path:
    """A program of two modules in one zip."""
    source = folder / "program"
    source.mkdir()
    (source / "__main__.py").write_text(IN_A_ZIP)
    (source / "inside.py").write_text(INSIDE)
    zipapp.create_archive(source, folder / "program.pyz")
    return folder / "program.pyz"


def test_a_program_in_a_zip_is_attached_and_its_lines_are_named_by_the_modules_in_it(
    tmp_path: Path,
) -> None:
    declared = tmp_path / "declared.toml"
    declared.write_text('[[proxy]]\nclass = "inside.Session"\nhandle = "_handle"\n')
    with start_command(
        [sys.executable, str(archive(tmp_path))], env={"ARC_INSPECTOR_ADAPTERS": str(declared)}
    ) as target:
        assert run_command("doctor", target.pid).status == 0
        bring_agent(target.pid, Method.INJECT, level="stacks")
        target.ask("made")
        shown = run_command("handles", target.pid, "--json")
        (row,) = shown.json["handles"]
        assert (row["type"], row["site"]) == ("Session", "__main__.py:6 <module>")
        assert shown.json["target"]["name"] == "program.pyz"
        detach(target.pid)
        target.ask("made")
        assert target.finish() == 0


def test_objects_of_other_interpreters_are_said_to_be_unseen_by_every_command() -> None:
    with start_command([sys.executable, OTHER_INTERPRETERS, "2"]) as target:
        text = "runs 2 sub-interpreters, whose objects an agent does not see"
        fix = f"arc-inspector handles {target.pid} --read-only"
        for _ in range(2):
            done = run_command("doctor", target.pid)
            assert done.status == 0
            assert text in done.out
            assert fix in done.out
            if not own_threads(target.pid):
                bring_agent(target.pid, Method.INJECT)
        shown = run_command("handles", target.pid)
        assert shown.status == 0
        assert shown.err.splitlines() == [
            (f"arc-inspector: the process {text}; look from outside: {fix}")
        ]
        detach(target.pid)
        assert target.finish() == 0


@pytest.mark.parametrize("minor", MINORS)
def test_interpreters_are_counted_in_each_version(minor: str) -> None:
    python = interpreter(minor)
    for count in (0, 2):
        with start_command([python, "-I", OTHER_INTERPRETERS, str(count)]) as target:
            assert count_interpreters(target.pid) == 1 + count
            assert target.finish() == 0


def test_a_launcher_says_which_of_its_children_runs_the_program() -> None:
    child = (
        'import os; print("ready", os.getpid(), flush=True); import sys; sys.stdin.read()  '
        f"# {ROOT}"
    )
    with start_command(["/bin/sh", "-c", '"$0" -c "$1"; exit 7', sys.executable, child]) as target:
        program = target.ready
        text = f"runs no Python, and has started process {program}, which runs Python"
        done = run_command("doctor", target.pid)
        assert done.status == 3
        assert text in done.out
        run_command("attach", target.pid, "--headless", "--inject").assert_one_line_error(
            3, text, f"arc-inspector attach {program}"
        )
        run_command("handles", target.pid).assert_one_line_error(
            3, text, (f"arc-inspector attach {program}")
        )
        assert run_command("doctor", program).status == 0
        assert target.finish() == 7
