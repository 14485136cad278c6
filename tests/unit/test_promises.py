"""The list of promises names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = (("native/src", "*.rs"), ("native/tests", "*.rs"), ("native/verify/tests", "*.rs"), ("tests", "*.py"))


def defined_tests() -> set[str]:
    """Names of all functions in the tests of both languages and in the native sources."""
    files = (file for folder, pattern in PLACES for file in (ROOT / folder).rglob(pattern))
    return {name for file in files for name in re.findall(r"^\s*(?:fn|def) (\w+)", file.read_text(), re.MULTILINE)}


def test_each_promise_is_kept_by_a_test_of_that_name() -> None:
    promises = (ROOT / "docs" / "lifecycle.md").read_text().partition("## Promises")[2].partition("## How")[0]
    named = [name for row in promises.splitlines() if row.startswith("|") for name in re.findall(r"`(\w{20,})`", row)]
    assert len(named) > 50
    assert set(named) - defined_tests() == set()
