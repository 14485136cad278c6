"""Commands beside other programs.

Readers that end early, outputs that take nothing, files that are there already.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from tests.helpers.command_line import PATIENCE_SECS, command_environment, command_line, run_command
from tests.helpers.screens import assert_harmless
from tests.helpers.segments import SegmentImage, write_segment

LINES_OF_HEAD = 1
MANY = 3000
"""Rows that no pipe holds."""


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The segment of a dead process with many handles."""
    names = [{"name": b"Journal"}, {"name": b"a.rather.long.name.of.a.module.TodoItem"}]
    rows = [
        {"address": 64 * number, "type_id": 1 + number % 2, "created_site": 1, "created_thread": 1}
        for number in range(1, MANY)
    ]
    sites = [[("make_it", "/srv/app/some_module_with_a_long_name.py", 1204)]]
    threads = [{"tid": 7, "name": b"worker-17"}]
    return write_segment(
        tmp_path_factory.mktemp("left") / "dead.seg",
        SegmentImage(types=names, handles=rows, sites=sites, threads=threads),
    )


@pytest.mark.parametrize("words", [("open",), ("open", "--json")])
def test_a_reader_that_ends_early_is_no_fault(left_behind: Path, words: tuple[str, ...]) -> None:
    command = subprocess.Popen(
        command_line(*words, left_behind),
        env=command_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    assert command.stderr is not None
    for _ in range(LINES_OF_HEAD):
        assert command.stdout.readline()
    command.stdout.close()
    assert command.stderr.read() == ""
    assert command.wait(PATIENCE_SECS) == 0
    command.stderr.close()


def test_a_full_disk_is_one_line(left_behind: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command_line("open", left_behind),
            env=command_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "arc-inspector: the output cannot be written: No space left on device\n"


def test_a_locale_without_our_characters_is_no_fault(left_behind: Path) -> None:
    done = run_command("open", left_behind, env={"PYTHONIOENCODING": "ascii"})
    assert (done.status, done.err) == (0, "")


def test_an_output_that_was_closed_is_no_fault(left_behind: Path) -> None:
    done = run_command("open", left_behind, prefix=["bash", "-c", 'exec "$@" >&-', "bash"])
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
def test_on_a_terminal_no_line_is_too_wide_and_none_a_letter_wide(
    left_behind: Path, columns: int
) -> None:
    lines = on_terminal(columns, "open", left_behind)
    rows = [line for line in lines if line.startswith("#")]
    assert len(rows) == 100, lines[:30]
    assert max(map(len, rows)) <= columns
    assert len([line for line in lines if 0 < len(line.strip()) < 4]) == 0


def on_terminal(columns: int, *words: str | Path) -> list[str]:
    """A command's output on a terminal of that width, without the marks of the head."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {
        name: value
        for name, value in command_environment().items()
        if name not in ("COLUMNS", "LINES")
    }
    command = subprocess.Popen(
        command_line(*map(str, words)), env=environment, stdout=theirs, stdin=subprocess.DEVNULL
    )
    os.close(theirs)
    found = bytearray()
    try:
        while chunk := os.read(ours, 65536):
            found += chunk
    except OSError:  # so a terminal says that its last writer ended
        pass
    finally:
        os.close(ours)
    assert command.wait(PATIENCE_SECS) == 0
    text = found.decode().replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\r\n", "\n")
    assert_harmless(text)
    return text.splitlines()


@pytest.mark.parametrize("words", [("record", "1", "-o"), ("shot", "1", "-o")])
def test_a_file_that_is_there_is_kept(tmp_path: Path, words: tuple[str, ...]) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    run_command(*words, kept).assert_one_line_error(
        2, ("the file is there already, --force replaces it"), str(kept)
    )
    assert kept.read_text() == "mine"
