"""The ways in without a code change: the environment and the launcher."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.helpers.tables import read_table
from tests.helpers.targets import ROOT, start_command

PTH = (ROOT / "arc_inspector.pth").read_text().strip()
PROGRAM = """
import sys
from inspector import agent
from inspector.agent.agent import segment_path
print("ready", flush=True)
import json
state = {"running": agent.is_running(), "segment": segment_path(), "argv": sys.argv,
    "name": __name__, "path0": sys.path[0]}
print("state", json.dumps(state), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(PROGRAM)
    return path


def with_pth(program: Path) -> list[str]:
    """The program, after the interpreter has read the ``.pth`` line as it does at its start."""
    return [
        sys.executable,
        "-c",
        (f"{PTH}\nimport runpy; runpy.run_path({str(program)!r}, run_name='__main__')"),
    ]


def test_the_environment_variable_starts_the_agent_in_any_program(program: Path) -> None:
    with start_command(
        with_pth(program), env={"ARC_INSPECTOR": "1", "ARC_INSPECTOR_LEVEL": "stacks"}
    ) as target:
        state = target.expect("state")
        assert state["running"]
        assert read_table(state["segment"]).level.name == "STACKS"
        assert target.finish() == 0
        assert target.errors() == ""


@pytest.mark.parametrize("value", ["", "0"])
def test_without_it_nothing_is_even_imported(value: str) -> None:
    line = (
        f"{PTH}\nimport sys; print('ready', flush=True); print('modules', int('inspector' in "
        "sys.modules), flush=True)"
    )
    with start_command([sys.executable, "-c", line], env={"ARC_INSPECTOR": value}) as target:
        assert target.expect("modules") == 0


def test_what_goes_wrong_at_the_start_is_one_line_and_the_program_runs(program: Path) -> None:
    with start_command(
        with_pth(program), env={"ARC_INSPECTOR": "1", "ARC_INSPECTOR_LEVEL": "loud"}
    ) as target:
        assert not target.expect("state")["running"]
        assert target.finish() == 0
        assert target.errors() == "arc-inspector: 'loud' is no level: off, count, history, stacks\n"


def launcher(*words: str) -> list[str]:
    return [sys.executable, "-m", "inspector.agent.launch", *words]


def test_a_launched_program_sees_what_it_would_see_without_us(program: Path) -> None:
    with start_command(launcher("--level", "history", str(program), "-v", "x")) as target:
        state = target.expect("state")
        assert state == {
            "running": True,
            "segment": state["segment"],
            "argv": [str(program), "-v", "x"],
            "name": "__main__",
            "path0": str(program.parent),
        }
        table = read_table(state["segment"])
        assert table.program == f"{sys.executable} {program} -v x"
        assert target.finish() == 0


def test_a_module_is_launched_by_its_name(program: Path, tmp_path: Path) -> None:
    with start_command(
        launcher("-m", "app", "x"), env={"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    ) as target:
        state = target.expect("state")
        assert state["argv"] == [str(program), "x"]
        assert state["name"] == "__main__"


@pytest.mark.parametrize(
    ("ending", "status"),
    [("sys.exit(7)", 7), ("sys.exit('bad')", 1), ("pass", 0), ("raise ValueError('mine')", 1)],
)
def test_the_exit_status_is_the_programs(tmp_path: Path, ending: str, status: int) -> None:
    path = tmp_path / "app.py"
    path.write_text(f"import sys\nprint('ready', flush=True)\n{ending}\n")
    with start_command(launcher(str(path))) as target:
        assert target.finish() == status


def test_a_traceback_shows_the_programs_frames_only(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text(
        "print('ready', flush=True)\ndef fail():\n    raise ValueError('mine')\nfail()\n"
    )
    with start_command(launcher(str(path))) as target:
        assert target.finish() == 1
        errors = target.errors()
    assert errors.startswith(
        f'Traceback (most recent call last):\n  File "{path}", line 4, in <module>'
    )
    assert "launch" not in errors
    assert errors.endswith("ValueError: mine\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [([], "nothing to run"), (["/nowhere/app.py"], "No such file or directory: /nowhere/app.py")],
)
def test_nothing_to_launch_is_one_line(words: list[str], line: str) -> None:
    with start_command(launcher(*words), handshake=False) as target:
        assert target.finish() == 2
        assert target.errors().startswith(f"arc-inspector: {line}")
        assert target.errors().count("\n") == 1


def test_functions_registered_at_exit_still_find_the_programs_globals(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text(
        "import atexit\nword = 'bye'\natexit.register(lambda: print(word, "
        "flush=True))\nprint('ready', flush=True)\n"
    )
    with start_command(launcher(str(path))) as target:
        target.expect("bye")
        assert target.finish() == 0
