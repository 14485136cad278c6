"""Reads widgets as a person does, and acts on them.

By the texts on them and by the names that a screen reader says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import QAbstractItemModel, QObject, Qt, QTimer
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QTableView, QWidget

from inspector.ui.kit.labels import ElidedLabel
from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.session.background import LatestWork

DIRECT = Qt.FindChildOption.FindDirectChildrenOnly
_Part = TypeVar("_Part", bound=QWidget)


def part(root: QWidget, name: str, kind: type[_Part]) -> _Part:
    """The only ``kind`` inside ``root`` with that name.

    Its accessible name, the text of a button, or its object name.

    Accessible names such as ``Births: +3/s`` end in a value; their name is the text before the
    colon.
    """
    found = [widget for widget in root.findChildren(kind) if _is_called(widget, name)]
    assert len(found) == 1, f"{len(found)} of kind {kind.__name__} are called {name!r}"
    return found[0]


def _is_called(widget: QWidget, name: str) -> bool:
    said = widget.accessibleName()
    written = widget.text() if isinstance(widget, QAbstractButton) else ""
    return name in (said, widget.objectName(), written) or said.startswith(f"{name}: ")


def row_of(root: QWidget, kind: type[_Part]) -> list[_Part]:
    """Parts in the order of the layout, also without room or hidden."""
    row = root.layout()
    assert row is not None
    items = (row.itemAt(place) for place in range(row.count()))
    widgets = [item.widget() for item in items if item is not None]
    return [widget for widget in widgets if isinstance(widget, kind)]


def is_shown(root: QWidget, name: str) -> bool:
    """A person sees the part of that name."""
    return part(root, name, QWidget).isVisible()


def text_of(root: QWidget, name: str) -> str:
    """The whole text of a label; of a shortened one the text that a screen reader says."""
    label = part(root, name, QLabel)
    return label.accessibleName() if isinstance(label, ElidedLabel) else label.text()


def fact(root: QWidget, name: str) -> QLabel:
    """The label whose value stands beside the words ``name``."""
    (words,) = (
        label
        for label in root.findChildren(QLabel)
        if label.text() == name and label.buddy() is not None
    )
    value = words.buddy()
    assert isinstance(value, QLabel)
    return value


def button(root: QWidget, name: str) -> QAbstractButton:
    """A button, by its text or by its accessible name."""
    return part(root, name, QAbstractButton)


def click(root: QWidget, name: str) -> None:
    """Press a button, which has to be enabled."""
    found = button(root, name)
    assert found.isEnabled(), f"{name!r} cannot be pressed"
    found.click()


def choose(root: QWidget, name: str, text: str) -> None:
    """Choose an entry of a box, as a person does."""
    box = part(root, name, QComboBox)
    place = box.findText(text)
    assert place >= 0, f"{name!r} does not offer {text!r}"
    box.setCurrentIndex(place)
    box.activated.emit(place)


def follow_link(root: QWidget, name: str, link: str) -> None:
    """Click on a link in a label."""
    part(root, name, QLabel).linkActivated.emit(link)


def pane_page(root: QWidget, key: str) -> QWidget:
    """The part of the drawer that holds a pane."""
    (found,) = (page for page in root.findChildren(QWidget, key) if type(page) is QWidget)
    return found


def rows_shown(
    table: QTableView | QAbstractItemModel, columns: Sequence[int] | None = None
) -> list[list[str]]:
    """The texts of a table's rows, all columns or the chosen ones."""
    model = table if isinstance(table, QAbstractItemModel) else table.model()
    wanted = range(model.columnCount()) if columns is None else columns
    return [
        [str(model.index(row, column).data()) for column in wanted]
        for row in range(model.rowCount())
    ]


def is_busy(owner: QObject) -> bool:
    """Work that ``owner`` asked for is being done on another thread."""
    return any(work.is_busy for work in owner.findChildren(LatestWork, options=DIRECT))


def timer_of(owner: QObject) -> QTimer:
    """The only timer that ``owner`` starts and stops by itself."""
    (timer,) = owner.findChildren(QTimer, options=DIRECT)
    return timer


def clock_of(owner: QObject) -> RunningClock:
    """The clock that the ages of ``owner`` are counted to."""
    (clock,) = owner.findChildren(RunningClock)
    return clock
