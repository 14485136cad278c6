"""Looks at the stacks of a process that changes its memory meanwhile.

A look that fails costs that look alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from inspector.attach.outside import stacks

SEEN = {"tid": 7, "gil": True, "frames": [["main", "app.py", 3]], "calls": []}


def fail_first(count: int) -> Any:
    """``seen_threads`` whose first looks meet half a string, after one thread."""
    looks = iter(range(stacks.LOOKS))

    def threads(_pid: int, *, with_calls: bool = False) -> Iterator[dict[str, Any]]:
        if next(looks) < count:
            b"\xff\xff\xff\xff".decode("utf-32-le")
        yield SEEN

    return threads


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], count: int) -> Any:
    monkeypatch.setattr(stacks, "PAUSE_SECS", 0.0)
    monkeypatch.setattr(stacks, "seen_threads", fail_first(count))
    assert stacks.main(["4711"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_text_that_changes_costs_one_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, 1) == {"threads": [SEEN], "error": ""}


def test_where_each_look_meets_changing_memory_that_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, stacks.LOOKS) == {
        "threads": [],
        "error": "the program changed its memory at each look",
    }
