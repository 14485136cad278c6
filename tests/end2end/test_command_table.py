"""The whole table of commands: sources, JSON, width, files, and private parts in all that leaves.

A command that is new has to be named here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.cells import cell_len

from inspector.commands.subcommands import SUBCOMMANDS
from inspector.vocabulary import handle_text
from tests.helpers.command_line import Finished, run_command
from tests.helpers.documents import faults
from tests.helpers.packed import unpacked
from tests.helpers.targets import TARGETS, Target, start_target

SECRET = "hunter2-of-the-customer"  # noqa: S105 - a word to look for
LABEL = "label-of-the-customer"
PRINTED = {
    "handles": (),
    "pending": (),
    "findings": ("--for", "200ms"),
    "holders": ("HANDLE",),
    "cycles": (),
    "threads": (),
    "stacks": (),
    "events": (),
    "query": ("select * from handles",),
    "diff": ("SOURCE",),
    "open": (),
}
"""Commands that read and print, with the words that they need after the source."""
ROWS_AND_STACKS = ("csv", "jsonl", "parquet", "speedscope", "collapsed")
WATCHING = ("html", "markdown", "perfetto")
WRITTEN = {
    "shot": [("SOURCE", "-o", "FILE")],
    "export": [
        *(("SOURCE", "--format", name, "-o", "FILE") for name in ROWS_AND_STACKS),
        *(("SOURCE", "--format", name, "-o", "FILE", "--for", "300ms") for name in WATCHING),
    ],
    "query": [("SOURCE", "select * from handles join frames using (stack)", "--parquet", "FILE")],
    "diff": [("SOURCE", "PID", "--html", "FILE")],
    "record": [("PID", "-o", "FILE", "--for", "500ms")],
    "doctor": [("PID", "--report", "FILE")],
}
"""Commands that write a file, with their words."""
ACTING = {
    "ps": (),
    "doctor": ("PID",),
    "adapters": ("PID",),
    "audit": ("PID",),
    "clean": (),
    "gc": ("PID",),
    "drain": ("PID",),
    "close": ("PID", "HANDLE", "--dry-run"),
    "attach": ("PID", "--headless"),
    "detach": ("PID",),
}
"""Commands on processes alone that print JSON."""
ELSEWHERE = {"demo", "run", "check", "top", "metrics", "completion"}
"""Commands with tests of their own: they run programs, draw, or print for other programs."""
SOURCES = ("process", "recording", "picture", "segment")
REFUSED = {("open", "process"): 1}
"""A process is no file."""
STATUSES = {"findings": {0, 1, 4}, "cycles": {0, 4}}
SLOW = {"shot": ("process", "recording")}
"""Commands that are tried with fewer sources: each picture opens a window."""


@dataclass(frozen=True)
class Scene:
    """A program with secrets, and files of it."""

    target: Target
    handle: str
    folder: Path

    def source(self, name: str) -> str:
        """The word of a command line."""
        return str(self.target.pid if name == "process" else self.folder / name)

    def words(self, words: tuple[str, ...], source: str, file: str = "") -> list[str]:
        """The words with their stand-ins replaced."""
        places = {
            "PID": str(self.target.pid),
            "HANDLE": self.handle,
            "SOURCE": source,
            "FILE": file,
        }
        return [places.get(word, word) for word in words]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        with start_target("todo", "stacks", f"--password={SECRET}") as target:
            target.ask("list shopping")
            target.ask("item milk buy")
            target.ask("add shopping milk")
            target.ask(f"label milk {LABEL}")
            target.ask(f"journal j {folder / 'journal'}")
            target.ask("cursor c j")
            target.ask("close c")
            recorded = ("record", target.pid, "-o", folder / "recording", "--for", "500ms")
            assert run_command(*recorded).status == 0
            assert run_command("shot", target.pid, "-o", folder / "picture").status == 0
            (segment,) = folder.glob("*/*.seg")
            (folder / "segment").write_bytes(segment.read_bytes())
            yield Scene(target, handle_text(target.ask("numbers")["milk"]), folder)
            target.ask(f"unlabel {LABEL}")


def private_words(data: bytes | str) -> list[str]:
    """The private words of the program that stand in an answer or a file."""
    text = data if isinstance(data, str) else data.decode("latin-1")
    words = (SECRET, LABEL, str(TARGETS.parent))
    return [word for word in words if word in text]


def test_every_command_is_named_here() -> None:
    named = {*PRINTED, *WRITTEN, *ACTING, *ELSEWHERE}
    assert named == {each.name for each in SUBCOMMANDS}
    assert {each.name for each in SUBCOMMANDS if not each.needs_native} <= {
        *PRINTED,
        "shot",
        "export",
        "top",
        "completion",
    }


@pytest.mark.parametrize("command", PRINTED)
def test_a_command_that_reads_takes_a_process_and_every_file(command: str, scene: Scene) -> None:
    for name in SOURCES:
        source = scene.source(name)
        words = (source, *scene.words(PRINTED[command], source))
        done = run_command(command, *words, "--json")
        if (command, name) in REFUSED:
            done.assert_one_line_error(REFUSED[command, name])
            continue
        assert done.status in STATUSES.get(command, {0}), (name, done)
        assert done.json["schema"] == 1
        assert faults(command, done.json) == [], name
        assert private_words(done.out) == [], name
        check_table(command, *words)


@pytest.mark.parametrize("command", ACTING)
def test_a_command_on_a_process_prints_json(command: str, scene: Scene) -> None:
    words = scene.words(ACTING[command], "")
    done = run_command(command, *words, "--json")
    assert faults(command, done.json) == [], done
    assert private_words(done.out) == []
    if command not in ("attach", "detach"):
        check_table(command, *words)


def check_table(command: str, *words: str) -> None:
    """Its table fits 80 columns; prose and indented frames are wrapped by the terminal."""
    lines = run_command(command, *words, env={"COLUMNS": "80"}).out.splitlines()
    rows = [line for line in lines if "  " in line.strip() and not line.startswith("  ")]
    assert [row for row in rows if cell_len(row) > 80] == []


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (command, number)
        for command, all_words in WRITTEN.items()
        for number in range(len(all_words))
    ],
)
def test_a_file_is_its_owner_s_without_private_parts_and_replaces_nothing(
    command: str, number: int, scene: Scene, tmp_path: Path
) -> None:
    words = WRITTEN[command][number]
    sources = SLOW.get(command, SOURCES) if "SOURCE" in words else ("process",)
    for name in sources:
        path = tmp_path / f"{name}.file"
        given = scene.words(words, scene.source(name), str(path))
        done = run_command(command, *given)
        assert done.status == 0, (name, done)
        assert path.stat().st_mode & 0o777 == 0o600, name
        assert private_words(unpacked(path)) == [], name
        assert private_words(done.out) == private_words(done.err) == []
        before = path.read_bytes()
        run_command(command, *given).assert_one_line_error(2, "--force", str(path))
        assert path.read_bytes() == before
        if name == sources[-1] and command not in SLOW:
            assert run_command(command, *given, "--force").status == 0


PREVIEWED = {
    **{command: all_words[0] for command, all_words in WRITTEN.items()},
    "lake": ("SOURCE", "--parquet", "FILE"),
}
"""Every command that writes evidence."""


@pytest.mark.parametrize("name", PREVIEWED)
def test_a_preview_tells_the_private_parts_and_writes_nothing(
    name: str, scene: Scene, tmp_path: Path
) -> None:
    given = scene.words(PREVIEWED[name], scene.source("process"), str(tmp_path / "a.file"))
    done = run_command("export" if name == "lake" else name, *given, "--preview")
    assert (done.status, done.err) == (0, ""), done
    told = ("Left out", "paths outside the project", "--with-paths")
    if name in ("diff", "doctor"):
        # nothing changed, so the page names no line; nothing is in the way, so no path is named
        told = ("Nothing private was found",)
    assert [words for words in told if words not in done.out] == []
    assert list(tmp_path.iterdir()) == []


FULL = ("prlimit", "--fsize=300")
"""A disk that takes the first bytes of a file and no more."""


@pytest.mark.parametrize("command", sorted({*WRITTEN} - {"record"}))
def test_a_disk_that_is_full_half_way_is_one_line_and_leaves_nothing(
    command: str, scene: Scene, tmp_path: Path
) -> None:
    for number, words in enumerate(WRITTEN[command]):
        if command == "export" and words[2] not in ("html", "parquet"):
            continue  # texts are written by one function
        path = tmp_path / f"{number}.file"
        given = scene.words(words, scene.source("recording"), str(path))
        done = run_command(command, *given, prefix=FULL)
        Finished(done.status, "", done.err).assert_one_line_error(1, str(path))
        assert done.out == "" or command == "doctor"  # it prints its answer first
    assert list(tmp_path.iterdir()) == []


def test_a_lake_on_a_full_disk_and_a_damaged_picture_are_one_line(
    scene: Scene, tmp_path: Path
) -> None:
    words = ("export", scene.source("recording"), "--parquet", tmp_path / "lake")
    run_command(*words, prefix=FULL).assert_one_line_error(1, "cannot write", str(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    damaged = tmp_path / "damaged"
    damaged.write_bytes(Path(scene.source("picture")).read_bytes()[:5000])
    done = run_command("shot", damaged, "-o", tmp_path / "a.png")
    done.assert_one_line_error(1, str(damaged))


def test_metrics_and_the_lake_have_no_private_part(scene: Scene, tmp_path: Path) -> None:
    printed = run_command("metrics")
    assert printed.status == 0
    assert "todo.py" in printed.out
    lake = tmp_path / "lake"
    saved = run_command("export", scene.target.pid, "--parquet", lake, "--for", "200ms")
    assert saved.status == 0, saved
    files = [path for path in lake.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    rows: Any = [duckdb.read_parquet(str(path)).fetchall() for path in files]
    for each in (printed.out, saved.out, repr(rows), *map(str, lake.rglob("*"))):
        assert private_words(each.replace(str(tmp_path), "")) == []


def test_what_is_kept_is_there(scene: Scene, tmp_path: Path) -> None:
    """The search above finds what it looks for."""
    path = tmp_path / "kept.arcs"
    kept = ("--with-command", "--with-paths", "--with-labels")
    words = ("record", scene.target.pid, "-o", path, "--for", "500ms", *kept)
    assert run_command(*words).status == 0
    assert private_words(unpacked(path)) == [SECRET, str(TARGETS.parent)]
    held: Finished = run_command("holders", scene.target.pid, scene.handle, "--json", *kept)
    assert LABEL in private_words(held.out)
