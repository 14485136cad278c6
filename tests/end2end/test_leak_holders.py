"""Leak checks name the holder, run again, and keep to marks: over real runs of pytest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command_line import Finished, command_environment, run_command

SUITE = """
import gc, pytest
from inspector.runtime import Label, Listener, TodoItem, TodoList
KEPT = []
FILLED = {}
class Holder:
    pass
def item():
    return TodoItem("kept")
def test_global():
    holder = Holder()
    holder.items = {"first": item()}
    KEPT.append(holder)
def test_native():
    todo, milk = TodoList(), item()
    todo.add_item(milk)
    KEPT.extend([todo, milk])
def test_labelled():
    milk = item()
    KEPT.extend([milk, Label(milk, "recent items"), Label(milk, "recent items")])
def test_cache_fills_once():
    if "it" not in FILLED:
        FILLED["it"] = item()
def test_grows():
    KEPT.append(item())
@pytest.mark.arc_leaks(allow="TodoItem@test_suite.py", at_most=2, reason="by design")
def test_marked():
    KEPT.extend([item(), item()])
@pytest.mark.arc_leaks(at_most=1)
def test_marked_and_beyond():
    KEPT.extend([item(), item()])
@pytest.mark.xfail(strict=True)
def test_expected_failure_that_leaks():
    KEPT.append(item())
    assert False
@pytest.mark.xfail(strict=True)
def test_expected_failure_that_is_clean():
    held = item()
    assert held is None
def test_block_holds(arc_leaks):
    with arc_leaks():
        held = [item()]
    del held
def test_block_is_clean(arc_leaks):
    with arc_leaks():
        held = [item()]
        del held
    with arc_leaks(allow="TodoItem", at_most=1):
        held = item()
    del held
"""
ALONE = """
from inspector.runtime import TodoItem
def test_block(arc_leaks):
    TodoItem("use")
    with arc_leaks():
        held = TodoItem("kept")
def test_clean(arc_leaks):
    with arc_leaks():
        TodoItem("kept")
"""
NOTHING = """
def test_block(arc_leaks):
    with arc_leaks():
        pass
"""


def run_pytest(folder: Path, *words: str) -> Finished:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        env=command_environment({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


PLUGIN = ("-p", "_arc_inspector.leaks.plugin")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, dict[str, Any]]:
    """The suite, each leaking test three times."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_suite.py").write_text(SUITE)
    words = (
        "--arc-leaks",
        "--arc-leaks-repeat=3",
        "--arc-leaks-json=leaks.json",
        "--strict-markers",
    )
    done = run_pytest(folder, *PLUGIN, *words)
    return done, json.loads((folder / "leaks.json").read_text())


def leaks_of(judged: tuple[Finished, dict[str, Any]], test: str) -> list[dict[str, Any]]:
    return [leak for leak in judged[1]["leaks"] if leak["owner"] == f"test_suite.py::{test}"]


def test_a_leak_has_its_counts_and_the_path_from_a_root(judged: Any) -> None:
    (leak,) = leaks_of(judged, "test_global")
    assert leak["counts"] == "1 proxy, 0 native references"
    assert leak["path"][0] == "global test_suite.KEPT"
    assert leak["path"][-1] == "['first'] of a dict of 1"
    assert any(step.startswith("attribute items of test_suite.Holder") for step in leak["path"])
    text = judged[0].out.partition("collected ")[2]
    assert "held by global test_suite.KEPT\n" in text
    assert "_pytest" not in text
    assert "pluggy" not in text


def test_native_references_are_counted(judged: Any) -> None:
    by_type = {leak["type"]: leak for leak in leaks_of(judged, "test_native")}
    assert by_type["TodoList"]["counts"] == "1 proxy, 0 native references"
    assert by_type["TodoItem"]["counts"] == "1 proxy, 1 native reference"


def test_native_references_have_the_name_of_their_holder(judged: Any) -> None:
    by_type = {leak["type"]: leak for leak in leaks_of(judged, "test_native")}
    assert by_type["TodoList"]["native"] == []
    assert by_type["TodoItem"]["native"] == ["1 reference by TodoList.items"]
    assert "native: 1 reference by TodoList.items\n" in judged[0].out
    (labelled,) = leaks_of(judged, "test_labelled")
    assert labelled["native"] == ["2 references by “recent items”"]


