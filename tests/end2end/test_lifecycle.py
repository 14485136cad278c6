"""The lifecycle from outside: closes in order, drains, the audit log, the exit report."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from inspector.commands.support.output import SCHEMA
from inspector.vocabulary import handle_text
from tests.helpers.command_line import run_command
from tests.helpers.targets import start_target


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_a_filter_closes_all_that_it_shows_and_a_dry_run_closes_nothing(tmp_path: Path) -> None:
    with start_target("todo") as target:
        target.ask("list shopping")
        journals = [target.ask(f"journal {name} {tmp_path / name}") for name in ("one", "two")]
        shown = [handle_text(journal) for journal in journals]
        plan = run_command("close", target.pid, "--filter", "type:Journal", "--dry-run", "--json")
        assert plan.status == 0, plan
        assert [(each["id"], each["outcome"]) for each in plan.json["answers"]] == [
            (each, "would_close") for each in shown
        ]
        done = run_command("close", target.pid, "--filter", "type:Journal", "--json")
        assert done.status == 0, done
        assert [(each["id"], each["outcome"]) for each in done.json["answers"]] == [
            (each, "closed") for each in shown
        ]
        again = run_command("close", target.pid, "--filter", "type:Journal")
        assert (again.status, again.out) == (
            0,
            ("The filter shows no resource that this command can act on.\n"),
        )
        assert target.finish() == 0


def test_nothing_to_close_and_a_bad_filter_are_wrong_use() -> None:
    with start_target("todo") as target:
        run_command("close", target.pid).assert_one_line_error(2, "nothing to close", "--filter")
        run_command("close", target.pid, "--filter", "aeg>1").assert_one_line_error(2, "filter")


def test_a_journal_that_a_cursor_needs_names_the_cursor_to_be_closed_first(tmp_path: Path) -> None:
    with start_target("todo") as target:
        journal = target.ask(f"journal log {tmp_path / 'log'}")
        cursor = target.ask("cursor reader log")
        (plan,) = run_command(
            "close", target.pid, handle_text(journal), "--dry-run", "--json"
        ).json["answers"]
        assert plan["close_first"] == [handle_text(cursor)]
        assert plan["holders"] == [f"Cursor {handle_text(cursor)}, to be closed first"]
        assert (plan["outcome"], handle_text(cursor) in plan["reason"]) == ("refused", True)
        both = run_command(
            "close", target.pid, handle_text(journal), handle_text(cursor), "--dry-run", "--json"
        )
        assert [(each["id"], each["outcome"]) for each in both.json["answers"]] == [
            (handle_text(cursor), "pending"),
            (handle_text(journal), "would_close"),
        ]
        assert run_command("close", target.pid, handle_text(cursor)).status == 0
        target.ask("visit reader")
        assert run_command("close", target.pid, handle_text(journal)).status == 0
        assert target.finish() == 0


def test_acts_of_viewers_are_in_the_audit_log_with_who_and_what_came_of_them(
    tmp_path: Path,
) -> None:
    log = tmp_path / "audit.jsonl"
    with start_target("todo", env={"ARC_INSPECTOR_AUDIT": str(log)}) as target:
        assert run_command("audit", target.pid).out == (
            "No viewer has done anything to this process.\n"
        )
        journal = target.ask(f"journal one {tmp_path / 'one'}")
        run_command("close", target.pid, handle_text(journal))
        run_command("close", target.pid, handle_text(journal))
        run_command("gc", target.pid)
        drained = run_command("drain", target.pid, "--json")
        assert (drained.status, drained.json) == (
            0,
            {"schema": SCHEMA, "ran": 0, "still_pending": 0},
        )
        report = run_command("audit", target.pid, "--json").json
        assert [(act["op"], act["outcome"]) for act in report["acts"]] == [
            ("close", "done"),
            ("gc", "done"),
            ("drain", "done"),
        ]
        close = report["acts"][0]
        assert (close["handles"], close["result"]) == (
            [handle_text(journal)],
            [{"handle": journal, "outcome": "closed"}],
        )
        assert close["wish"] == {"although_held": False, "withdraw_after_ms": None}
        assert (close["uid"], close["pid"] > 0, close["at"] > 0) == (os.getuid(), True, True)
        assert (report["dropped"], report["trouble"]) == (0, None)
        shown = run_command("audit", target.pid).out
        assert f"{handle_text(journal)} closed" in shown
        assert [json.loads(line)["op"] for line in log.read_text().splitlines()] == [
            "close",
            "gc",
            "drain",
        ]
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        assert target.finish() == 0


def test_drain_says_what_goes_on_waiting_for_its_owner(tmp_path: Path) -> None:
    with start_target("todo") as target:
        target.ask(f"journal log {tmp_path / 'log'}")
        target.ask("cursor reader log")
        target.ask("close reader")
        drained = run_command("drain", target.pid)
        assert (drained.status, drained.out) == (0, "ran 0 closes, 1 still pending\n")
        target.ask("visit reader")
        assert run_command("drain", target.pid).out == "ran 0 closes, 0 still pending\n"
        assert target.finish() == 0


PROGRAM = """
import gc, sys
from inspector.runtime import Journal, TodoItem, TodoList

