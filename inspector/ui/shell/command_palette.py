"""The search: every action of the window, and its objects, found by typing. GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from inspector.ui.shell.search import Hit, rank

LINE_HEIGHT: Final = 28
LOOSE: Final = 3
"""From this rank on only the letters of a text fit: such actions come last."""
_CHOICE = Qt.ItemDataRole.UserRole
_KEYS = Qt.ItemDataRole.UserRole + 1
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class KeysDelegate(QStyledItemDelegate):
    """Writes an action's keys at the right of its line."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """The action as usual, then its keys."""
        super().paint(painter, option, index)
        area: QRect = option.rect
        painter.save()
        painter.setPen(QGuiApplication.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(
            area.adjusted(0, 0, -10, 0),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            str(index.data(_KEYS) or ""),
        )
        painter.restore()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """A comfortable line."""
        return QSize(super().sizeHint(option, index).width(), LINE_HEIGHT)


class CommandPalette(QDialog):
    """Lists actions and things that fit; the chosen one runs after the dialog closed."""

    hit_chosen = Signal(object)
    """``Hit``."""

    def __init__(
        self,
        actions: Sequence[QAction],
        parent: QWidget | None = None,
        *,
        search: Callable[[str], Sequence[Hit]] = lambda _typed: (),
    ) -> None:
        """Offers ``actions``, greyed where impossible, and the results of ``search``."""
        super().__init__(parent)
        self.setWindowTitle("Search")
        self.setMinimumSize(520, 400)
        self._actions = tuple(actions)
        self._search = search
        self.field = QLineEdit()
        self.field.setPlaceholderText("Types, #ids, threads, lines, findings, commands")
        self.field.setAccessibleName("Command")
        self.list = QListWidget()
        self.list.setAccessibleName("Commands")
        self.list.setItemDelegate(KeysDelegate(self.list))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(self._run)
        self.list.itemActivated.connect(lambda _item: self._run())
        self.field.installEventFilter(self)
        self._fill("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows typed into the field move in the list."""
        if (
            watched is self.field
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in _MOVES
        ):
            self.list.event(event)
            return True
        return super().eventFilter(watched, event)

    def _fill(self, typed: str) -> None:
        self.list.clear()
        ranked = [(rank(typed, _plain(action)), action) for action in self._actions]
        fitting = sorted(
            ((place, action) for place, action in ranked if place >= 0),
            key=lambda pair: (pair[0], not pair[1].isEnabled()),
        )
        near = [action for place, action in fitting if place < LOOSE]
        loose = [action for place, action in fitting if place >= LOOSE]
        for action in near:
            self._add_action(action)
        for hit in self._search(typed):
            self._add(hit.text, hit.kind.value, hit)
        for action in loose:
            self._add_action(action)
        if not self.list.count():
            item = QListWidgetItem(f"Nothing fits “{typed}”")
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _add_action(self, action: QAction) -> None:
        keys = action.shortcut().toString()
        item = self._add(_plain(action), keys, action)
        item.setIcon(action.icon())
        item.setToolTip(action.toolTip())
        if not action.isEnabled():
            item.setFlags(Qt.ItemFlag.NoItemFlags)

    def _add(self, text: str, beside: str, what: QAction | Hit) -> QListWidgetItem:
        item = QListWidgetItem(text)
        item.setData(_CHOICE, what)
        item.setData(_KEYS, beside)
        accessible = f"{text}, {beside}" if beside else text
        item.setData(Qt.ItemDataRole.AccessibleTextRole, accessible)
        self.list.addItem(item)
        return item

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        choice = item.data(_CHOICE)
        self.accept()
        if isinstance(choice, QAction):
            choice.trigger()
        elif isinstance(choice, Hit):
            self.hit_chosen.emit(choice)


def _plain(action: QAction) -> str:
    return action.text().replace("&", "")


def matches(typed: str, text: str) -> bool:
    """Whether the letters of ``typed`` appear in ``text`` in their order."""
    return rank(typed, text) >= 0