def test_only_a_leak_of_each_run_stays(judged: Any) -> None:
    assert leaks_of(judged, "test_cache_fills_once") == []
    (leak,) = leaks_of(judged, "test_grows")
    assert (leak["runs"], leak["count"]) == (3, 1)
    assert "1 × TodoItem, in each of 3 runs" in judged[0].out


def test_a_mark_allows_so_many(judged: Any) -> None:
    assert leaks_of(judged, "test_marked") == []
    (allowed,) = [each for each in judged[1]["allowed"] if each["owner"].endswith("::test_marked")]
    assert (allowed["count"], allowed["reason"]) == (2, "by design")
    assert [leak["count"] for leak in leaks_of(judged, "test_marked_and_beyond")] == [2]


def test_a_leak_of_a_test_that_is_expected_to_fail_is_an_error(judged: Any) -> None:
    assert len(leaks_of(judged, "test_expected_failure_that_leaks")) == 1
    assert leaks_of(judged, "test_expected_failure_that_is_clean") == []
    assert "ERROR test_suite.py::test_expected_failure_that_leaks" in judged[0].out


def test_a_block_inside_a_test_is_judged_with_its_locals(judged: Any) -> None:
    text = judged[0].out
    assert "1 handle made in the block at test_suite.py:" in text
    assert "held by local held of test_block_holds, running on MainThread at test_suite.py:" in text
    failed = [line for line in text.splitlines() if line.startswith("FAILED ")]
    assert [line.split("::")[1].split(" ")[0] for line in failed] == ["test_block_holds"]


def test_the_fixture_works_without_the_flag_and_never_calls_nothing_clean(tmp_path: Path) -> None:
    (tmp_path / "test_alone.py").write_text(ALONE)
    (tmp_path / "test_nothing.py").write_text(NOTHING)
    done = run_pytest(tmp_path, *PLUGIN, "test_alone.py")
    assert done.status == 1
    assert "1 failed, 1 passed" in done.out
    assert "held by local held of test_block" in done.out
    nothing = run_pytest(tmp_path, *PLUGIN, "test_nothing.py")
    assert nothing.status == 1
    assert "nothing was followed" in nothing.out


@pytest.mark.parametrize(
    ("mark", "error"),
    [
        ("'TodoItem'", "'TodoItem' without a name is not understood"),
        ("permit='x'", "permit is not understood"),
        ("at_most=True", "at_most is no number"),
        ("allow=3", "allow is no TYPE"),
        ("allow='X', reason=' '", "reason is no text"),
    ],
)
def test_a_mark_that_is_not_understood_is_one_line(mark: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "test_bad.py").write_text(
        f"import pytest\n@pytest.mark.arc_leaks({mark})\ndef test_a(): pass\n"
    )
    done = run_pytest(tmp_path, *PLUGIN, "--arc-leaks", "-q")
    assert done.status == pytest.ExitCode.USAGE_ERROR
    (line,) = [each for each in done.err.splitlines() if each.startswith("ERROR: ")]
    assert error in line
    assert "Traceback" not in done.out + done.err


PROGRAM = """
from inspector.runtime import TodoItem, TodoList, Listener
class Screen:
    def changed(self, notice, item):
        pass
def knot():
    screen = Screen()
    screen.shown = TodoList()
    screen.shown.listen(Listener(screen.changed))
knot()
KEPT = {"a": [TodoItem("kept")]}
"""


def test_check_names_the_holder_and_the_edge_of_a_cycle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run_command("check", "--json", "leaks.json", "--", "program.py")
    assert done.status == 1, done
    assert "held by global __main__.KEPT" in done.err
    leaks = {
        each["type"]: each for each in json.loads((tmp_path / "leaks.json").read_text())["leaks"]
    }
    assert leaks["TodoItem"]["path"][1:] == [
        "[<label>] of a dict of 1",
        "[0] of a list of 1",
    ]
    knot = leaks["TodoList"]
    assert any("proxy TodoList" in edge for edge in knot["cycle"])
    assert knot["cut"].startswith("attribute shown of ")
    assert f"cut it at: {knot['cut']}" in done.err
