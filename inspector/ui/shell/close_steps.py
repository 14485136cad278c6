"""The steps of a close plan as a table: order, handle, outcome, and holders. GUI thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from inspector.session.close_plan import Consent, Step, fate_of
from inspector.session.protocol import CloseAnswer
from inspector.ui.kit.assets import icon
from inspector.ui.kit.labels import plain_tip, quiet_label
from inspector.ui.kit.theme import Theme
from inspector.vocabulary import handle_text

HEADERS: Final = ("Order", "Handle", "Type", "What", "Why", "Held by")
MAX_ROWS: Final = 500
"""Steps that are listed one by one; all are counted."""
WHAT_COLUMN: Final = 3
_MOST_HOLDERS: Final = 3
_LOOKS: Final = {
    "closes": ("will close", "close", "text"),
    "waits": ("will wait", "waiting", "waiting"),
    "held": ("stays open", "info", "text_quiet"),
    "refused": ("refused", "info", "text_quiet"),
    "closed": ("closed", "closed", "text"),
    "pending": ("pending", "waiting", "waiting"),
    "failed": ("failed", "failed", "alarm"),
    "would_close": ("stays open", "info", "text_quiet"),
    "would_wait": ("stays open", "info", "text_quiet"),
}
"""Word, icon and token of each fate before, and of each outcome afterwards."""


class CloseSteps(QWidget):
    """Lists the first ``MAX_ROWS``."""

    chosen = Signal(object)
    """``CloseAnswer`` of the row that is current now; ``None`` for no row."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._theme = theme
        self._answers: tuple[CloseAnswer, ...] = ()
        self.table = QTableWidget(0, len(HEADERS))
        self.table.setObjectName("answers")
        self.table.setHorizontalHeaderLabels(HEADERS)
        self.table.setAccessibleName("Plan for each handle")
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.table.currentCellChanged.connect(lambda row, *_: self._choose(row))
        self.more = quiet_label("")
        self.more.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.more)

    def show_steps(self, steps: Sequence[Step], consent: Consent, names: Mapping[int, str]) -> None:
        """The planned steps, in order; skipped steps have no number."""
        rows, place = [], 0
        for step in steps[:MAX_ROWS]:
            fate = fate_of(step, consent)
            goes = fate in ("closes", "waits")
            place += goes
            rows.append((str(place) if goes else "", fate, _why(step, fate), step.others))
        self._fill([step.answer for step in steps], rows, names)

    def show_answers(self, answers: Sequence[CloseAnswer], names: Mapping[int, str]) -> None:
        """The outcomes, in the order in which they happened."""
        rows = [
            (str(place), answer.outcome, answer.reason, answer.holders)
            for place, answer in enumerate(answers[:MAX_ROWS], start=1)
        ]
        self._fill(answers, rows, names)

    def select_held(self) -> None:
        """Make the first step with other holders the current step, else none."""
        held = next(
            (row for row, answer in enumerate(self._answers[:MAX_ROWS]) if answer.holders), None
        )
        if held is not None:
            self.table.setCurrentCell(held, 0)

    def _fill(
        self,
        answers: Sequence[CloseAnswer],
        rows: Sequence[tuple[str, str, str, tuple[str, ...]]],
        names: Mapping[int, str],
    ) -> None:
        row = self.table.currentRow()
        current = self._answers[row].handle if 0 <= row < len(self._answers) else None
        self._answers = tuple(answers)
        self.table.setCurrentCell(-1, -1)
        self.table.setRowCount(len(rows))
        self.more.setVisible(len(answers) > len(rows))
        self.more.setText(f"and {len(answers) - len(rows):,} more, not listed")
        for row, (place, fate, why, holders) in enumerate(rows):
            handle = answers[row].handle
            word, sign, tint = _LOOKS.get(fate, (fate, "info", "text_quiet"))
            texts = (
                place,
                handle_text(handle),
                names.get(handle, ""),
                word,
                why,
                _holders_text(holders),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(
                    plain_tip("\n".join(holders) if column == len(texts) - 1 and holders else text)
                    if text
                    else ""
                )
                if column == WHAT_COLUMN:
                    item.setIcon(icon(sign, self._theme, tint=tint))
                    item.setForeground(self._theme.color(tint))
                self.table.setItem(row, column, item)
        self._fit()
        again = next((row for row in range(len(rows)) if answers[row].handle == current), None)
        if again is not None:
            self.table.setCurrentCell(again, 0)

    def _fit(self) -> None:
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        self.table.resizeColumnsToContents()
        header.setSectionResizeMode(len(HEADERS) - 2, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(len(HEADERS) - 1, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(len(HEADERS) - 1, min(header.sectionSize(len(HEADERS) - 1), 260))

    def _choose(self, row: int) -> None:
        self.chosen.emit(self._answers[row] if 0 <= row < len(self._answers) else None)


def _why(step: Step, fate: str) -> str:
    if fate == "held":
        return "others hold it"
    if step.is_added and not step.answer.reason:
        return "has to be closed first"
    return step.answer.reason


def _holders_text(holders: Sequence[str]) -> str:
    if not holders:
        return "nobody else"
    rest = len(holders) - _MOST_HOLDERS
    return ", ".join(holders[:_MOST_HOLDERS]) + (f" and {rest} more" if rest > 0 else "")
