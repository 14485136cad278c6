"""A file that is no good is one line of error, for every command that reads files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from inspector.commands.app import run
from inspector.commands.subcommands import SUBCOMMANDS
from inspector.model.codec import encode
from inspector.model.png import insert_chunk
from inspector.model.screenshot import CHUNK_TYPE
from tests.helpers.snapshots import snapshot_of

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


def bomb() -> bytes:
    """A snapshot of some kilobytes that would unpack to some gigabytes."""
    whole = bytearray(encode(snapshot_of()))
    struct.pack_into("<I", whole, 16, 0xF000_0000)
    return bytes(whole) + zlib.compress(bytes(4 << 20))


COMMANDS = {
    "handles": ("--json",),
    "pending": ("--json",),
    "threads": ("--json",),
    "stacks": ("--json",),
    "findings": ("--json",),
    "events": ("--json",),
    "open": ("--json",),
    "holders": ("#1.1", "--json"),
    "cycles": ("--json",),
    "query": ("select 1", "--json"),
    "export": ("--format", "csv"),
    "diff": ("FILE", "--json"),
}
"""Commands that read files, with their other words; ``shot`` opens a window, ``top`` a terminal."""
FILES = {
    "empty": b"",
    "foreign": b"PK\x03\x04 something else",
    "damaged.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    "cut.arcs": b"arcsess\0\x01\0\0\0\0\0\0\0SNAP",
    "future.arcs": b"arcsess\0\x63\0\0\0\0\0\0\0",
    "bomb.png": insert_chunk(PNG, CHUNK_TYPE, bomb()),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_good_is_one_line(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert run([command, str(path), *words_of(command, path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("arc-inspector: ")
    assert line.endswith(str(path))
    assert path.read_bytes() == FILES[name]


def words_of(command: str, path: Path) -> list[str]:
    return [str(path) if word == "FILE" else word for word in COMMANDS[command]]


def test_every_command_that_reads_is_here() -> None:
    reading = {each.name for each in SUBCOMMANDS if not each.needs_native}
    assert reading == {*COMMANDS, "shot", "top", "completion"}


@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"open"}))
def test_a_word_that_is_neither_a_process_nor_a_file_is_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nowhere"
    assert run([command, str(path), *words_of(command, path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("arc-inspector: neither a process id nor a file: ")


def test_a_look_from_outside_is_at_a_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["handles", str(tmp_path / "nowhere"), "--read-only"]) == 2
    assert "--read-only looks at a process" in capsys.readouterr().err
