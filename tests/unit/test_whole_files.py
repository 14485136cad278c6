"""Files are whole or not there, for their owner only, and nothing is replaced unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspector.whole_files import write_whole


def test_a_new_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_whole(path, b"new", may_replace=False)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write_whole(path, b"new", may_replace=False)
    assert path.read_bytes() == b"old"
    write_whole(path, b"new", may_replace=True)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("may_replace", [False, True])
def test_a_link_or_a_device_is_never_replaced(tmp_path: Path, may_replace: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with pytest.raises(OSError, match=r"not a regular file|exists"):
        write_whole(link, b"new", may_replace=may_replace)
    assert link.is_symlink()
    assert target.read_bytes() == b"old"
    with pytest.raises(OSError, match="not a regular file"):
        write_whole(Path("/dev/null"), b"new", may_replace=True)
    assert Path("/dev/null").is_char_device()


def test_a_folder_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "a", b"new", may_replace=False)
    assert list(tmp_path.iterdir()) == []
