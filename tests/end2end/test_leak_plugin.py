"""The pytest plugin over unmodified packages: each test judged, with and without ``check``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.helpers.command_line import Finished, command_environment, run_command
from tests.helpers.leaky_folder import PLAIN_TESTS, REFUSED, TESTS, leaky_folder

FAILING = """
import nostr_sdk, pytest
KEPT = []
@pytest.fixture(scope="module")
def leaking():
    KEPT.append(nostr_sdk.Keys.generate())
@pytest.fixture(scope="module")
def sound():
    return nostr_sdk.Keys.generate()
def test_passes(leaking, sound):
    pass
def test_fails(sound):
    held = [sound, nostr_sdk.Keys.generate()]
    assert not held
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return leaky_folder(tmp_path, monkeypatch)


@pytest.mark.parametrize("words", [[], ["--showlocals", "-p", "xdist", "-n1"]])
def test_a_fixture_whose_last_test_failed_is_judged_and_the_test_is_not(
    folder: Path, words: list[str]
) -> None:
    (folder / "test_suite.py").write_text(FAILING)
    done = run_pytest("--arc-leaks", "--arc-leaks-json=leaks.json", *words)
    assert done.status == 1
    value = json.loads((folder / "leaks.json").read_text())
    assert [(leak["owner"], leak["count"]) for leak in value["leaks"]] == [
        ("fixture leaking (module)", 1)
    ]
    assert (value["judged"], value["not_judged"]) == (1, ["test_suite.py::test_fails"])


@pytest.mark.parametrize("words", [[], ["-p", "xdist", "-n2"]])
def test_a_test_suite_of_which_nothing_was_followed_is_not_called_clean(
    folder: Path, words: list[str]
) -> None:
    (folder / "test_suite.py").write_text(PLAIN_TESTS)
    (folder / "refused.toml").write_text(
        REFUSED.replace("bdkpython.NoSuchClass", "json.NoSuchClass")
    )
    done = run_pytest("--arc-leaks", "--arc-leaks-json=leaks.json", *words, adapters="refused.toml")
    assert done.status == 4, done
    assert "nothing was followed, so nothing can be said" in done.out
    assert done.out.count("not followed: ") == 2
    assert "no handle leaked" not in done.out
    value = json.loads((folder / "leaks.json").read_text())
    assert (value["followed"], value["judged"], value["status"]) == (0, 2, 0)


def run_pytest(*words: str, adapters: str = "") -> Finished:
    """pytest with the plugin and without other installed plugins, without ``check``."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "inspector.leaks.plugin",
        "-q",
        "--color=no",
        *words,
    ]
    environment = command_environment(
        {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "ARC_INSPECTOR_ADAPTERS": adapters}
    )
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        stdin=subprocess.DEVNULL,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def test_under_xdist_each_worker_judges_its_tests_and_the_run_reports_all(folder: Path) -> None:
    done = run_pytest("-p", "xdist", "-n2", "--arc-leaks", "--arc-leaks-json=leaks.json")
    assert done.status == 1, done
    assert "1 failed, 7 passed, 2 errors" in done.out
    assert "3 handles leaked by 2 tests and fixtures" in done.out
    assert "allowed: 1 × Mnemonic, test_suite.py::test_allowed: a cache, by design" in done.out
    value = json.loads((folder / "leaks.json").read_text())
    assert sorted(leak["owner"] for leak in value["leaks"]) == [
        "fixture leaking (module)",
        "test_suite.py::test_leak",
    ]


def test_the_failure_of_a_test_shows_what_it_left_and_where_that_was_made(folder: Path) -> None:
    done = run_pytest("--arc-leaks", "test_suite.py::test_leak")
    assert done.status == 1
    lines = TESTS.splitlines()
    amount, leak = (
        lines.index(f"    {line}") + 1
        for line in ("return bdkpython.Amount.from_sat(7)", "KEPT.extend([amount(), amount()])")
    )
    made = f"      test_suite.py:{amount} in amount\n      test_suite.py:{leak} in test_leak\n"
    expected = f"2 handles made by this test outlived it:\n\n  2 × Amount\n{made}"
    assert expected in done.out


def test_pytests_own_junit_file_has_the_leak(folder: Path) -> None:
    run_pytest("--arc-leaks", "--junitxml=own.xml", "test_suite.py::test_leak")
    suite = Xml.parse(folder / "own.xml").getroot()  # noqa: S314 - pytest's
    (error,) = suite.iter("error")
    assert "2 handles made by this test outlived it" in str(error.text)


def test_without_the_flag_the_plugin_loads_nothing_and_judges_nothing(folder: Path) -> None:
    (folder / "test_suite.py").write_text(
        "import sys\ndef test_loaded():\n    assert not [name for name in sys.modules if "
        "name.startswith('inspector.agent')]\n"
    )
    done = run_pytest()
    assert done.status == 0, done
    assert "native handles" not in done.out


def test_the_plugin_brings_neither_qt_nor_numpy_into_the_tests(folder: Path) -> None:
    heavy = (
        "numpy",
        "PySide6",
        "typer",
        "rich",
        "psutil",
        "inspector.commands",
        "inspector.model",
        "inspector.ui",
    )
    (folder / "test_suite.py").write_text(
        "import sys, bdkpython\ndef test_loaded():\n    "
        f"assert not set({heavy!r}) & set(sys.modules)\n"
    )
    done = run_pytest("--arc-leaks", "-W", "error")
    assert done.status == 0, done
    assert "no handle leaked" in done.out


def test_an_allowance_that_is_not_understood_ends_pytest_with_one_line(folder: Path) -> None:
    done = run_pytest("--arc-leaks", "--arc-leaks-allow=Amount")
    assert done.status == 4
    assert "an allowed leak is written TYPE[@SITE]=REASON: Amount" in done.err + done.out
    assert "Traceback" not in done.err + done.out


def test_nothing_is_left_of_the_runs(folder: Path) -> None:
    run_command("check", "--", "program.py", "amount")
    run_pytest("--arc-leaks", "-k", "clean")
    assert not [
        path
        for path in Path(os.environ["XDG_RUNTIME_DIR"]).rglob("*")
        if path.is_file() or path.is_socket()
    ]
