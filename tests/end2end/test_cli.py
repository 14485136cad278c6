"""The command line against real processes.

Output, JSON, exit status and the one line of an error.
"""

from __future__ import annotations

import math
import signal
from pathlib import Path

import pytest

from inspector.model.screenshot import extract
from inspector.model.snapshot import TargetState
from inspector.session.live import LiveSession
from inspector.vocabulary import handle_text
from inspector.wire.schema import LAYOUT_VERSION
from tests.helpers.command_line import run_command
from tests.helpers.targets import start_target
from tests.helpers.waiting import Follower

NOBODY = 2**22 + 4711
"""Above the largest pid that Linux gives."""
ROW_KEYS = [
    "id",
    "type",
    "kind",
    "state",
    "strong",
    "weak",
    "proxies",
    "native_refs",
    "in_flight",
    "owner_thread",
    "created_thread",
    "created_at",
    "address",
    "site",
    "inner_strong",
    "outer_strong",
    "outer",
    "module",
    "number",
    "stack",
]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_ps_lists_a_target_as_attachable_with_its_handles() -> None:
    with start_target("todo") as target:
        target.ask("item milk buy")
        listed = run_command("ps", "--json")
        (row,) = [each for each in listed.json["processes"] if each["pid"] == target.pid]
        assert (
            row["name"],
            row["attachable"],
            row["alive"],
            row["reason"],
            row["live_handles"],
        ) == ("todo.py", True, True, None, 1)
        shown = run_command("ps")
        assert (shown.status, shown.err) == (0, "")
        assert any(str(target.pid) in line and "todo.py" in line for line in shown.out.splitlines())


def test_ps_says_why_a_program_without_an_agent_is_not_attachable_and_what_helps() -> None:
    with start_target("todo", "none") as target:
        (row,) = [
            each
            for each in run_command("ps", "--json").json["processes"]
            if each["pid"] == target.pid
        ]
        assert (row["attachable"], row["reason"], row["live_handles"]) == (
            False,
            "runs no agent",
            None,
        )
        assert "arc-inspector run" in row["fix"]
        run_command("handles", target.pid).assert_one_line_error(
            3, "runs no agent", "arc-inspector run"
        )


def test_handles_prints_the_contracts_json_with_exact_counts() -> None:
    with start_target("todo") as target:
        target.ask("list shopping")
        item = target.ask("item milk buy")
        target.ask("add shopping milk")
        printed = run_command("handles", target.pid, "--json")
        assert (printed.status, printed.err) == (0, "")
        assert list(printed.json) == [
            "schema",
            "target",
            "taken_at",
            "lost",
            "notes",
            "handles",
            "stacks",
        ]
        row = next(each for each in printed.json["handles"] if each["id"] == handle_text(item))
        assert list(row) == ROW_KEYS
        assert (row["type"], row["kind"], row["state"]) == ("TodoItem", "arc", "live")
        assert (row["strong"], row["proxies"], row["native_refs"], row["in_flight"]) == (2, 1, 1, 0)
        assert row["owner_thread"] is None
        assert row["created_thread"] == "MainThread"
        assert row["address"].startswith("0x")
        assert printed.json["target"]["state"] == "live"
        assert printed.json["target"]["pid"] == target.pid


def test_handles_summarises_by_type_and_then_lists_rows() -> None:
    with start_target("todo") as target:
        target.ask("many 12")
        shown = run_command("handles", target.pid, "--limit", 5)
        assert (shown.status, shown.err) == (0, "")
        lines = shown.out.splitlines()
        assert lines[0].startswith(f"todo.py ({target.pid}) · live · CPython")
        assert any(line.split()[:3] == ["TodoItem", "12", "12"] for line in lines)
        assert sum(line.startswith("#") for line in lines) == 5
        assert "… and 7 more rows (--limit 0 shows all)" in lines


def test_handles_understands_the_filter_of_the_window() -> None:
    with start_target("todo") as target:
        target.ask("list shopping")
        target.ask("item milk buy")
        target.ask("add shopping milk")
        by_count = run_command("handles", target.pid, "--json", "--filter", "strong>1").json[
            "handles"
        ]
        assert [each["type"] for each in by_count] == ["TodoItem"]
        by_type = run_command("handles", target.pid, "--json", "--type", "TodoList").json["handles"]
        assert [each["type"] for each in by_type] == ["TodoList"]


