"""``check`` and the pytest plugin over unmodified packages: each leak and its stack, no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.helpers.command_line import Finished, command_environment, run_command
from tests.helpers.documents import faults

PROGRAM = """
import os, sys
KEPT = []
def remember(make):
    KEPT.append(make())
def amount():
    import bdkpython
    return bdkpython.Amount.from_sat(7)
def item():
    from inspector.runtime import TodoItem
    return TodoItem("kept")
def journal():
    from inspector.runtime import Journal
    return Journal("journal.txt")
def cycle():
    ring = [amount()]
    ring.append(ring)
for word in sys.argv[1:]:
    if word == "crash":
        os.abort()
    elif word == "fail":
        sys.exit(3)
    elif word == "leave":
        os._exit(0)
    elif word == "replace":
        os.execv("/bin/true", ["true"])
    elif word == "kill":
        os.kill(os.getpid(), 9)
    elif word == "raise":
        raise ValueError("mine")
    elif word == "import":
        import bdkpython
    elif word == "cycle":
        cycle()
    else:
        remember(globals()[word])
print("done")
"""
TESTS = """
import gc, pytest
import bdkpython, nostr_sdk
KEPT = []
def amount():
    return bdkpython.Amount.from_sat(7)
@pytest.fixture
def own():
    return amount()
@pytest.fixture(scope="module")
def shared():
    return amount()
@pytest.fixture(scope="module")
def leaking():
    KEPT.append(nostr_sdk.Keys.generate())
def test_clean(own, shared):
    ring = [own, shared, amount()]
    ring.append(ring)
def test_leak():
    KEPT.extend([amount(), amount()])
def test_allowed():
    KEPT.append(bdkpython.Mnemonic(bdkpython.WordCount.WORDS12))
def test_shared(shared):
    assert shared.to_sat() == 7
class TestInstance:
    def test_attribute(self, own):
        self.kept = own
def test_fails():
    held = amount()
    assert held is None
def test_none():
    pass
def test_last(leaking):
    pass
