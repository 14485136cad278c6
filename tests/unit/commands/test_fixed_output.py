"""The output of ``arc-inspector handles`` for a fixed snapshot: each byte, because scripts read it.

``REWRITE_EXPECTED=1`` writes the files again, for an intended change.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from inspector.commands.handles import chosen_filter, print_handles
from inspector.commands.support.output import json_text
from inspector.commands.support.rows import snapshot_value
from inspector.model.grouping import Query, arrange
from tests.helpers.varied import varied_snapshot

EXPECTED = Path(__file__).parent / "expected"


def check(name: str, text: str) -> None:
    """Compare with the file."""
    file = EXPECTED / name
    if os.environ.get("REWRITE_EXPECTED"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_the_json_of_all_rows_is_the_same_as_before() -> None:
    snapshot = varied_snapshot()
    check(
        "handles.json",
        json_text(snapshot_value(snapshot, np.arange(len(snapshot.handles)).tolist())),
    )


@pytest.mark.parametrize("width", [60, 100, 240])
def test_the_table_is_the_same_as_before_at_each_width(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    query = Query(filter=chosen_filter("", "strong>=0 -id:3"), column="age", moment_secs=0.0)
    snapshot = varied_snapshot()
    print_handles(snapshot, arrange(snapshot, query), 0)
    check(f"handles-{width}.txt", capsys.readouterr().out)
