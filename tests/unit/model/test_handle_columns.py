"""The columns of a handle are said in one place, and everything that lists columns derives from
it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import inspector
from inspector.model.columns import (
    FILTER_NAMES,
    HANDLE_COLUMNS,
    JSON_COLUMNS,
    PRINTED_COLUMNS,
    TABLE_COLUMNS,
    HandleColumn,
)
from inspector.model.columns.column import LAST

PACKAGE = Path(inspector.__file__).parent
COLUMNS = PACKAGE / "model" / "columns"
OWN_LISTS = {"session/outside_look.py", "session/outside_rows.py"}
"""Names of counters that a look from outside reads, not of columns."""
MADE_UP = """
    HandleColumn(
        key="generation",
        kind=ColumnKind.COUNT,
        title="Generation",
        about="How often the slot was used",
        values=lambda snapshot: (snapshot.handles.ids >> 32).astype("f8"),
        text=lambda snapshot, row: str(int(snapshot.handles.ids[row]) >> 32),
        json=lambda snapshot, row: int(snapshot.handles.ids[row]) >> 32,
        filter_names=("generation",),
        printed_rank=0,
    ),
)
"""
LOOK = """
import json, sys
sys.path.insert(1, sys.argv[1])
from PySide6.QtCore import Qt
from inspector.commands.handles import print_handles
from inspector.commands.support.rows import snapshot_value
from inspector.model.columns import FIELD_LIST, FILTER_HELP, section_of
from inspector.model.filter import parse
from inspector.model.grouping import Query, arrange
from inspector.ui.panes.handles.model import HandleModel
from tests.helpers.snapshots import Row, snapshot_of

snapshot = snapshot_of([Row(1, generation=4), Row(2, generation=7), Row(3, generation=5)])
arranged = arrange(snapshot, Query(column="generation"))
model = HandleModel()
model.show(arranged)
print_handles(snapshot, arranged, 0)
print(json.dumps({
    "header": model.headerData(section_of("generation"), Qt.Orientation.Horizontal),
    "cells": [model.index(row, section_of("generation")).data() for row in (1, 2, 3)],
    "filter": parse("generation>4").mask(snapshot).tolist(),
    "json": [row["generation"] for row in snapshot_value(snapshot, range(3))["handles"]],
    "help": "generation" in FILTER_HELP,
    "guide": "generation" in FIELD_LIST.split(),
}))
"""


def literals(tree: ast.AST) -> list[tuple[int, set[str]]]:
    """Line and texts of each literal collection."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = node.elts
        elif isinstance(node, ast.Dict):
            parts = [key for key in node.keys if key is not None]
        else:
            continue
        found.append(
            (
                node.lineno,
                {
                    part.value
                    for part in parts
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                },
            )
        )
    return found


def test_no_other_file_lists_the_columns() -> None:
    keys = {column.key for column in HANDLE_COLUMNS}
    files = [
        path
        for path in PACKAGE.rglob("*.py")
        if COLUMNS not in path.parents and str(path.relative_to(PACKAGE)) not in OWN_LISTS
    ]
    lists = [
        (str(path.relative_to(PACKAGE)), line, sorted(texts & keys))
        for path in files
        for line, texts in literals(ast.parse(path.read_text(encoding="utf-8")))
        if len(texts & keys) >= 3
    ]
    assert lists == []


def test_keys_and_filter_names_are_unique() -> None:
    keys = [column.key for column in HANDLE_COLUMNS]
    names = [name for column in HANDLE_COLUMNS for name in column.filter_names]
    assert len(set(keys)) == len(keys)
    assert len(set(names)) == len(names) == len(FILTER_NAMES)


@pytest.mark.parametrize("column", TABLE_COLUMNS, ids=lambda column: column.key)
def test_a_column_of_the_window_has_a_text_an_explanation_and_an_order(
    column: HandleColumn,
) -> None:
    assert column.text
    assert column.about
    assert column.ranks or column.values


@pytest.mark.parametrize("column", HANDLE_COLUMNS, ids=lambda column: column.key)
def test_a_column_that_filters_know_can_be_matched_or_compared_and_has_an_example(
    column: HandleColumn,
) -> None:
    assert not column.filter_names or (column.matches and column.example) or column.values


@pytest.mark.parametrize("kind", ["json", "printed", "filter"])
def test_known_places_are_given_once_and_new_columns_follow_them(kind: str) -> None:
    given = [
        getattr(column.places, kind)
        for column in HANDLE_COLUMNS
        if getattr(column.places, kind) != LAST
    ]
    assert sorted(given) == list(range(1, len(given) + 1))


def test_a_list_follows_the_places() -> None:
    for columns, kind in ((JSON_COLUMNS, "json"), (PRINTED_COLUMNS, "printed")):
        places = [getattr(column.places, kind) for column in columns]
        assert places == sorted(places)


def linked_package(folder: Path) -> Path:
    """A copy of the package with one more column; all other files are links to ours."""
    package, columns = folder / "inspector", folder / "inspector" / "model" / "columns"
    columns.mkdir(parents=True)
    for source, target in (
        (PACKAGE, package),
        (PACKAGE / "model", package / "model"),
        (COLUMNS, columns),
    ):
        for each in source.iterdir():
            if each.name not in ("model", "columns", "handle.py", "__pycache__"):
                (target / each.name).symlink_to(each)
    text = (COLUMNS / "handle.py").read_text(encoding="utf-8")
    head, _, tail = text.rpartition(")\n")
    (columns / "handle.py").write_text(head + MADE_UP + tail, encoding="utf-8")
    return folder


def test_a_column_added_in_one_file_is_shown_sorted_filtered_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("COLUMNS", "300")
    command = [sys.executable, "-P", "-c", LOOK, str(PACKAGE.parent)]
    monkeypatch.setenv("PYTHONPATH", str(linked_package(tmp_path)))
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    *printed, last = out.splitlines()
    assert any(line.split()[-1:] == ["Generation"] for line in printed)
    assert json.loads(last) == {
        "header": "Generation",
        "cells": ["7", "5", "4"],
        "filter": [False, True, True],
        "json": [4, 7, 5],
        "help": True,
        "guide": True,
    }