"""
PROJECT = """
[[tool.arc-inspector.leaks]]
type = "Mnemonic"
test = "*::test_allowed"
reason = "a cache, by design"
"""


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
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "test_suite.py").write_text(TESTS)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_leak_of_a_program_is_found_with_the_stack_that_made_it(folder: Path) -> None:
    done = run_command(
        "check", "--json", "leaks.json", "--", "program.py", "amount", "amount", "cycle"
    )
    assert (done.status, done.out) == (1, "done\n")
    value = json.loads((folder / "leaks.json").read_text())
    assert faults("check", value) == []
    (leak,) = value["leaks"]
    assert (value["verdict"], leak["type"], leak["count"]) == ("leaks", "Amount", 2)
    assert [frame.split()[-1] for frame in leak["stack"]] == ["amount", "remember", "<module>"]
    assert leak["stack"][0].startswith("program.py:")
    assert "arc-inspector: 2 handles alive at the end\n  2 × Amount\n      program.py:" in done.err


def test_reports_have_no_private_part_and_the_job_gets_its_summary(folder: Path) -> None:
    secret = "hunter2-of-the-customer"  # noqa: S105 - a word to look for
    summary = folder / "summary.md"
    summary.write_text("before\n")
    names = ("leaks.json", "leaks.xml", "leaks.sarif")
    options = [
        word for pair in zip(("--json", "--junit", "--sarif"), names, strict=True) for word in pair
    ]
    words = ("env", f"TOKEN={secret}", sys.executable, "program.py", "amount")
    done = run_command("check", *options, "--", *words, env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert done.status == 1, done
    for name in names:
        text = (folder / name).read_text()
        assert "Amount" in text
        assert secret not in text
        assert str(folder) not in text
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    (result,) = json.loads((folder / "leaks.sarif").read_text())["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "program.py"
    assert summary.read_text().startswith("before\n## arc-inspector check")
    assert "**1 handle leaked**" in summary.read_text()


def test_a_resource_that_was_never_closed_is_said_so(folder: Path) -> None:
    done = run_command("check", "--", sys.executable, "program.py", "journal")
    assert done.status == 1
    assert "  1 × Journal, never closed\n" in done.err


@pytest.mark.parametrize("words", [["import"], ["cycle"]])
def test_a_program_that_leaves_nothing_passes(folder: Path, words: list[str]) -> None:
    done = run_command("check", "--", "program.py", *words)
    assert (done.status, done.out, done.err) == (0, "done\n", "arc-inspector: no handle leaked\n")


def test_an_allowed_leak_passes_with_its_reason(folder: Path) -> None:
    done = run_command(
        "check",
        "--allow",
        "TodoItem@remember=kept for good",
        "--",
        sys.executable,
        "-m",
        "program",
        "item",
    )
    assert done.status == 0
    assert done.err == "arc-inspector: no handle leaked\n  allowed: 1 × TodoItem: kept for good\n"


@pytest.mark.parametrize(
    ("word", "status", "because", "line"),
    [
        (
            "crash",
            134,
            "no-report",
            ("the command ended with status 134, so nothing is known of its handles"),
        ),
        (
            "kill",
            137,
            "no-report",
            ("the command ended with status 137, so nothing is known of its handles"),
        ),
        (
            "leave",
            0,
            "no-report",
            ("the command ended without a report, so nothing is known of its handles"),
        ),
        (
            "replace",
            0,
            "no-report",
            ("the command ended without a report, so nothing is known of its handles"),
        ),
        (
            "raise",
            1,
            "failed",
            ("the command ended with ValueError: mine, so nothing is known of its handles"),
        ),
    ],
)
def test_a_program_that_was_not_measured_to_its_end_is_not_called_clean(
    folder: Path, word: str, status: int, because: str, line: str
) -> None:
    done = run_command("check", "--json", "leaks.json", "--", "program.py", "amount", word)
    assert done.status == 4
    assert done.err.endswith(f"arc-inspector: {line}\n")
    assert "no handle leaked" not in done.err
    value = json.loads((folder / "leaks.json").read_text())
    assert (value["verdict"], value["unknown_because"], value["status"]) == (
        "unknown",
        because,
        status,
    )


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["nosuch.py"], "No such file or directory: nosuch.py"),
        (["-m", "nosuch"], "No module named nosuch"),
        (["."], "can't find '__main__' module in '.'"),
    ],
)
def test_a_program_that_cannot_start_has_no_verdict(
    folder: Path, words: list[str], cause: str
) -> None:
    done = run_command("check", "--json", "leaks.json", "--", sys.executable, *words)
    assert done.status == 2
    assert f"arc-inspector: the command could not start: {cause}\n" in done.err
    assert "no handle leaked" not in done.err
    assert json.loads((folder / "leaks.json").read_text())["unknown_because"] == "not-started"


def test_a_program_of_which_nothing_was_followed_is_not_called_clean(folder: Path) -> None:
    done = run_command("check", "--json", "leaks.json", "--junit", "leaks.xml", "--", "program.py")
    assert done.status == 4
    assert done.err.startswith(
        "arc-inspector: nothing was followed, so nothing can be said of "
        "its handles; declare the classes"
    )
    value = json.loads((folder / "leaks.json").read_text())
    assert (value["verdict"], value["unknown_because"], value["followed"]) == (
        "unknown",
        "not-followed",
        0,
    )
    assert value["trouble"].startswith("nothing was followed")
    (case,) = Xml.parse(folder / "leaks.xml").getroot()  # noqa: S314 - our own
    assert [each.tag for each in case] == ["failure"]


REFUSED = """
[[proxy]]
class = "bdkpython.NoSuchClass"
handle = "h"
[[proxy]]
class = "json.dumps"
handle = "h"
"""


def test_every_refused_declaration_is_printed_and_nothing_is_called_clean(folder: Path) -> None:
    (folder / "refused.toml").write_text(REFUSED)
    environment = {"ARC_INSPECTOR_ADAPTERS": "refused.toml:missing.toml"}
    done = run_command(
        "check", "--json", "leaks.json", "--", "program.py", "import", env=environment
    )
    assert done.status == 4
    refused = [
        line for line in done.err.splitlines() if line.startswith("arc-inspector: not followed: ")
    ]
    assert len(refused) == 3, done.err
    for part in ("bdkpython.NoSuchClass", "json.dumps", "missing.toml"):
        assert any(part in line for line in refused), done.err
    assert "no handle leaked" not in done.err
    assert len(json.loads((folder / "leaks.json").read_text())["refused"]) == 3
    done = run_command("check", "--", "program.py", "amount", env=environment)
    assert done.status == 1
    assert "1 × Amount" in done.err
    assert done.err.count("not followed: ") == 3


def test_what_this_person_declares_is_followed(folder: Path) -> None:
    settings = folder / "settings" / "arc-inspector"
    settings.mkdir(parents=True)
    (settings / "adapters.toml").write_text(
        '[[proxy]]\nclass = "json.JSONDecoder"\nhandle = "scan_once"\n'
    )
    program = folder / "decoding.py"
    program.write_text("import json\nkept = json.JSONDecoder()\nkept.scan_once = 7\n")
    done = run_command("check", "--", program, env={"XDG_CONFIG_HOME": str(folder / "settings")})
    assert "1 × JSONDecoder" in done.err, done
    assert done.status == 1


PLAIN_TESTS = "import json\ndef test_one():\n    pass\ndef test_two():\n    pass\n"


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


def test_a_suite_without_tests_and_one_of_which_nothing_is_followed_are_unknown_to_check(
    folder: Path,
) -> None:
    (folder / "test_suite.py").write_text(PLAIN_TESTS)
    for words, because in (((), "not-followed"), (("-k", "nothing"), "no-tests")):
        done = run_command(
            "check", "--json", "leaks.json", "--", sys.executable, "-m", "pytest", "-q", *words
        )
        assert done.status == 4, done
        assert "no handle leaked" not in done.err + done.out
        assert json.loads((folder / "leaks.json").read_text())["unknown_because"] == because


def test_a_program_that_fails_without_a_leak_fails_the_check(folder: Path) -> None:
    done = run_command("check", "--", "program.py", "import", "fail")
    assert done.status == 1
    assert done.err == (
        "arc-inspector: no handle leaked\narc-inspector: the command ended with status 3\n"
    )


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["check"], "nothing to run"),
        (["check", "--", "ls"], "not a Python program"),
        (
            ["check", "--allow", "Amount", "--", "program.py"],
            ("an allowed leak is written TYPE[@SITE]=REASON"),
        ),
    ],
)
def test_wrong_use_is_one_line(folder: Path, words: list[str], part: str) -> None:
    run_command(*words).assert_one_line_error(2, part)


def test_a_test_suite_is_judged_test_by_test(folder: Path) -> None:
    done = run_command(
        "check",
        "--json",
        "leaks.json",
        "--junit",
        "leaks.xml",
        "--",
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--color=no",
    )
    assert done.status == 1
    value = json.loads((folder / "leaks.json").read_text())
    assert [(leak["owner"], leak["type"], leak["count"]) for leak in value["leaks"]] == [
        ("test_suite.py::test_leak", "Amount", 2),
        ("fixture leaking (module)", "Keys", 1),
    ]
    assert [(leak["owner"], leak["reason"]) for leak in value["allowed"]] == [
        ("test_suite.py::test_allowed", "a cache, by design")
    ]
    assert value["not_judged"] == ["test_suite.py::test_fails"]
    assert [frame.split()[-1] for frame in value["leaks"][0]["stack"]] == ["amount", "test_leak"]
    assert "1 failed, 7 passed, 2 errors" in done.out
    suite = Xml.parse(folder / "leaks.xml").getroot()  # noqa: S314 - our own
    assert [case.get("classname") for case in suite] == [
        "test_suite.py::test_leak",
        "fixture leaking (module)",
        "test_suite.py::test_allowed",
    ]


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
