"""The command line of the launcher, and whose process it is not to watch."""

from __future__ import annotations

import os

import pytest

from inspector.agent.launch import Program, parse
from inspector.errors import UsageError


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["app.py", "-v", "--level"], ("count", Program("--", "app.py", ("-v", "--level")))),
        (["--level", "stacks", "app.py"], ("stacks", Program("--", "app.py"))),
        (["-m", "package.app", "-m", "x"], ("count", Program("-m", "package.app", ("-m", "x")))),
        (["--level", "history", "-m", "app"], ("history", Program("-m", "app"))),
        (["-c", "print()", "-c"], ("count", Program("-c", "print()", ("-c",)))),
        (["-", "x"], ("count", Program("-", "-", ("x",)))),
        (["--", "-odd.py", "x"], ("count", Program("--", "-odd.py", ("x",)))),
    ],
)
def test_everything_after_the_target_belongs_to_the_program(
    words: list[str], expected: tuple[str, Program]
) -> None:
    assert parse(words) == expected


@pytest.mark.parametrize(
    "words", [[], ["-m"], ["--level"], ["--level", "count"], ["--unknown", "app.py"]]
)
def test_a_command_line_without_a_target_is_wrong_use(words: list[str]) -> None:
    with pytest.raises(UsageError, match="TARGET"):
        parse(words)


@pytest.mark.parametrize(
    ("line", "is_own"),
    [
        ("python -m inspector attach 12", True),
        ("python -X dev -W error -m inspector.agent.launch app.py", True),
        ("/venv/bin/python /venv/bin/arc-inspector ps", True),
        ("python -I /venv/lib/_arc_inspector.py inspector.agent.launch -- app.py", True),
        ("python -m inspector.demo", False),
        ("python app.py inspector", False),
        ("python -m inspectors", False),
        ("python -c pass arc-inspector", False),
        ("python", False),
    ],
)
def test_the_inspector_is_never_a_target_of_itself(
    line: str, is_own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # importing the module starts nothing here
    monkeypatch.setattr("sys.orig_argv", ["python", "-m", "inspector"])
    from inspector.agent.autostart import is_own_process

    assert is_own_process(line.split()) is is_own
    assert os.environ.get("ARC_INSPECTOR", "0") == "0"
