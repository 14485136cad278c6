"""The texts that a person reads in each pane of a window."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QLineEdit,
    QListWidget,
    QTableView,
    QTreeView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.session.background import LatestWork
from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.verdict.suspect_line import SuspectLine


def shown_by(qtbot: QtBot, window: MainWindow) -> dict[str, list[str]]:
    """Texts by pane; the panes of the drawer are opened one after another."""

    def is_settled() -> bool:
        return not any(work.is_busy for work in window.findChildren(LatestWork))

    bench = window.workbench
    read = {
        "table": [bench.handles.field.text(), *texts(bench.handles)],
        "strip": texts(window.verdict),
        "suspects": [
            text
            for line in window.verdict.findChildren(SuspectLine)
            if line.suspect is not None
            for text, _, _ in line.parts()
        ],
        "timeline": [*_curves(window), *_lines(window)],
    }
    if bench.side.is_open:
        read["side"] = texts(bench.side)
    current = bench.drawer.current if bench.drawer.is_open else ""
    for key in bench.drawer.keys:
        bench.drawer.open_pane(key)
        qtbot.waitUntil(is_settled)
        read[key] = texts(bench.pane(key, PaneBase))
    bench.drawer.set_open(bool(current))
    if current:
        bench.drawer.open_pane(current)
    return read


def texts(root: QWidget) -> list[str]:
    """Rows of tables and trees, and labels that a person sees."""
    views: list[QAbstractItemView] = [*root.findChildren(QTableView), *root.findChildren(QTreeView)]
    views += root.findChildren(QListWidget)
    rows = [row for view in views for row in _rows(view.model(), QModelIndex())]
    labels = [
        label.text()
        for label in root.findChildren(QLabel)
        if label.isVisibleTo(root) and label.text()
    ]
    fields = [field.text() for field in root.findChildren(QLineEdit) if field.isVisibleTo(root)]
    return [*rows, *labels, *fields]


def _rows(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[str]:
    # a list's model has no public count of columns in Python: it has one
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)
    for row in range(model.rowCount(parent)):
        cells = (str(model.index(row, column, parent).data() or "") for column in range(columns))
        yield " | ".join(cells)
        if columns > 1:
            yield from _rows(model, model.index(row, 0, parent))


def _curves(window: MainWindow) -> list[str]:
    """The points of the timeline's lines, by type."""
    plot = window.workbench.timeline.plot
    plot.draw_now()
    return [
        f"{key}: {[(round(float(at), 3), round(float(value), 3)) for at, value in points]}"
        for key, (live, _births, _deaths) in sorted(plot.curves.items())
        if (points := list(zip(*live.getData(), strict=True)))
    ]


def _lines(window: MainWindow) -> list[str]:
    history = window.workbench.timeline.history
    return [f"{mark.at:.3f} {mark.kind} {mark.text}" for mark in history.marks]
