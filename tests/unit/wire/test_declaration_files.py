from __future__ import annotations

import os
from pathlib import Path

import pytest

from inspector.agent.adapters.declared.sources import declared_here
from inspector.wire.declaration_files import (
    MAX_FILE_BYTES,
    Declared,
    find_project,
    read_file,
    read_named,
)


def read(path: Path) -> Declared:
    declared = Declared()
    read_file(path, declared)
    return declared


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text('[[proxy]]\nclass = "lib.Session"\n')
    return path


def test_a_file_is_read_with_its_name_as_the_source(file: Path) -> None:
    declared = read(file)
    assert [(each.cls, each.source) for each in declared.declarations] == [
        ("lib.Session", "mine.toml")
    ]
    assert declared.troubles == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[[proxy", "not TOML"),
        (b"\xff\xfe", "not TOML"),
        (b"proxy = 3", "not a list of tables"),
        (b"adapters = 3", "not a list of names"),
        (b"x = " + b"[" * 5000, "not TOML"),
        (b"#" * (MAX_FILE_BYTES + 1), "more than 256 KiB"),
    ],
)
def test_a_file_that_is_wrong_is_one_line_that_ends_with_its_name(
    file: Path, content: bytes, words: str
) -> None:
    file.write_bytes(content)
    declared = read(file)
    assert declared.declarations == []
    assert len(declared.troubles) == 1
    assert words in declared.troubles[0]
    assert declared.troubles[0].endswith("mine.toml")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert read(tmp_path / "none.toml").troubles == [
        (f"No such file or directory: {tmp_path / 'none.toml'}")
    ]


def test_a_file_that_others_may_write_is_not_used(file: Path) -> None:
    file.chmod(0o666)
    assert read(file).troubles == [f"other users may write this file, so it is not used: {file}"]


def test_a_named_pipe_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    assert read(tmp_path / "pipe.toml").declarations == []


def test_a_project_declares_below_its_tool_table_and_names_shipped_ones(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(
        "[tool.arc-inspector]\nadapters = "
        '["socket"]\n[[tool.arc-inspector.proxy]]\nclass = "app.Thing"\n'
    )
    assert [each.cls for each in read(project).declarations] == ["socket.socket", "app.Thing"]


def test_a_project_without_our_table_declares_nothing(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text("[tool.other]\nthis is no TOML at all")
    declared = read(project)
    assert (declared.declarations, declared.troubles) == ([], [])


def test_an_unknown_name_lists_those_that_there_are(tmp_path: Path) -> None:
    declared = Declared()
    read_named(["sokcet"], declared, folder=tmp_path)
    assert declared.troubles[0].startswith("no adapter of this name, there are ")
    assert declared.troubles[0].endswith(": sokcet")


def test_the_nearest_project_above_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_project(tmp_path / "a" / "b") == tmp_path / "pyproject.toml"


def test_the_variable_comes_before_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.arc-inspector.proxy]]\nclass = "lib.Session"\nclose = '
        '"end"\n[[tool.arc-inspector.proxy]]\nclass = "lib.Other"\n'
    )
    declared = declared_here({"ARC_INSPECTOR_ADAPTERS": "mine.toml:socket"})
    assert [(each.cls, each.close) for each in declared.declarations] == [
        ("lib.Session", ""),
        ("socket.socket", "close"),
        ("lib.Other", ""),
    ]


def test_without_a_file_nothing_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    declared = declared_here({})
    assert (declared.declarations, declared.troubles) == ([], [])
