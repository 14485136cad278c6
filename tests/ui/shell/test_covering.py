"""A picture of the window shows no private part, wherever a text stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QStringListModel, Qt
from PySide6.QtGui import QImage, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QTableView,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from inspector.model.codec import encode
from inspector.model.findings.finding import Finding, Verdict
from inspector.model.redaction import Redactor
from inspector.model.screenshot import extract
from inspector.model.verdict import Suspect
from inspector.ui.kit.labels import ElidedLabel, rich_label
from inspector.ui.kit.theme import LIGHT
from inspector.ui.shell.covering import cover_private
from inspector.ui.shell.screenshot import save_screenshot
from inspector.ui.shell.verdict.suspect_line import SuspectLine
from tests.helpers.secrets import PRIVATE, secret_snapshot, secrets_in

NOWHERE = QModelIndex()
PRIVATE_TEXT = "seen by alice at /opt/vendor/customers/x.py"
PUBLIC_TEXT = "seen by <user> at …/x.py"


def window_with(text: str, kind: str) -> QWidget:
    """A window with one text, in a widget of this kind, and a plain one below."""
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.addWidget(_widget(text, kind))
    layout.addWidget(QLabel("a plain text"))
    window.resize(500, 200)
    return window


def _widget(text: str, kind: str) -> QWidget:
    if kind == "table":
        model = QStandardItemModel(1, 1)
        model.setItem(0, 0, QStandardItem(text))
        table = QTableView()
        model.setParent(table)
        table.setModel(model)
        table.setColumnWidth(0, 400)
        return table
    if kind == "tree":
        tree = QTreeView()
        branches = QStandardItemModel(1, 1, tree)
        branch = QStandardItem("Type")
        branch.appendRow(QStandardItem(text))
        branches.setItem(0, 0, branch)
        tree.setModel(branches)
        tree.expandAll()
        return tree
    if kind == "suspect":
        line = SuspectLine(LIGHT)
        finding = Finding("never-closed", Verdict.SUSPECT, text)
        line.show_suspect(Suspect(finding, text), "")
        return line
    if kind == "list":
        listed = QListView()
        listed.setModel(QStringListModel([text], listed))
        return listed
    if kind == "rich":
        label = rich_label()
        label.setText(f"<b>{text}</b>")
        return label
    if kind == "painted":
        painted = QWidget()
        painted.setAccessibleName(text)
        painted.setFixedHeight(20)
        painted.setStyleSheet(f"background: #{'12' if 'customers' in text else '98'}3456")
        painted.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        return painted
    makers = {"label": QLabel, "elided": ElidedLabel, "button": QPushButton, "line": QLineEdit}
    return makers[kind](text)


def saved(qtbot: Any, window: QWidget, path: Path) -> QImage:
    qtbot.addWidget(window)
    window.show()
    save_screenshot(window, secret_snapshot(), path, redactor=Redactor(PRIVATE))
    return QImage(str(path))


def differing(one: QImage, other: QImage) -> bool:
    return one.convertToFormat(QImage.Format.Format_RGB32) != other.convertToFormat(
        QImage.Format.Format_RGB32
    )


KINDS = ["tree", "suspect", "label", "elided", "rich", "button", "line", "list", "table", "painted"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_private_text_is_covered_so_that_no_pixel_depends_on_it(
    qtbot: Any, tmp_path: Path, kind: str
) -> None:
    first = saved(qtbot, window_with(PRIVATE_TEXT, kind), tmp_path / "a.png")
    other = "seen by alice at /opt/vendor/customs-and-more/x.py"
    second = saved(qtbot, window_with(other, kind), tmp_path / "b.png")
    assert not differing(first, second)


def test_a_text_without_a_private_part_is_left_as_it_is(qtbot: Any, tmp_path: Path) -> None:
    window = window_with(PUBLIC_TEXT, "label")
    picture = saved(qtbot, window, tmp_path / "a.png")
    grabbed = window.grab().toImage()
    assert not differing(
        picture.copy(0, 0, grabbed.width(), grabbed.height() - 2),
        grabbed.copy(0, 0, grabbed.width(), grabbed.height() - 2),
    )


def test_the_data_in_the_picture_and_its_bytes_have_no_private_word(
    qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    saved(qtbot, window_with(PRIVATE_TEXT, "label"), path)
    redacted = Redactor(PRIVATE).snapshot(secret_snapshot())
    assert encode(extract(path)) == encode(redacted)
    assert secrets_in(path.read_bytes()) == []
    assert path.stat().st_mode & 0o777 == 0o600


class CountingModel(QAbstractTableModel):
    """Many rows, and the number of questions about them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.asked = 0

    def rowCount(self, parent: Any = NOWHERE) -> int:  # noqa: N802 - a name of Qt
        self.asked += 1
        return 0 if parent.isValid() else 100_000

    def columnCount(self, parent: Any = NOWHERE) -> int:  # noqa: N802 - a name of Qt
        return 0 if parent.isValid() else 6

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        self.asked += 1
        return PRIVATE_TEXT if role == Qt.ItemDataRole.DisplayRole and index.row() == 3 else None


@pytest.mark.parametrize("kind", [QTableView, QTreeView, QListView])
def test_only_the_rows_in_sight_are_looked_at(
    qtbot: Any, kind: type[QTableView | QTreeView | QListView]
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    view = kind()
    model = CountingModel(window)
    if isinstance(view, QTreeView):
        view.setUniformRowHeights(True)
    view.setModel(model)
    layout.addWidget(view)
    window.resize(600, 300)
    window.show()
    picture = window.grab().toImage()
    redactor, model.asked = Redactor(PRIVATE), 0
    cover_private(picture, window, redactor)
    assert model.asked < 2_000
    assert redactor.left_out()
