"""Commands that read: of a process and of a file alike, with JSON that fits the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspector.vocabulary import handle_text
from tests.helpers.command_line import run_command
from tests.helpers.documents import faults
from tests.helpers.targets import Target, start_target

SECRET = "hunter2-of-the-customer"  # noqa: S105 - a word to look for
OF_BOTH = ("handles", "pending", "threads", "stacks")
"""Commands that answer of a file all that they answer of a process."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def target() -> Iterator[Target]:
    """A target with a list that holds an item, and a secret in its command line."""
    with start_target("todo", "stacks", f"--password={SECRET}") as started:
        started.ask("list shopping")
        started.ask("item milk buy")
        started.ask("add shopping milk")
        yield started


def asked(command: str, *words: str | int, status: int = 0) -> Any:
    """The JSON of a command, which fits its schema and has no private word."""
    done = run_command(command, *words, "--json")
    assert (done.status, done.err) == (status, ""), done
    assert SECRET not in done.out
    assert faults(command, done.json) == []
    return done.json


@pytest.mark.parametrize("command", OF_BOTH)
def test_a_process_and_its_recording_answer_alike(
    command: str, target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "a.arcs"
    recorded = run_command("record", target.pid, "-o", path, "--for", "1s", "--level", "stacks")
    assert recorded.status == 0, recorded
    live, replayed = asked(command, target.pid), asked(command, path)
    assert replayed["target"]["state"] == "recorded"
    assert live["target"]["pid"] == replayed["target"]["pid"] == target.pid
    if command == "handles":
        assert [row["id"] for row in replayed["handles"]] == [row["id"] for row in live["handles"]]
        assert replayed["stacks"] == live["stacks"] != {}
    assert run_command(command, path).status == 0


def test_ps_hides_the_command_line_unless_it_is_asked_for(target: Target) -> None:
    rows = asked("ps")["processes"]
    (row,) = [each for each in rows if each["pid"] == target.pid]
    assert (row["command"], row["user"]) == (None, None)
    kept = run_command("ps", "--json", "--with-command", "--with-names").json["processes"]
    (row,) = [each for each in kept if each["pid"] == target.pid]
    assert SECRET in row["command"]
    assert row["user"]
    assert Path(row["segment"]).exists()


def test_holders_names_native_holders_and_paths_to_a_root(target: Target) -> None:
    milk = handle_text(target.ask("numbers")["milk"])
    value = asked("holders", target.pid, milk)
    assert value["handle"]["id"] == milk
    assert (value["equation"]["strong"], value["equation"]["proxies"]) == (2, 1)
    assert [each["name"] for each in value["native"]] == ["TodoList.items"]
    assert value["paths"][0]["is_rooted"]
    assert "'milk'" not in json.dumps(value)
    kept = run_command("holders", target.pid, milk, "--json", "--with-labels").json
    assert any("'milk'" in step["text"] for path in kept["paths"] for step in path["steps"])
    shown = run_command("holders", target.pid, milk)
    assert "strong 2 = proxies 1 + named 1" in shown.out
    assert "  native: TodoList.items (1 reference)" in shown.out
    run_command("holders", target.pid, "#999.9").assert_one_line_error(1, "there is no such handle")


def test_of_a_file_the_equation_is_known_and_the_holders_are_not(
    target: Target, tmp_path: Path
) -> None:
    path, milk = tmp_path / "a.arcs", handle_text(target.ask("numbers")["milk"])
    run_command("record", target.pid, "-o", path, "--for", "1s")
    value = asked("holders", path, milk)
    assert (value["equation"]["strong"], value["native"], value["paths"]) == (2, None, None)
    assert value["troubles"] == ["this is a recording: there is no process behind it"]


def test_cycles_are_printed_with_the_edge_to_cut(target: Target) -> None:
    value = asked("cycles", target.pid)
    assert (value["cycles"], value["count"]) == ([], 0)
    target.ask("knot bound")
    value = asked("cycles", target.pid, status=1)
    assert value["count"] == 1
    assert {node["side"] for node in value["cycles"][0]["nodes"]} == {"python", "native"}
    shown = run_command("cycles", target.pid)
    assert shown.status == 1
    assert "✂ cut here" in shown.out
    target.ask("cut")


def test_cycles_that_no_process_can_be_asked_for_are_unknown(
    target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    assert run_command("shot", target.pid, "-o", path).status == 0
    value = asked("cycles", path, status=4)
    assert (value["cycles"], value["count"], value["is_cut"]) == (None, None, None)
    assert value["troubles"] == ["this is a recording: there is no process behind it"]
    shown = run_command("cycles", path)
    assert (shown.status, shown.err) == (4, "")
    assert "Not known: this is a recording" in shown.out


def test_threads_and_their_stacks_are_printed_while_the_process_runs(target: Target) -> None:
    (main,) = [each for each in asked("threads", target.pid)["threads"] if each["living"]]
    assert (main["name"], main["living"], main["alive"]) == ("MainThread", 2, True)
    stacks = asked("stacks", target.pid)["threads"]
    assert any(frame["file"] and "todo.py" in frame["file"] for frame in stacks[0]["frames"])
    assert "todo.py" in run_command("stacks", target.pid).out
    assert target.ask("numbers")


def test_events_are_those_of_the_process_and_of_its_recording(
    target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "a.arcs"
    run_command("record", target.pid, "-o", path, "--for", "1s")
    milk = handle_text(target.ask("numbers")["milk"])
    live = asked("events", target.pid, "--handle", milk)["events"]
    assert [each["event"] for each in live][:1] == ["created"]
    assert live[0]["handle"] == milk
    recorded = asked("events", path, "--handle", milk, "--limit", 0)["events"]
    assert recorded == live
    picture = tmp_path / "a.png"
    assert run_command("shot", target.pid, "-o", picture).status == 0
    assert asked("events", picture, "--handle", milk, "--limit", 0)["events"] == live


def test_verbose_says_the_steps_on_stderr_alone(target: Target) -> None:
    said = run_command("--verbose", "handles", target.pid, "--json")
    assert said.status == 0
    assert faults("handles", said.json) == []
    assert f"looking for process {target.pid}" in said.err
    assert "rows of" in said.err


def test_a_report_for_support_has_versions_and_no_private_part(
    target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    done = run_command("doctor", target.pid, "--report", path)
    assert done.status == 0, done
    value = json.loads(path.read_text())
    assert value["doctor"]["pid"] == target.pid
    assert value["packages"]["numpy"]
    assert SECRET not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    run_command("doctor", target.pid, "--report", path).assert_one_line_error(2, "--force")


def test_commands_that_act_print_json_that_fits_the_schema(target: Target, tmp_path: Path) -> None:
    milk = handle_text(target.ask("numbers")["milk"])
    assert asked("gc", target.pid)["collected"] >= 0
    assert asked("drain", target.pid)["still_pending"] == 0
    assert asked("close", target.pid, milk, "--dry-run", status=1)["answers"][0]["id"] == milk
    target.ask(f"journal diary {tmp_path / 'diary'}")
    diary = handle_text(target.ask("numbers")["diary"])
    assert asked("close", target.pid, diary)["answers"][0]["outcome"] == "closed"
    assert [each["op"] for each in asked("audit", target.pid)["acts"]][-1] == "close"
    answered = asked("query", target.pid, "select type, strong from handles order by id")
    assert answered["columns"] == ["type", "strong"]
    assert asked("clean")["troubles"] == []
    assert asked("detach", target.pid, status=1)["detached"] is False
