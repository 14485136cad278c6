"""Exports of real processes: the same rows live, recorded, in a picture and exported."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from inspector.commands.app import run
from tests.helpers.command_line import run_command
from tests.helpers.targets import Target, start_target

SECRET = "hunter2-of-the-customer"  # noqa: S105 - a word to look for
NAMES = ("id", "type", "kind", "state", "module")
"""Columns that are the same from the first look on."""
COUNTS = ("strong", "weak", "proxies", "native_refs")
"""Columns that a file does not change; of a process they depend on when it was last sampled."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def target() -> Iterator[Target]:
    """A target at rest with a list that holds an item, and a secret in its command line."""
    with start_target("todo", "stacks", f"--password={SECRET}") as started:
        started.ask("list shopping")
        started.ask("item milk buy")
        started.ask("add shopping milk")
        started.ask("many 7")
        yield started


def chosen(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in columns) for row in rows]


def exported(source: str | int | Path, name: str, folder: Path, *words: str) -> Path:
    """The file that ``export`` wrote."""
    path = folder / f"{Path(str(source)).suffix}{name}"
    done = run_command("export", str(source), "--format", name, "-o", path, *words)
    assert (done.status, done.out) == (0, ""), done
    assert done.err.startswith("saved "), done
    assert path.stat().st_mode & 0o777 == 0o600
    assert SECRET.encode() not in path.read_bytes()
    return path


def test_live_recorded_picture_and_exports_have_the_same_rows(
    target: Target, tmp_path: Path
) -> None:
    recording, picture = tmp_path / "a.arcs", tmp_path / "a.png"
    assert run_command("record", target.pid, "-o", recording, "--for", "1s").status == 0
    assert run_command("shot", target.pid, "-o", picture).status == 0
    live = run_command("handles", target.pid, "--json").json["handles"]
    wanted = chosen(live, NAMES)
    assert len(wanted) == 9
    assert rows_of(target.pid, tmp_path, NAMES) == [wanted] * 4
    for path in (recording, picture):
        found = rows_of(path, tmp_path, (*NAMES, *COUNTS))
        assert found == [found[0]] * 4
        assert [row[: len(NAMES)] for row in found[0]] == wanted


def rows_of(source: str | int | Path, folder: Path, columns: tuple[str, ...]) -> list[list[Any]]:
    """The rows of a source as ``handles`` prints them, and as each export has them."""
    printed = run_command("handles", str(source), "--json").json["handles"]
    lines = exported(source, "jsonl", folder).read_text().splitlines()
    with exported(source, "csv", folder).open(newline="") as file:
        table = [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]
    parquet = duckdb.read_parquet(str(exported(source, "parquet", folder)))
    stored = [dict(zip(parquet.columns, row, strict=True)) for row in parquet.fetchall()]
    return [
        chosen(rows, columns) for rows in (printed, list(map(json.loads, lines)), table, stored)
    ]


def _value(text: str) -> str | int | None:
    """A cell of CSV as the value that it was made of."""
    return int(text) if text.lstrip("-").isdigit() else text or None


def test_a_page_of_a_process_names_what_it_saw_and_what_it_lacks(
    target: Target, tmp_path: Path
) -> None:
    page = exported(target.pid, "html", tmp_path, "--for", "1s").read_text()
    assert page.startswith("<!doctype html>")
    for words in ("TodoItem", "Findings", "<polyline", "<rect", "left out: command line (1)"):
        assert words in page, words
    again = run_command("export", target.pid, "--format", "html", "-o", tmp_path / "html")
    again.assert_one_line_error(2, "--force")
    kept = run_command("export", target.pid, "--format", "jsonl", "--with-paths")
    assert kept.status == 0
    assert str(Path(__file__).parents[1] / "targets" / "todo.py") in kept.out


def test_a_preview_says_what_would_be_left_out_and_writes_nothing(
    target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    done = run_command("export", target.pid, "--format", "csv", "-o", path, "--preview")
    assert (done.status, done.err) == (0, "")
    assert "--with-command" in done.out
    assert not path.exists()


def test_a_comparison_of_two_files_is_a_page(target: Target, tmp_path: Path) -> None:
    first, page = tmp_path / "a.arcs", tmp_path / "diff.html"
    assert run_command("record", target.pid, "-o", first, "--for", "1s").status == 0
    target.ask("many 5")
    done = run_command("diff", first, target.pid, "--html", page)
    assert (done.status, done.out) == (0, ""), done
    text = page.read_text()
    assert "TodoItem" in text
    assert ">+5<" in text
    assert SECRET not in text


def test_a_full_disk_is_one_line_and_leaves_nothing(target: Target, tmp_path: Path) -> None:
    recording = tmp_path / "a.arcs"
    assert run_command("record", target.pid, "-o", recording, "--for", "1s").status == 0
    folder = tmp_path / "full"
    folder.mkdir()
    for name in ("html", "parquet"):
        path = folder / name
        done = run_command(
            "export", recording, "--format", name, "-o", path, prefix=("prlimit", "--fsize=700")
        )
        done.assert_one_line_error(1, "cannot write", str(path))
        assert list(folder.iterdir()) == []


def test_wrong_words_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "1", "--format", "pdf"]) == 2
    assert "the formats are html, markdown" in capsys.readouterr().err
    assert run(["export", "1", "--format", "parquet"]) == 2
    assert "-o FILE" in capsys.readouterr().err


def test_a_process_is_exported_into_the_lake_of_its_service(tmp_path: Path) -> None:
    environment = {
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.5",
    }
    with start_target("todo", "stacks", env=environment) as target:
        target.ask("many 3")
        done = run_command("export", target.pid, "--parquet", tmp_path / "lake", "--for", "200ms")
    assert done.status == 0, done
    assert done.out.startswith("saved 3 lifetimes, ")
    folders = [path.parent.relative_to(tmp_path / "lake") for path in tmp_path.rglob("*.parquet")]
    assert {folder.parts[1:3] for folder in folders} == {("service=shop", "deploy=1.5")}
