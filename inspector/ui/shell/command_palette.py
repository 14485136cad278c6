"""The command palette: every action of the window, found by typing. GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
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

LINE_HEIGHT: Final = 28
_ACTION = Qt.ItemDataRole.UserRole
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
    """Lists actions whose letters appear in order; the one chosen runs after the dialog closed."""

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        """Offers ``actions``; impossible actions are greyed."""
        super().__init__(parent)
        self.setWindowTitle("Commands")
        self.setMinimumSize(420, 360)
        self._actions = tuple(actions)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Type a command")
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
        for action in sorted(
            (a for a in self._actions if matches(typed, a.text())), key=lambda a: not a.isEnabled()
        ):
            keys = action.shortcut().toString()
            item = QListWidgetItem(action.icon(), action.text())
            item.setData(_ACTION, action)
            item.setData(_KEYS, keys)
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole,
                f"{action.text()}, {keys}" if keys else action.text(),
            )
            item.setToolTip(action.toolTip())
            if not action.isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        action: QAction = item.data(_ACTION)
        self.accept()
        action.trigger()


def matches(typed: str, text: str) -> bool:
    """Whether the letters of ``typed`` appear in ``text`` in their order."""
    letters = iter(text.casefold())
    return all(letter in letters for letter in typed.casefold() if not letter.isspace())
