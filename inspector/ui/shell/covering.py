"""Covers private parts in a picture of the window. GUI thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QImage, QPainter, QTextDocumentFragment
from PySide6.QtGui import Qt as RichQt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QTreeView,
    QWidget,
)

from inspector.model.redaction import Redactor


class _Shown(NamedTuple):
    """A text on the window."""

    widget: QWidget
    area: QRect
    """In coordinates of ``widget``."""
    text: str


def cover_private(picture: QImage, window: QWidget, redactor: Redactor) -> None:
    """Paint over each text of ``window`` that has a private part.

    The redacted text takes its place. ``picture`` was just grabbed from ``window``.
    """
    painter = QPainter(picture)
    paint_covers(painter, window, redactor)
    painter.end()


def paint_covers(painter: QPainter, window: QWidget, redactor: Redactor) -> None:
    """As ``cover_private``, with a painter on what ``window`` was drawn on."""
    for shown in _texts(window):
        redacted = redactor.text(shown.text)
        if redacted != shown.text:
            _cover(painter, window, shown, redacted)


def _texts(window: QWidget) -> Iterator[_Shown]:
    for widget in (window, *window.findChildren(QWidget)):
        if not widget.isVisible() or isinstance(widget, QHeaderView):
            continue  # a header has the rows of its table, and its own words are the tool's
        if isinstance(widget, QTreeView):
            yield from _tree_cells(widget)
        elif isinstance(widget, QAbstractItemView):
            yield from _cells(widget)
        else:
            text = _text_of(widget)
            if text:
                yield _Shown(widget, widget.rect(), text)


def _text_of(widget: QWidget) -> str:
    """The whole text, also where it is shortened or painted by the widget itself."""
    if isinstance(widget, QLabel):
        text = widget.accessibleName() or widget.text()
        written = widget.textFormat()
        is_rich = written == Qt.TextFormat.RichText or (
            written == Qt.TextFormat.AutoText and RichQt.mightBeRichText(text)
        )
        return QTextDocumentFragment.fromHtml(text).toPlainText() if is_rich else text
    if isinstance(widget, QLineEdit):
        return widget.text()
    if isinstance(widget, QAbstractButton):
        # a button that paints itself has no text
        return widget.text() or widget.accessibleName()
    if isinstance(widget, QComboBox):
        return widget.currentText()
    # parts that paint themselves tell a screen reader what they show
    return widget.accessibleName() if not widget.findChildren(QWidget) else ""


def _tree_cells(view: QTreeView) -> Iterator[_Shown]:
    """The cells that can be seen, also of rows below rows."""
    port, columns = view.viewport(), view.model().columnCount(QModelIndex())
    row = view.indexAt(port.rect().topLeft())
    while row.isValid():
        if view.visualRect(row).top() > port.rect().bottom():
            return
        for column in range(columns):
            if view.isColumnHidden(column):
                continue
            index = row.siblingAtColumn(column)
            cell = view.visualRect(index).intersected(port.rect())
            if not cell.isEmpty():
                yield _Shown(port, cell, str(index.data() or ""))
        row = view.indexBelow(row)


def _cells(view: QAbstractItemView) -> Iterator[_Shown]:
    """The cells that can be seen; the rows are found by their places, however many there are."""
    model, port = view.model(), view.viewport()
    if not model:  # a view without a model
        return
    area = port.rect()
    # a list's model has no public count of columns in Python: it has one
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
    for row in _rows(view):
        for column in range(columns):
            if isinstance(view, QTableView) and view.isColumnHidden(column):
                continue
            index = model.index(row, column, QModelIndex())
            cell = view.visualRect(index).intersected(area)
            if not cell.isEmpty():
                yield _Shown(port, cell, str(index.data() or ""))


def _rows(view: QAbstractItemView) -> Iterator[int]:
    """The rows that can be seen, from top to bottom."""
    area, y = view.viewport().rect(), 0
    while y <= area.bottom():
        row = view.rowAt(y) if isinstance(view, QTableView) else view.indexAt(QPoint(1, y)).row()
        if row >= 0:
            yield row
            if isinstance(view, QTableView):
                y = max(y, view.rowViewportPosition(row) + view.rowHeight(row) - 1)
            else:
                index = view.model().index(row, 0, QModelIndex())
                y = max(y, view.visualRect(index).bottom())
        y += 1


def _cover(painter: QPainter, window: QWidget, shown: _Shown, redacted: str) -> None:
    place = QRect(shown.widget.mapTo(window, shown.area.topLeft()), shown.area.size())
    if shown.widget is window:
        place.moveTo(QPoint(0, 0))
    palette = window.palette()
    painter.fillRect(place, palette.window())
    painter.setPen(palette.windowText().color())
    painter.setFont(shown.widget.font())
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    inner = place.adjusted(2, 0, -2, 0)
    if painter.fontMetrics().horizontalAdvance(redacted) > inner.width():
        painter.drawText(inner, int(flags | Qt.TextFlag.TextWordWrap), redacted)
    else:
        painter.drawText(inner, int(flags), redacted)