gc.disable()
HELD = [TodoItem("held"), TodoList()]
OPEN = Journal(sys.argv[1])
Journal(sys.argv[1])

class Knot:
    def __init__(self):
        self.itself, self.list = self, TodoList()

Knot()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_the_exit_report_sorts_what_is_alive_at_the_end(program: Path, tmp_path: Path) -> None:
    file = tmp_path / "exit.json"
    done = run_command(
        "run", "--headless", "--exit-report", "--exit-report-json", file, program, tmp_path / "log"
    )
    assert done.status == 0, done
    report = json.loads(file.read_text())
    kinds = {
        kind: [(line["type"], line["count"]) for line in lines]
        for kind, lines in report.items()
        if isinstance(lines, list)
    }
    assert kinds == {
        "held_by_the_program": [("TodoItem", 1), ("TodoList", 1)],
        "never_closed": [("Journal", 1)],
        "interpreter_shutdown": [("TodoList", 1)],
        "freed_still_held": [],
    }
    assert report["dropped_without_close"] == 1
    assert report["never_closed"][0]["site"].startswith("program.py:7")
    lines = done.err.splitlines()
    assert "arc-inspector: 4 handles alive at exit" in lines
    assert {"  held by the program: 2", "  never closed: 1", "  interpreter shutdown: 1"} <= set(
        lines
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def kinds_at_exit(text: str, folder: Path) -> dict[str, list[tuple[str, int]]]:
    """The exit report of a program: types and how many of each, by kind."""
    program, file = folder / "ending.py", folder / "exit.json"
    program.write_text(text)
    done = run_command("run", "--headless", "--exit-report-json", file, program)
    assert done.status == 0, done
    report = json.loads(file.read_text())
    return {
        kind: [(line["type"], line["count"]) for line in lines]
        for kind, lines in report.items()
        if isinstance(lines, list)
    }


UNIFFI_PROGRAM = """
import gc
import bdkpython as bdk

gc.disable()
HELD = [bdk.Amount.from_sat(sats) for sats in range(3)]
WORDS = bdk.Mnemonic(bdk.WordCount.WORDS12)
bdk.Amount.from_sat(9)

class Knot:
    def __init__(self):
        self.itself, self.amount = self, bdk.Amount.from_sat(7)

class Memory(bdk.Persistence):
    def initialize(self):
        return bdk.ChangeSet()
    def persist(self, changeset):
        pass

PERSISTER = bdk.Persister.custom(Memory())
Knot()
"""


def test_the_exit_report_sorts_the_objects_of_uniffi_packages_too(tmp_path: Path) -> None:
    assert kinds_at_exit(UNIFFI_PROGRAM, tmp_path) == {
        "held_by_the_program": [("Amount", 3), ("Memory", 1), ("Mnemonic", 1), ("Persister", 1)],
        "never_closed": [],
        "interpreter_shutdown": [("Amount", 1)],
        "freed_still_held": [],
    }


OWNING_PROGRAM = """
from inspector.runtime import ForeignObjects, SerialJournal, ThinTodoList

class Door:
    def shut(self):
        pass

DOORS = ForeignObjects("Door", "program", closes_by="shut")
OPEN, SHUT = DOORS.new(Door()), DOORS.new(Door())
DOORS.close(SHUT)
JOURNAL, LISTS = SerialJournal(__file__ + ".log"), [ThinTodoList()] * 2
"""


def test_the_exit_report_tells_open_python_objects_and_journals_of_other_strategies(
    tmp_path: Path,
) -> None:
    assert kinds_at_exit(OWNING_PROGRAM, tmp_path) == {
        "held_by_the_program": [("Door", 1), ("ThinTodoList", 1)],
        "never_closed": [("Door", 1), ("SerialJournal", 1)],
        "interpreter_shutdown": [],
        "freed_still_held": [],
    }


def test_without_being_asked_for_there_is_no_exit_report(program: Path, tmp_path: Path) -> None:
    done = run_command("run", "--headless", program, tmp_path / "log")
    assert (done.status, "alive at exit" in done.err) == (0, False)


def test_an_exit_report_that_cannot_be_written_does_not_change_how_the_program_ends(
    program: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "elsewhere.json")
    done = run_command("run", "--headless", "--exit-report-json", link, program, tmp_path / "log")
    assert (done.status, (tmp_path / "elsewhere.json").exists()) == (0, False)
    assert any(line.endswith("exit report") for line in done.err.splitlines()), done.err
