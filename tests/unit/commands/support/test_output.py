"""No command prints anything that a terminal obeys, wherever the text comes from."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from inspector.commands.support import output
from inspector.commands.support.output import json_text, print_error, say, say_aside
from inspector.commands.support.tables import Column, Table
from inspector.errors import InspectorError
from tests.helpers.screens import HOSTILE_TEXT, assert_harmless

COMMANDS = Path(output.__file__).parent


def test_lines_errors_tables_and_json_carry_nothing_that_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table(Column("Name"), Column("Count", is_number=True))
    table.add(HOSTILE_TEXT, HOSTILE_TEXT)
    table.print()
    say(HOSTILE_TEXT)
    say_aside(HOSTILE_TEXT)
    print_error(HOSTILE_TEXT)
    output.print_json({HOSTILE_TEXT: [HOSTILE_TEXT]})
    shown = capsys.readouterr()
    assert_harmless(shown.out)
    assert_harmless(shown.err)
    assert len(shown.err.splitlines()) == 2


def test_json_keeps_every_character_for_who_reads_it() -> None:
    value = {HOSTILE_TEXT: HOSTILE_TEXT, "Größe": "\U0001f600"}
    assert json.loads(json_text(value)) == value


def test_json_says_null_for_numbers_that_json_has_not() -> None:
    assert json.loads(json_text({"a": [float("inf"), {"b": float("nan")}], "c": 1.5})) == {
        "a": [None, {"b": None}],
        "c": 1.5,
    }


def test_an_output_that_cannot_be_written_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        say("x")
        with pytest.raises(InspectorError, match="No space left"):
            output.flush_output()
        output.abandon_output()


def test_commands_print_only_through_this_module() -> None:
    """One place makes text harmless: nothing of the commands writes to a stream beside it."""
    around = [
        f"{path.name}:{node.lineno}"
        for path in COMMANDS.glob("*.py")
        if path.name not in ("output.py", "live_line.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and _writes(node.func)
    ]
    assert around == []


def _writes(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id == "print"
    is_write = isinstance(function, ast.Attribute) and function.attr in (
        "write",
        "writelines",
        "print_exc",
    )
    return is_write and "std" in ast.unparse(function)
