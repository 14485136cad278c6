"""Tables of commands fit a terminal of 80 columns, whatever a target calls its things."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inspector.commands.app import run
from inspector.model.screenshot import embed
from inspector.model.snapshot import Snapshot
from tests.helpers.evidences import evidence_of
from tests.helpers.varied import varied_snapshot
from tests.unit.commands.test_bad_files import PNG

LONG = "a_module.with_a_long_name.AClassWhoseNameIsLongerThanAnyColumn"
TABLES = {
    "handles": ("--limit", "0"),
    "pending": (),
    "threads": (),
    "query": ("select * from handles",),
}


@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize("make", [varied_snapshot, lambda: evidence_of(LONG).snapshot])
def test_a_table_fits_80_columns(
    command: str,
    make: Callable[[], Snapshot],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "a.png"
    path.write_bytes(embed(PNG, make()))
    assert run([command, str(path), *TABLES[command]]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if "  " in line.strip()]
    assert rows
    assert [line for line in rows if len(line) > 80] == []
