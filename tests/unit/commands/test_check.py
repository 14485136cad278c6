"""``check``: the parts of its command line, and the words of its verdict."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from inspector.commands.support.check_files import (
    MOST_SHOWN,
    require_report,
    sarif_text,
    summary_text,
    write_over,
)
from inspector.commands.support.check_report import Verdict, junit_text, read_verdict
from inspector.commands.support.python_command import PythonCommand, parse_command
from inspector.errors import UsageError
from inspector.leaks.allow import Allowance, AllowList
from inspector.leaks.leak import Leak

LEAK = Leak("Amount", 3, ("app.py:8 in remember\x00",))
FOLLOWED = {"followed": 1, "refused": []}
PYTHON = "/usr/bin/python3"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("app.py 1 -v", (PYTHON, (), ("--", "app.py"), ("1", "-v"))),
        ("python3.12 app.py -m x", ("python3.12", (), ("--", "app.py"), ("-m", "x"))),
        (
            "/opt/python -X dev -W error -m pytest tests",
            ("/opt/python", ("-X", "dev", "-W", "error"), ("-m", "pytest"), ("tests",)),
        ),
        ("python -B app", ("python", ("-B",), ("--", "app"), ())),
        ("python -c 1 x", ("python", (), ("-c", "1"), ("x",))),
        ("python - x", ("python", (), ("-",), ("x",))),
        ("python -OOc 1", ("python", ("-OO",), ("-c", "1"), ())),
        ("python -Xdev -Im app x", ("python", ("-X", "dev", "-I"), ("-m", "app"), ("x",))),
        (
            "python -Wd --check-hash-based-pycs never -- -odd.py",
            ("python", ("-W", "d", "--check-hash-based-pycs", "never"), ("--", "-odd.py"), ()),
        ),
        ("env A=1 B= python3 app.py", ("python3", (), ("--", "app.py"), (), ("env", "A=1", "B="))),
    ],
)
def test_a_command_is_taken_apart(words: str, parts: tuple[Any, ...]) -> None:
    assert parse_command(words.split(), PYTHON) == PythonCommand(*parts)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("python", "nothing to run"),
        ("python -c", "nothing to run"),
        ("python -i app.py", "interactive"),
        ("python -V", "nothing to run"),
        ("env", "not a Python program but a native program"),
        ("env -i python app.py", "an option of env"),
        ("pypy3 app.py", "needs CPython"),
        (
            "ls",
            ("not a Python program but a native program; if Python runs in it, start it by itself"),
        ),
        ("no-such-command", "no such command"),
    ],
)
def test_what_is_no_python_program_is_refused(words: str, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        parse_command(words.split(), PYTHON)


@pytest.mark.parametrize(
    "head",
    [
        "#!{python}\n",
        "#!/usr/bin/env {python}\n",
        "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n",
    ],
)
def test_a_script_on_the_path_is_run_by_the_interpreter_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str
) -> None:
    python = tmp_path / "python3.11"
    python.touch(0o755)
    script = tmp_path / "pytest"
    script.write_text(head.format(python=python))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    command = parse_command(["pytest", "-x"], PYTHON)
    assert command == PythonCommand(str(python), (), ("--", str(script)), ("-x",))
    assert command.is_pytest


def verdict(tmp_path: Path, value: object, *, status: int = 0, is_pytest: bool = False) -> Verdict:
    file = tmp_path / "leaks.json"
    if value is not None:
        file.write_text(value if isinstance(value, str) else json.dumps(value))
    return read_verdict(
        file, AllowList([Allowance("known", type="Known")]), status, is_pytest=is_pytest
    )


@pytest.mark.parametrize(
    ("value", "status", "is_pytest", "exit_status"),
    [
        ({**FOLLOWED, "leaks": []}, 0, False, 0),
        ({**FOLLOWED, "leaks": [LEAK.value()]}, 0, False, 1),
        ({**FOLLOWED, "leaks": [Leak("Known", 1, ()).value()]}, 0, False, 0),
        ({**FOLLOWED, "leaks": []}, 7, False, 1),
        ({"followed": 0, "refused": [], "leaks": []}, 0, False, 4),
        ({"followed": 2, "refused": ["no such class: a.B: a.toml"], "leaks": []}, 0, False, 4),
        (
            {"followed": 2, "refused": ["no such class: a.B: a.toml"], "leaks": [LEAK.value()]},
            0,
            False,
            1,
        ),
        ({**FOLLOWED, "leaks": [LEAK.value()], "failure": "ValueError: mine"}, 1, False, 4),
        (
            {
                "followed": 0,
                "refused": [],
                "leaks": [],
                "started": False,
                "failure": "No such file",
            },
            2,
            False,
            2,
        ),
        (None, 0, False, 4),
        (None, 137, False, 4),
        ({**FOLLOWED, "leaks": [], "judged": 3}, 1, True, 1),
        ({**FOLLOWED, "leaks": [], "judged": 3, "status": 0}, 0, True, 0),
        ({"followed": 0, "refused": [], "leaks": [], "judged": 3, "status": 0}, 4, True, 4),
        ({"followed": 0, "refused": [], "leaks": [], "judged": 0, "status": 5}, 4, True, 4),
        ({"followed": 0, "refused": [], "leaks": [], "judged": 0, "status": 4}, 4, True, 2),
        (None, 4, True, 2),
        ("{", 0, False, 4),
        ("[]", 0, False, 4),
        ({**FOLLOWED, "leaks": [3]}, 0, False, 4),
        ({**FOLLOWED, "leaks": [{"type": "A"}]}, 0, True, 4),
        ({"leaks": []}, 0, False, 4),
    ],
)
def test_the_exit_status_says_whether_all_is_well(
    tmp_path: Path, value: object, status: int, is_pytest: bool, exit_status: int
) -> None:
    assert verdict(tmp_path, value, status=status, is_pytest=is_pytest).exit_status == exit_status


def test_a_program_without_a_report_is_unknown_and_not_clean(tmp_path: Path) -> None:
    unknown = verdict(tmp_path, None, status=137)
    assert (unknown.value()["verdict"], unknown.value()["schema"]) == ("unknown", 1)
    assert unknown.trouble == (
        "the command ended with status 137, so nothing is known of its handles"
    )
    assert "no handle leaked" not in unknown.text()


def test_junit_has_a_case_for_each_leak_and_carries_any_text(tmp_path: Path) -> None:
    found = verdict(tmp_path, {**FOLLOWED, "leaks": [LEAK.value(), Leak("Known", 1, ()).value()]})
    suite = Xml.fromstring(junit_text(found, "app.py"))  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [child.tag for case in suite for child in case] == ["failure", "skipped"]


def test_junit_of_a_clean_run_has_one_case_that_passes(tmp_path: Path) -> None:
    suite = Xml.fromstring(junit_text(verdict(tmp_path, {**FOLLOWED, "leaks": []}), "app.py"))  # noqa: S314 - our own
    assert [(case.get("name"), len(case)) for case in suite] == [("app.py", 0)]


def test_sarif_has_a_result_for_each_leak_at_the_line_that_made_it(tmp_path: Path) -> None:
    found = verdict(tmp_path, {**FOLLOWED, "leaks": [LEAK.value(), Leak("Known", 1, ()).value()]})
    (run,) = json.loads(sarif_text(found, "arc-inspector 0"))["runs"]
    leaked, allowed = run["results"]
    (place,) = leaked["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "app.py"},
        "region": {"startLine": 8},
    }
    assert leaked["message"]["text"] == "3 handles of Amount leaked"
    assert leaked["ruleId"] == run["tool"]["driver"]["rules"][0]["id"]
    assert [each["kind"] for each in allowed["suppressions"]] == ["external"]
    held = Leak("Amount", 1, (), counts="1 proxy, 0 native", path=("module app", "KEPT", "[0]"))
    found = verdict(tmp_path, {**FOLLOWED, "leaks": [held.value()]})
    (result,) = json.loads(sarif_text(found, "arc-inspector 0"))["runs"][0]["results"]
    assert result["message"]["text"].splitlines() == [
        "1 handle of Amount leaked",
        "1 proxy, 0 native",
        "held by module app",
        "  → KEPT",
        "  → [0]",
    ]
    assert "locations" not in allowed
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_sarif_of_an_unknown_run_is_no_success(tmp_path: Path) -> None:
    (run,) = json.loads(sarif_text(verdict(tmp_path, None, status=137), "0"))["runs"]
    assert run["results"] == []
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert "status 137" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_the_summary_of_a_job_has_the_leaks_and_nothing_that_a_name_makes_of_them(
    tmp_path: Path,
) -> None:
    hostile = Leak("<img>|`@all", 2, ("a```.py:1 in f",))
    text = summary_text(verdict(tmp_path, {**FOLLOWED, "leaks": [LEAK.value(), hostile.value()]}))
    assert "**5 handles leaked**" in text
    assert "<img" not in text.partition("<details>")[0]
    assert text.count("```") == 2
    many = [Leak(f"T{at}", 1, ()).value() for at in range(MOST_SHOWN + 3)]
    assert "and 3 more leaks" in summary_text(verdict(tmp_path, {**FOLLOWED, "leaks": many}))
    assert "No handle leaked" in summary_text(verdict(tmp_path, {**FOLLOWED, "leaks": []}))
    assert "**Unknown**" in summary_text(verdict(tmp_path / "none", None))


def test_only_a_report_of_an_earlier_run_is_written_over(tmp_path: Path) -> None:
    leaking = verdict(tmp_path, {**FOLLOWED, "leaks": [LEAK.value()]})
    texts = (leaking.json_text(), junit_text(leaking, "app"), sarif_text(leaking, "1.0"), "")
    for text in texts:
        older = tmp_path / "older"
        older.write_text(text)
        require_report(older, force=False)
    foreign = tmp_path / "app.py"
    foreign.write_text("print('mine')\n")
    with pytest.raises(UsageError, match="no report of check, --force replaces it"):
        require_report(foreign, force=False)
    require_report(foreign, force=True)
    require_report(tmp_path / "new", force=False)
    require_report(Path("/dev/null"), force=False)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    require_report(pipe, force=False)


def test_a_report_is_for_its_owner_only_also_over_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("an older and longer report")
    path.chmod(0o644)
    write_over(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    write_over(Path("/dev/null"), "new")
    assert Path("/dev/null").stat().st_mode & 0o777 == 0o666
