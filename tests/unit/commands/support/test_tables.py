"""Tables stay readable at any width."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from inspector.commands.support.tables import LONGEST_WORD, Column, Table

COLUMNS = (
    Column("Handle"),
    Column("Type"),
    Column("State"),
    Column("Strong", 1, is_number=True),
    Column("In flight", 3, is_number=True),
    Column("Thread", 4),
    Column("Site", 2),
)
ROW = (
    "#123456.1",
    "samples.todo.TodoItemWithALongName",
    "live, draining",
    "12,408",
    "3",
    "worker-thread-17",
    "very_long_module_name.py:1204 make",
)


def printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int | None
) -> str:
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", str(columns))
    table = Table(*COLUMNS)
    for _ in range(3):
        table.add(*ROW)
    table.print()
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 140, 200])
def test_no_line_is_wider_than_the_terminal_and_no_column_a_letter_wide(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    table = printed(capsys, monkeypatch, columns).partition("Not shown")[0]
    lines = table.splitlines()
    assert max(map(cell_len, lines)) <= columns
    assert len(lines) <= 1 + 1 + 3 * 6
    if columns >= 60:  # the words that fit into a column are whole
        assert "#123456.1" in table
        assert "draining" in table


def test_what_is_left_out_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = printed(capsys, monkeypatch, 60).splitlines()[-1]
    assert said.startswith("Not shown for want of room: ")
    assert "Thread" in said
    assert "Handle" not in said


def test_a_wide_terminal_shows_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = printed(capsys, monkeypatch, 200)
    assert "Not shown" not in shown
    assert all(cell in shown for cell in ROW)


def test_a_pipe_gets_each_row_as_one_whole_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(capsys, monkeypatch, None).splitlines()
    assert len(lines) == 4
    assert all(cell in lines[1] for cell in ROW)


def test_a_name_of_ten_kilobytes_does_not_fill_the_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = Table(Column("Type"), Column("Count", is_number=True))
    table.add("N" * 10_000, "1")
    table.print()
    assert len(capsys.readouterr().out.splitlines()) < 20


def test_a_long_word_is_broken_before_a_column_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(LONGEST_WORD * 2 + 2))
    table = Table(Column("A"), Column("B", 1))
    table.add("x" * 60, "y" * 60)
    table.print()
    assert "Not shown" not in capsys.readouterr().out
