"""Names of a target are text.

The window draws them, reads no markup in them, and keeps its size.
"""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtGui import Qt as TextQt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDockWidget, QLabel, QWidget
from pytestqt.qtbot import QtBot

from inspector import ui
from inspector.model.snapshot import Snapshot
from inspector.model.stacks import Frame, Site
from inspector.model.wording import file_name
from inspector.ui.kit.labels import tip
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import Resource
from tests.helpers.snapshots import Row, handle_id, snapshot_of
from tests.helpers.windows import Attach

MARKUP = '<img src="file:///etc/hostname"><a href="x">y</a>'
LONG = MARKUP + "N" * 4000
MOST_ROWS = 5
LABELS = Path("kit") / "labels.py"


def hostile(text: str) -> Snapshot:
    """A snapshot in which everything that a target may name has this name."""
    snapshot = snapshot_of(
        [Row(1), Row(2, "Journal", resource=Resource.DRAINING, in_flight=1, thread="worker-1")]
    )
    types = {
        index: dataclasses.replace(row, name=text + str(index), origin=text, close_signature=text)
        for index, row in snapshot.types.items()
    }
    threads = {
        index: dataclasses.replace(row, name=text + str(index))
        for index, row in snapshot.threads.items()
    }
    sites = {index: Site(index, (Frame(text, f"/srv/{text}.py", 3),)) for index in snapshot.sites}
    names = {"name": text, "command": text, "runtime": text, "reason": text}
    target = dataclasses.replace(snapshot.target, **names)
    return dataclasses.replace(
        snapshot, types=types, threads=threads, sites=sites, target=target, notes=(text,)
    )


def shown(qtbot: QtBot, attach: Attach, text: str) -> MainWindow:
    """A window on it, with a handle selected and every pane looked at."""
    window, _ = attach(hostile(text))
    window.workbench.choose(handle_id(2))
    for dock in window.findChildren(QDockWidget):
        dock.show()
        dock.raise_()
        QApplication.processEvents()
    return window


def test_names_are_drawn_and_not_read_and_do_not_widen_the_window(
    qtbot: QtBot, attach: Attach
) -> None:
    window = shown(qtbot, attach, LONG)
    labels = [
        each for each in window.findChildren(QLabel) if reads_markup(each.text(), each.textFormat())
    ]
    assert [each.text()[:60] for each in labels] == []
    tips = [each for each in window.findChildren(QWidget) if reads_markup(each.toolTip())]
    assert [(type(each).__name__, each.toolTip()[:60]) for each in tips] == []
    for view in window.findChildren(QAbstractItemView):
        model = view.model()
        cells = tooltips_of(model) if model is not None else []
        assert [each[:80] for each in cells if reads_markup(each)] == [], view
    wide = {
        each.objectName(): each.minimumSizeHint().width()
        for each in window.findChildren(QDockWidget)
    }
    assert {name: width for name, width in wide.items() if width > 700} == {}
    assert window.minimumSizeHint().width() <= 1440


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\nb\u202e\0", "n" * 5000, "", "..", "\ud800"], ids=range(6)
)
def test_a_file_about_a_target_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / file_name(name, ".png")
    path.write_text("")
    assert path.parent.resolve() == tmp_path.resolve()
    assert not path.name.startswith(".")


def reads_markup(text: str, text_format: Qt.TextFormat = Qt.TextFormat.AutoText) -> bool:
    """Whether Qt would look for the picture."""
    is_rich = text_format == Qt.TextFormat.RichText or (
        text_format == Qt.TextFormat.AutoText and TextQt.mightBeRichText(text)
    )
    return is_rich and "<img" in text


def tooltips_of(model: QAbstractItemModel, parent: QModelIndex | None = None) -> list[str]:
    """Texts of the first rows, and of the rows below them."""
    parent = parent or QModelIndex()
    found = []
    for row in range(min(model.rowCount(parent), MOST_ROWS)):
        for column in range(model.columnCount(parent)):
            index = model.index(row, column, parent)
            found.append(str(model.data(index, Qt.ItemDataRole.ToolTipRole) or ""))
        below = model.index(row, 0, parent)
        found += tooltips_of(model, below) if model.rowCount(below) else []
    return found


@pytest.mark.parametrize("text", ["plain", "Program.<locals>.<lambda>", "Vec<u8>\nline", ""])
def test_a_tooltip_of_plain_text_stays_as_it_is(text: str) -> None:
    assert tip(text) == text


def test_labels_are_made_in_one_place() -> None:
    """There it is decided whether a label reads markup."""
    folder = Path(ui.__file__).parent
    made = [
        f"{path.relative_to(folder)}:{node.lineno}"
        for path in folder.rglob("*.py")
        if path.relative_to(folder) != LABELS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "QLabel"
    ]
    assert made == []
