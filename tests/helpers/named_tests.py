"""The tests that documents and tables name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.helpers.targets import ROOT

_PLACES = (("native/crates", "*.rs"), ("native/verify/tests", "*.rs"), ("tests", "*.py"))


def defined_tests() -> set[str]:
    """Names of all functions in the tests of both languages and in the native sources."""
    files = (file for folder, pattern in _PLACES for file in (ROOT / folder).rglob(pattern))
    return {
        name
        for file in files
        for name in re.findall(r"^\s*(?:fn|def|async def) (\w+)", file.read_text(), re.MULTILINE)
    }


def rows_of(page: Path) -> list[list[str]]:
    """Cells of the rows of a page's tables, without heads and rules."""
    cells = [
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for line in page.read_text().splitlines()
        if line.startswith("|")
    ]
    rules = {
        number for number, row in enumerate(cells) if all(set(cell) <= set("-| ") for cell in row)
    }
    return [
        row for number, row in enumerate(cells) if number not in rules and number + 1 not in rules
    ]


def named_in(texts: Iterable[str]) -> list[str]:
    """Names of tests: long words in backquotes."""
    return [name for text in texts for name in re.findall(r"`(\w{20,})`", text)]
