"""Plots and tables as files: SVG, PNG and CSV, without private parts."""

from __future__ import annotations

import csv
import getpass
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from inspector.model.churn import ChurnHistory
from inspector.model.churn_rows import history_rows
from inspector.ui.shell.main_window import MainWindow
from tests.helpers.reading import click
from tests.helpers.snapshots import T0, Row, World, make_vitals, snapshot_of
from tests.helpers.windows import SNAPSHOT, Attach

SVG = "{http://www.w3.org/2000/svg}"


def rows_in(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def table_window(qtbot: QtBot, attach_to_table: Attach) -> MainWindow:
    window, _ = attach_to_table(SNAPSHOT)
    view = window.workbench.handles.changes
    qtbot.waitUntil(lambda: view.changes.rowCount() == 2)
    return window


def test_the_table_is_saved_as_rows(qtbot: QtBot, attach_to_table: Attach, tmp_path: Path) -> None:
    window = table_window(qtbot, attach_to_table)
    path = tmp_path / "table.csv"
    window.saving.save(window.workbench.handles, path)
    assert window.result.text.startswith(f"Saved {path}")
    head, *rows = rows_in(path)
    assert head[:2] == ["Type ▸ made at", "Live"]
    names = [row[0] for row in rows]
    assert {"TodoItem", "Journal"} <= set(names)
    assert any(name.startswith("  ") for name in names)


def test_a_part_is_saved_as_a_picture(
    qtbot: QtBot, attach_to_table: Attach, tmp_path: Path
) -> None:
    window = table_window(qtbot, attach_to_table)
    window.saving.save(window.workbench.timeline, tmp_path / "timeline.png")
    picture = QImage(str(tmp_path / "timeline.png"))
    assert (picture.width(), picture.height()) == (
        window.workbench.timeline.width(),
        window.workbench.timeline.height(),
    )
    window.saving.save(window.workbench.handles, tmp_path / "table.svg")
    root = ET.parse(tmp_path / "table.svg").getroot()  # noqa: S314 - our own picture
    texts = "".join(element.text or "" for element in root.iter(f"{SVG}text"))
    assert "TodoItem" in texts


def test_letters_of_a_picture_and_cells_have_no_private_part(
    qtbot: QtBot, attach_to_table: Attach, tmp_path: Path
) -> None:
    secret = f"/home/{getpass.getuser()}x/secret"
    window = table_window(qtbot, attach_to_table)
    window.workbench.handles.set_filter(f'site:"{secret}/app.py"')
    for name in ("part.svg", "part.csv"):
        window.saving.save(window.workbench.handles, tmp_path / name)
        assert f"{getpass.getuser()}x" not in (tmp_path / name).read_text()


def test_a_name_that_looks_like_a_formula_is_no_formula(
    qtbot: QtBot, attach: Attach, tmp_path: Path
) -> None:
    window, _ = attach(snapshot_of([Row(1, thread="=1+1")], world=World(threads=("=1+1",))))
    window.workbench.open_pane("threads")
    window.saving.save(window.workbench.threads, tmp_path / "threads.csv")
    cells = [cell for row in rows_in(tmp_path / "threads.csv") for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell.startswith("=")]


def test_the_points_of_the_timeline_are_a_row_each() -> None:
    history = ChurnHistory()
    history.add(make_vitals(1_000.0, (5,), (2,)))
    history.add(make_vitals(1_000.5, (9,), (2,)))
    assert list(history_rows(history, {1: "TodoItem"})) == [
        ["time (UTC)", "live", "live TodoItem"],
        ["1970-01-01T00:16:40.000", "3", "3"],
        ["1970-01-01T00:16:40.500", "7", "7"],
    ]
    assert list(history_rows(ChurnHistory(), {})) == [["time (UTC)", "live"]]


@pytest.mark.parametrize("ending", [".txt", ""])
def test_another_format_is_refused_in_one_line(
    qtbot: QtBot, attach: Attach, tmp_path: Path, ending: str
) -> None:
    window, _ = attach(SNAPSHOT)
    window.saving.save(window.workbench.handles, tmp_path / f"part{ending}")
    assert window.result.text.startswith("Not saved: a picture ends in .svg or .png")
    assert list(tmp_path.glob("part*")) == []


def test_the_button_of_the_drawer_asks_where_to_save_its_pane(
    qtbot: QtBot, attach: Attach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, _ = attach(SNAPSHOT)
    window.workbench.open_pane("threads")
    offered: list[str] = []

    def ask(_parent: object, _title: str, _path: str, filters: str) -> tuple[str, str]:
        offered.extend(filters.split(";;"))
        return str(tmp_path / "threads"), "Rows as CSV (*.csv)"

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    click(window.workbench.drawer, "Save this pane")
    assert offered == ["SVG picture (*.svg)", "PNG picture (*.png)", "Rows as CSV (*.csv)"]
    assert rows_in(tmp_path / "threads.csv")[0][0] == "Thread"


def test_a_vector_picture_of_the_timeline_has_the_lines_of_its_marks(
    qtbot: QtBot, attach_to_table: Attach, tmp_path: Path
) -> None:
    window = table_window(qtbot, attach_to_table)
    timeline = window.workbench.timeline
    for tenth in range(30):
        timeline.show_vitals(make_vitals(T0 + tenth / 10, (tenth, 0, 0), (0, 0, 0)))
    timeline.add_mark(T0 + 1.5, "before the upload")
    timeline.plot.draw_now()
    window.saving.save(timeline, tmp_path / "timeline.svg")
    root = ET.parse(tmp_path / "timeline.svg").getroot()  # noqa: S314 - our own picture
    color = window.appearance.theme.suspect
    drawn = [
        shape
        for group in root.iter(f"{SVG}g")
        if group.get("stroke") == color
        for shape in group
        if shape.tag in (f"{SVG}polyline", f"{SVG}path", f"{SVG}line")
    ]
    numbers = [
        float(each)
        for shape in drawn
        for each in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", " ".join(shape.attrib.values()))
    ]
    assert numbers
    assert max(map(abs, numbers)) < 10_000
