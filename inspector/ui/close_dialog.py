"""Closing resources: shows first what will happen to each handle and who holds it, afterwards what did. GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from inspector.model.snapshot import handle_text
from inspector.session.protocol import CloseAnswer
from inspector.ui import wording
from inspector.ui.assets import icon
from inspector.ui.theme import Theme
from inspector.ui.widgets.labels import head_label, quiet_label

HEADERS: Final = ("Handle", "Type", "What", "Reason", "Held by")
MAX_ROWS: Final = 500
"""Answers that are listed one by one; all are counted."""
_WORDS: Final = {"would_close": "will close", "closed": "closed", "pending": "pending", "refused": "refused", "failed": "failed"}
_LOOKS: Final = {
    "would_close": ("close", "text"),
    "closed": ("closed", "text_quiet"),
    "pending": ("waiting", "waiting"),
    "refused": ("info", "text_quiet"),
    "failed": ("failed", "alarm"),
}
"""Icon and token of each outcome."""


class CloseDialog(QDialog):
    """Asks, then reports; stays open until dismissed."""

    close_wanted = Signal(object, bool)
    """``tuple[int, ...]`` of handles, and whether to close those that others hold."""

    def __init__(self, theme: Theme, handles: Sequence[int], names: dict[int, str], parent: QWidget | None = None) -> None:
        """``names``: type of each handle. Waits for ``show_preview``."""
        super().__init__(parent)
        self._theme = theme
        self._handles = tuple(handles)
        self._names = names
        self._answers: tuple[CloseAnswer, ...] = ()
        self.setWindowTitle("Close resources")
        self.resize(760, 420)
        self._build()

    @property
    def handles(self) -> tuple[int, ...]:
        """Handles asked about."""
        return self._handles

    def show_preview(self, answers: Sequence[CloseAnswer]) -> None:
        """What would happen."""
        self._answers = tuple(answers)
        self._fill(answers)
        held = [a for a in answers if a.holders]
        self.although.setVisible(bool(held))
        self.although.setText(f"Close also {wording.plural(len(held), 'resource')} that others hold")
        self._refresh_button()

    def show_result(self, answers: Sequence[CloseAnswer]) -> None:
        """What happened."""
        self._fill(answers)
        count = sum(a.outcome == "closed" for a in answers)
        self.head.setText(f"Closed {wording.plural(count, 'resource')}")
        self.note.setText("A pending close runs when its reason is gone; it stays in Pending closes until then")
        self.although.hide()
        self.go.hide()
        self.cancel.setText("Done")
        self.cancel.setFocus()

    def show_failure(self, sentence: str) -> None:
        """The target did not answer."""
        self.head.setText("Nothing was closed")
        self.note.setText(sentence)
        self.go.hide()
        self.although.hide()
        self.cancel.setText("Done")

    def _build(self) -> None:
        self.head = head_label(f"Close {wording.plural(len(self._handles), 'resource')}?")
        self.note = QLabel("Asking the target what would happen …")
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.table = QTableWidget(0, len(HEADERS))
        self.table.setObjectName("answers")
        self.table.setHorizontalHeaderLabels(HEADERS)
        self.table.setAccessibleName("What happens to each handle")
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.more = quiet_label("")
        self.more.hide()
        self.although = QCheckBox("")
        self.although.hide()
        self.although.toggled.connect(lambda _on: self._refresh_button())
        self.go = QPushButton("Close")
        self.go.setEnabled(False)
        self.go.clicked.connect(self._go)
        self.cancel = QPushButton("Cancel")
        self.cancel.setDefault(True)
        self.cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(quiet_label("A close cannot be undone"), 1)
        buttons.addWidget(self.go)
        buttons.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        for widget in (self.head, self.note, self.table, self.more, self.although):
            layout.addWidget(widget)
        layout.addLayout(buttons)

    def _fill(self, answers: Sequence[CloseAnswer]) -> None:
        self.table.setRowCount(min(len(answers), MAX_ROWS))
        self.more.setVisible(len(answers) > MAX_ROWS)
        self.more.setText(f"and {len(answers) - MAX_ROWS:,} more, not listed")
        for row, answer in enumerate(answers[:MAX_ROWS]):
            holders = ", ".join(answer.holders) or "nobody else"
            texts = (
                handle_text(answer.handle),
                self._names.get(answer.handle, ""),
                _WORDS.get(answer.outcome, answer.outcome),
                answer.reason,
                holders,
            )
            name, tint = _LOOKS.get(answer.outcome, ("info", "text_quiet"))
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if column == 2:
                    item.setIcon(icon(name, self._theme, tint=tint))
                    item.setForeground(self._theme.color(tint))
                self.table.setItem(row, column, item)
        self.table.resizeColumnsToContents()
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)

    def _wanted(self) -> tuple[int, ...]:
        """Handles that would close now; those that others hold only with consent."""
        although = self.although.isChecked()
        return tuple(a.handle for a in self._answers if a.outcome in ("would_close", "pending") or (although and a.holders))

    def _refresh_button(self) -> None:
        wanted = self._wanted()
        refused = len(self._answers) - len(wanted)
        self.go.setEnabled(bool(wanted))
        self.go.setText(f"Close {wording.plural(len(wanted), 'resource')}" if wanted else "Close")
        self.note.setText(
            f"{wording.plural(len(wanted), 'resource')} will be closed; handles stay valid and further use is refused"
            + (f". {refused:,} will not" if refused else "")
            if wanted
            else "None of them can be closed"
        )

    def _go(self) -> None:
        self.go.setEnabled(False)
        self.note.setText("Closing …")
        self.close_wanted.emit(self._wanted(), self.although.isChecked())
