"""A part of the window as a file: a picture in SVG or PNG, or its rows as CSV. GUI thread.

Private parts are left out of pixels and texts, as in screenshots.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from PySide6.QtCore import QAbstractItemModel, QBuffer, QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QAbstractItemView, QTableView, QTreeView, QWidget

from inspector.errors import FileFormatError
from inspector.model.exports.lines import spreadsheet_cell
from inspector.model.redaction import Redactor
from inspector.ui.shell.covering import cover_private, paint_covers
from inspector.whole_files import write_whole

MOST_ROWS: Final = 100_000
"""A longer table is cut, and its last line says so: ``export`` writes all of it."""
SVG: Final = "http://www.w3.org/2000/svg"


def save_part(
    part: QWidget, path: Path, redactor: Redactor, points: Iterable[list[str]] | None = None
) -> None:
    """Write ``part`` to ``path``, in the format that the ending of its name says.

    ``points``: head and rows of a plot. An existing file is replaced: the person agreed to that.
    Raises ``FileFormatError``, one line.
    """
    kind = path.suffix.lower()
    if kind == ".csv":
        data = table(rows_of(part) if points is None else points, redactor)
    elif kind in PICTURES:
        data = PICTURES[kind](part, redactor)
    else:
        raise FileFormatError(f"a picture ends in .svg or .png, a table in .csv: {path.name}")
    try:
        write_whole(path, data, may_replace=True)
    except OSError as error:
        raise FileFormatError(
            f"the file cannot be written: {error.strerror or error}: {path}"
        ) from error


def view_in(part: QWidget) -> QAbstractItemView | None:
    """The table of a part that a person sees; the largest of several."""
    views = [*part.findChildren(QTableView), *part.findChildren(QTreeView)]
    seen = [view for view in views if view.isVisible()]
    return max(seen, key=lambda view: view.width() * view.height(), default=None)


def png(part: QWidget, redactor: Redactor) -> bytes:
    """The part as it looks now."""
    picture = part.grab().toImage()
    cover_private(picture, part, redactor)
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")  # type: ignore[call-overload]  # Qt's stub wants bytes
    return bytes(buffer.data().data())


def svg(part: QWidget, redactor: Redactor) -> bytes:
    """The part as it looks now, in lines and letters that stay sharp."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(part.logicalDpiX())
    generator.setSize(part.size())
    generator.setViewBox(QRect(QPoint(0, 0), part.size()))
    generator.setTitle("arc-inspector")
    painter = QPainter(generator)
    part.render(painter, QPoint(0, 0))
    paint_covers(painter, part, redactor)
    painter.end()
    return _redacted(bytes(buffer.data().data()), redactor)


def table(rows: Iterable[list[str]], redactor: Redactor) -> bytes:
    """Head and rows as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for number, row in enumerate(rows):
        if number > MOST_ROWS:
            writer.writerow([f"cut after {MOST_ROWS:,} rows: arc-inspector export writes all"])
            break
        writer.writerow([spreadsheet_cell(redactor.text(cell)) for cell in row])
    return out.getvalue().encode()


PICTURES: Final = {".svg": svg, ".png": png}
"""What draws each kind of picture, by the ending of the file's name."""


def rows_of(part: QWidget) -> Iterator[list[str]]:
    """Head and rows of the part's table; none where it has no table."""
    view = view_in(part)
    return _rows_of(view) if view is not None else iter(())


def _rows_of(view: QAbstractItemView) -> Iterator[list[str]]:
    """Head and rows, with the columns that are shown; rows below rows are set in."""
    model = view.model()
    root = QModelIndex()
    header = view.horizontalHeader() if isinstance(view, QTableView) else None
    if isinstance(view, QTreeView):
        header = view.header()
    order = range(model.columnCount(root))
    if header is not None:
        order = [header.logicalIndex(place) for place in order]  # type: ignore[assignment]
        order = [each for each in order if not header.isSectionHidden(each)]  # type: ignore[assignment]
    yield [str(model.headerData(each, Qt.Orientation.Horizontal) or "") for each in order]
    yield from _below(model, root, list(order), "")


def _below(
    model: QAbstractItemModel, parent: QModelIndex, order: list[int], inset: str
) -> Iterator[list[str]]:
    for row in range(model.rowCount(parent)):
        cells = [str(model.index(row, each, parent).data() or "") for each in order]
        yield [f"{inset}{cells[0]}", *cells[1:]] if cells else []
        yield from _below(model, model.index(row, 0, parent), order, f"{inset}  ")


def _redacted(text: bytes, redactor: Redactor) -> bytes:
    """The picture without private parts in its letters: a cover leaves the text below it."""
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ET.fromstring(text)  # noqa: S314 - our own picture
    for element in root.iter():
        if element.text:
            element.text = redactor.text(element.text) if element.text.strip() else element.text
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
