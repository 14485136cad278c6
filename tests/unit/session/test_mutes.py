"""A muted finding is kept with its reason; a damaged file hides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspector.errors import FileFormatError
from inspector.session.mutes import MAX_REASON, Mutes


def test_a_mute_is_kept_until_it_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mutes.json"
    Mutes(path).mute("leak-suspect: A", " a cache ")
    Mutes(path).mute("orphan: B", "x" * 9999)
    assert Mutes(path).all() == {"leak-suspect: A": "a cache", "orphan: B": "x" * MAX_REASON}
    Mutes(path).unmute("orphan: B")
    assert Mutes(path).all() == {"leak-suspect: A": "a cache"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 3}', "\udcff"])
def test_a_damaged_file_mutes_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mutes.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    assert Mutes(path).all() == {}


def test_a_mute_needs_a_reason(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="say which"):
        Mutes(tmp_path / "mutes.json").mute("a", "  ")


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileFormatError, match="cannot save the list of muted findings"):
        Mutes(tmp_path / "file" / "mutes.json").mute("a", "b")