def test_a_filter_that_is_not_understood_is_wrong_use() -> None:
    with start_target("todo") as target:
        run_command("handles", target.pid, "--filter", "strnog>1").assert_one_line_error(
            2, "filter"
        )


def test_tombstones_are_listed_only_when_they_are_asked_for() -> None:
    with start_target("todo") as target:
        item = target.ask("item milk buy")
        target.ask("release milk")
        assert run_command("handles", target.pid, "--json").json["handles"] == []
        (row,) = run_command("handles", target.pid, "--json", "--tombstones").json["handles"]
        assert (row["id"], row["state"], row["strong"]) == (handle_text(item), "dropped", 0)


def test_pending_lists_what_waits_and_for_whom(tmp_path: Path) -> None:
    with start_target("todo") as target:
        journal = target.ask(f"journal log {tmp_path / 'log'}")
        cursor = target.ask("cursor reading log")
        assert "Nothing is waiting to close." in run_command("pending", target.pid).out
        closed = run_command("close", target.pid, handle_text(cursor), "--although-held", "--json")
        assert (closed.status, closed.json["answers"][0]["outcome"]) == (0, "pending")
        (row,) = run_command("pending", target.pid, "--json").json["handles"]
        assert (row["id"], row["state"], row["waits_for"]) == (
            handle_text(cursor),
            "waits for owner",
            "owner-reading (alive)",
        )
        assert handle_text(cursor) in run_command("pending", target.pid).out
        assert handle_text(journal) not in run_command("pending", target.pid).out


def test_gc_prints_what_it_freed() -> None:
    with start_target("todo") as target:
        target.ask("cycle knot")
        report = run_command("gc", target.pid, "--json")
        assert (report.status, report.err) == (0, "")
        assert report.json["handles_released"] == 1
        assert report.json["took_secs"] > 0
        sentence = run_command("gc", target.pid)
        assert sentence.out.startswith("freed ")
        assert "still pending" in sentence.out


def test_close_refuses_what_is_held_naming_who_and_closes_it_when_insisted_on(
    tmp_path: Path,
) -> None:
    with start_target("todo") as target:
        journal = handle_text(target.ask(f"journal log {tmp_path / 'log'}"))
        target.ask("clone log other")
        refused = run_command("close", target.pid, journal, "--json")
        assert refused.status == 1
        assert refused.json["answers"][0]["outcome"] == "refused"
        assert refused.json["answers"][0]["holders"]
        tried = run_command("close", target.pid, journal, "--dry-run", "--although-held", "--json")
        assert tried.json["answers"][0]["id"] == journal
        assert (
            run_command("handles", target.pid, "--json", "--type", "Journal").json["handles"][0][
                "state"
            ]
            == "open"
        )
        assert run_command("close", target.pid, journal, "--although-held").status == 0
        assert {
            each["state"]
            for each in run_command("handles", target.pid, "--json", "--type", "Journal").json[
                "handles"
            ]
        } == {"closed"}


def test_closing_what_did_not_opt_in_or_was_never_a_handle_is_refused() -> None:
    with start_target("todo") as target:
        item = target.ask("item milk buy")
        assert run_command("close", target.pid, item).status == 1
        assert run_command("close", target.pid, "#999999.1").status == 1


@pytest.mark.parametrize(
    "words",
    [
        ("close", "1", "milk"),
        ("close", "1", "0"),
        ("close", "1", str(2**64)),
        ("handles", "milk"),
        ("eat",),
        ("run",),
    ],
)
def test_wrong_use_is_one_line_and_status_2(words: tuple[str, ...]) -> None:
    run_command(*words).assert_one_line_error(2)


@pytest.mark.parametrize("command", ["handles", "pending", "gc", "attach"])
def test_a_process_that_does_not_exist_is_one_line_and_status_3(command: str) -> None:
    run_command(command, NOBODY).assert_one_line_error(3, f"process {NOBODY} does not exist")


