"""The rows of an answer as a Qt table. GUI thread."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from inspector.model.sql.engine import SqlAnswer
from inspector.model.wording import UNKNOWN_TEXT
from inspector.plain_text import printable
from inspector.ui.kit.labels import tip

NOTHING: Final = SqlAnswer((), (), has_more=False)
Index = QModelIndex | QPersistentModelIndex


class AnswerModel(QAbstractTableModel):
    """One answer after another."""

    def __init__(self, parent: QObject | None = None) -> None:
        """No answer."""
        super().__init__(parent)
        self.answer = NOTHING

    def show_answer(self, answer: SqlAnswer) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.answer = answer
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Rows of the answer."""
        return 0 if parent.isValid() else len(self.answer.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Columns of the answer."""
        return 0 if parent.isValid() else len(self.answer.names)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """The columns' names."""
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return printable(self.answer.names[section]) if section < len(self.answer.names) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The value as text; numbers stand right."""
        if not index.isValid():
            return None
        value = self.answer.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(value)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(cell_text(value))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if _is_number(value) else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None


def cell_text(value: Any) -> str:
    """A value on one line; unknown is a dash."""
    if value is None:
        return UNKNOWN_TEXT
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if _is_number(value) else printable(str(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
