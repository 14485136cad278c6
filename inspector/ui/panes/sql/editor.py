"""The text of a query, with completion of tables, columns and words of SQL. GUI thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QCompleter, QListView, QPlainTextEdit, QWidget

KEYWORDS: Final = (
    "and", "arg_max", "as", "asc", "avg", "between", "by", "case", "count", "desc", "distinct",
    "else", "end", "from", "group", "having", "in", "is", "join", "left", "like", "limit", "max",
    "median", "min", "not", "null", "on", "or", "order", "over", "select", "sum", "then",
    "to_timestamp", "union", "using", "when", "where", "with",
)  # fmt: skip
LEAST_PREFIX: Final = 2
"""Letters before completions are offered by themselves; Ctrl+Space offers them at any time."""
_RUN_KEYS: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_TAKE_KEYS: Final = (*_RUN_KEYS, Qt.Key.Key_Tab)


class SqlEditor(QPlainTextEdit):
    """A few lines of SQL."""

    run_wanted = Signal()
    """Ctrl+Return."""

    def __init__(self, words: Iterable[str], parent: QWidget | None = None) -> None:
        """``words``: names of tables and columns."""
        super().__init__(parent)
        self.setAccessibleName("SQL")
        self.setPlaceholderText("select type, count(*) from handles group by all")
        self.setTabChangesFocus(True)
        self.completions = QCompleter(self)
        self.popup = QListView()
        self.completions.setPopup(self.popup)
        self.completions.setModel(QStringListModel(sorted({*words, *KEYWORDS}), self.completions))
        self.completions.setWidget(self)
        self.completions.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.completions.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.completions.activated.connect(self.complete)

    def word(self) -> str:
        """The word that ends at the cursor."""
        text = self.textCursor().block().text()[: self.textCursor().positionInBlock()]
        start = len(text)
        while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
            start -= 1
        return text[start:]

    def complete(self, word: str) -> None:
        """Put ``word`` in place of the word at the cursor."""
        cursor = self.textCursor()
        cursor.movePosition(
            QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, len(self.word())
        )
        cursor.insertText(word)
        self.setTextCursor(cursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Return runs, Ctrl+Space completes; the list of completions takes its keys first."""
        if self.popup.isVisible() and event.key() in (*_TAKE_KEYS, Qt.Key.Key_Escape):
            event.ignore()  # the list's own keys
            return
        has_control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if has_control and event.key() in _RUN_KEYS:
            self.run_wanted.emit()
            return
        asks = has_control and event.key() == Qt.Key.Key_Space
        if not asks:
            super().keyPressEvent(event)
        typed = bool(event.text().strip())
        if asks or (typed and not has_control):
            self.offer(0 if asks else LEAST_PREFIX)
        elif not typed:
            self.popup.hide()

    def offer(self, least: int) -> None:
        """Show the completions of the word at the cursor, if it has so many letters."""
        prefix, popup = self.word(), self.popup
        self.completions.setCompletionPrefix(prefix)
        count = self.completions.completionCount()
        is_whole = count == 1 and self.completions.currentCompletion() == prefix
        if len(prefix) < least or not count or is_whole:
            self.popup.hide()
            return
        popup.setCurrentIndex(self.completions.completionModel().index(0, 0))
        place = self.cursorRect()
        place.setWidth(popup.sizeHintForColumn(0) + popup.verticalScrollBar().sizeHint().width())
        self.completions.complete(place)