def test_a_stopped_target_can_be_listed_and_is_called_hung() -> None:
    with start_target("todo") as target:
        item = target.ask("item milk buy")
        target.send_signal(signal.SIGSTOP)
        printed = run_command("handles", target.pid, "--json").json
        assert (printed["target"]["state"], printed["target"]["reason"]) == (
            "hung",
            "it is stopped by a signal",
        )
        assert [each["id"] for each in printed["handles"]] == [handle_text(item)]
        run_command("gc", target.pid).assert_one_line_error(
            1, ("the target is hung: it is stopped by a signal")
        )


def test_a_target_that_holds_its_interpreter_can_be_listed_and_is_called_hung() -> None:
    with start_target("holding") as target:
        item = target.ask("item")
        target.tell("hold 60")
        target.expect("holding")
        printed = run_command("handles", target.pid, "--json").json
        assert printed["target"]["state"] == "hung"
        assert printed["target"]["reason"].startswith("the interpreter has not answered for")
        assert [
            each["strong"] for each in printed["handles"] if each["id"] == handle_text(item)
        ] == [1]
        target.send_signal(signal.SIGUSR1)
        target.expect("hold")
        assert run_command("handles", target.pid, "--json").json["target"]["state"] == "live"


def test_what_a_killed_target_left_can_be_listed_and_opened_but_not_asked() -> None:
    with start_target("todo") as target:
        item = handle_text(target.ask("item milk buy"))
        target.kill()
        printed = run_command("handles", target.pid, "--json").json
        assert printed["target"]["state"] == "post-mortem"
        assert [each["id"] for each in printed["handles"]] == [item]
        opened = run_command("open", target.ready["segment"])
        assert item in opened.out
        run_command("gc", target.pid).assert_one_line_error(
            1, ("the process is gone: it was killed or crashed")
        )


def test_a_screenshot_without_a_display_opens_with_its_data(tmp_path: Path) -> None:
    with start_target("todo") as target:
        item = target.ask("item milk buy")
        picture = tmp_path / "shot.png"
        done = run_command("shot", target.pid, "-o", picture)
        assert (done.status, done.err) == (0, "")
        snapshot = extract(picture)
        assert item in snapshot.handles.ids.tolist()
        opened = run_command("open", picture, "--json").json
        assert opened["target"]["state"] == TargetState.RECORDED
        assert [each["id"] for each in opened["handles"]] == [handle_text(item)]


def test_a_screenshot_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with start_target("todo") as target:
        done = run_command("shot", target.pid, "-o", tmp_path / "missing" / "shot.png")
        assert done.status == 1
        assert len(done.err.splitlines()) == 1


def test_the_window_without_a_display_says_what_works_instead() -> None:
    with start_target("todo") as target:
        run_command("attach", target.pid).assert_one_line_error(3, "no display", "--headless")
    run_command().assert_one_line_error(3, "no display")


def test_the_version_names_the_layout_too() -> None:
    done = run_command("--version")
    assert done.status == 0
    assert done.out.startswith("arc-inspector ")
    assert f"layout {LAYOUT_VERSION}" in done.out


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    import subprocess

    from tests.helpers.command_line import command_environment, command_line

    with start_target("todo") as target:
        target.ask("many 3000")
        with subprocess.Popen(
            command_line("handles", target.pid, "--json"),
            env=command_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as command:
            assert command.stdout is not None
            assert command.stderr is not None
            command.stdout.read(10)
            command.stdout.close()
            assert command.stderr.read() == b""


def test_looking_leaves_the_target_as_it_was() -> None:
    with start_target("todo", "count") as target:
        target.ask("item milk buy")
        for command in ("handles", "pending", "gc"):
            assert run_command(command, target.pid).status == 0
        session = LiveSession(Path(target.ready["segment"]), level=None)
        alone = Follower(session).wait(lambda snapshot: snapshot.target.viewers == 1)
        assert alone.target.level.name == "COUNT"
        session.end()
        session.join()
        assert target.finish() == 0
        assert target.errors() == ""


def test_unknown_numbers_are_null_and_never_a_stand_in() -> None:
    with start_target("todo") as target:
        target.ask("item milk buy")
        target.ask("release milk")
        (row,) = run_command("handles", target.pid, "--json", "--tombstones").json["handles"]
        assert row["weak"] is None
        assert math.isfinite(row["created_at"])
