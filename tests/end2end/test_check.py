"""``check`` and the pytest plugin over unmodified packages: each leak and its stack, no more."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.helpers.command_line import run_command
from tests.helpers.documents import faults
from tests.helpers.leaky_folder import PLAIN_TESTS, REFUSED, leaky_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return leaky_folder(tmp_path, monkeypatch)


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
