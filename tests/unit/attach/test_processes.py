from __future__ import annotations

import pytest

from inspector.attach.processes import is_of_the_tool, is_python, short_name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python app.py", "app.py"),
        ("/usr/bin/python3.11 -X dev -W error -u /srv/app.py --serve", "app.py"),
        ("python -m pkg.mod --flag", "pkg.mod"),
        ("python -c 'print(1)'", "python -c"),
        ("python3", "python3"),
        ("/usr/local/bin/gunicorn app:app", "gunicorn"),
        ("python '/srv/my app.py'", "my app.py"),
        ("", ""),
        ("pypy3.10 run.py", "run.py"),
    ],
)
def test_a_short_name_says_what_runs(command: str, name: str):
    assert short_name(command) == name


def test_a_quote_that_is_not_closed_still_gives_a_name():
    assert short_name("python '/srv/app.py") == "app.py"


@pytest.mark.parametrize(
    ("arguments", "is_it"),
    [
        (["python", "-m", "inspector", "ps"], True),
        (["/srv/venv/bin/python", "/srv/venv/bin/arc-inspector", "attach", "1"], True),
        (["arc-inspector"], True),
        (["python", "-m", "inspector.demo"], False),
        (["python", "-m", "inspector.agent.launch", "app.py"], False),
        (["python", "app.py", "arc-inspector"], False),
        ([], False),
    ],
)
def test_the_inspectors_own_processes_are_known(arguments: list[str], is_it: bool):
    assert is_of_the_tool(arguments) is is_it


@pytest.mark.parametrize(
    ("name", "arguments", "is_it"),
    [
        ("python3.12", [], True),
        ("gunicorn", ["/usr/bin/python3", "/usr/bin/gunicorn"], True),
        ("bash", ["bash", "python.sh"], False),
        ("pythonista", ["pythonista"], False),
    ],
)
def test_python_processes_are_known_by_name_or_first_argument(
    name: str, arguments: list[str], is_it: bool
):
    assert is_python(name, arguments) is is_it
