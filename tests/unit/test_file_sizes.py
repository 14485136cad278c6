"""Sizes of source files: a file beyond the limit is split by noun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 400
COLUMNS = 100
ROOMS = ("inspector", "native/crates", "native/verify", "native/python", "tests", ".")
SUFFIXES = (".py", ".rs", ".c", ".h")
GENERATED = ("inspector/_native.c",)

IN_ONE_PIECE = {
    "_arc_inspector.py": "started by path with built-in modules alone, so it imports no second file"
}
"""Files that stay beyond the limit, and why."""


def sources() -> Iterator[tuple[str, list[str]]]:
    """Path and lines of every source that people write."""
    for room in ROOMS:
        folder = ROOT / room
        for path in folder.glob("*") if room == "." else folder.rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in SUFFIXES and name not in GENERATED and "target" not in path.parts:
                yield name, path.read_text(encoding="utf-8").splitlines()


def test_files_stay_within_the_limit() -> None:
    large = {name for name, lines in sources() if len(lines) > LIMIT}
    assert large - IN_ONE_PIECE.keys() == set()


@pytest.mark.parametrize("name", sorted(IN_ONE_PIECE))
def test_an_exception_is_still_beyond_the_limit(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) > LIMIT


def test_lines_of_c_fit_in_the_columns() -> None:
    """The formatters keep the lines of Rust and Python."""
    long = [
        f"{name}:{number}"
        for name, lines in sources()
        if name.startswith("native/python/")
        for number, line in enumerate(lines, 1)
        if len(line) > COLUMNS
    ]
    assert long == []
