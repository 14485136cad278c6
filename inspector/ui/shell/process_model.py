"""Processes on the start page as a table.

Attachable processes come first, then greyed processes with the reason, then remains of dead
processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final, TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from inspector.model import wording
from inspector.ui.kit.assets import icon
from inspector.ui.kit.labels import plain_tip
from inspector.ui.kit.theme import Theme
from inspector.ui.session.connector import ProcessRow

Index: TypeAlias = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    """Columns, left to right."""

    NAME = 0
    PID = 1
    FOLDER = 2
    AGE = 3
    USER = 4
    PACKAGES = 5
    RUNTIME = 6
    HANDLES = 7
    STATUS = 8


HEADERS: Final = (
    "Process",
    "PID",
    "Folder",
    "Age",
    "User",
    "Packages",
    "Runtime",
    "Live handles",
    "Status",
)
SPARE: Final = (Column.RUNTIME, Column.USER, Column.PACKAGES, Column.AGE, Column.FOLDER)
"""Columns that are left out where there is no room, the first first."""
_LOOKS: Final = {
    (True, False, False): ("dot", "live"),
    (True, True, False): ("waiting", "waiting"),
    (True, True, True): ("tombstone", "text_quiet"),
    (False, True, False): ("dead", "text_quiet"),
    (False, False, False): ("dead", "text_quiet"),
}
"""Icon and tint by: attachable, with a reason, gone."""
NO_AGENT: Final = "runs no agent"
_NUMBERS: Final = (Column.PID, Column.AGE, Column.HANDLES)


class ProcessModel(QAbstractTableModel):
    """Rows keep their place while the list is refreshed.

    Only a changed set of processes rearranges them.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Empty. Ages are counted to ``clock``, seconds since the Unix epoch."""
        super().__init__(parent)
        self._clock = clock
        self._theme = theme
        self._rows: tuple[ProcessRow, ...] = ()

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self._contents_changed()

    def show(self, rows: Sequence[ProcessRow]) -> None:
        """Show attachable processes first, then other running processes, then remains of the dead.

        A process that is listed keeps its place, and new ones come after it: nothing moves under
        the pointer. The first list, and a list that was seen empty, is sorted.
        """
        places = {row.pid: place for place, row in enumerate(self._rows)}
        ordered = tuple(
            sorted(
                rows,
                key=lambda row: (
                    places.get(row.pid, len(places)),
                    not row.alive,
                    not row.attachable,
                ),
            )
        )
        if [row.pid for row in ordered] == [row.pid for row in self._rows]:
            self._rows = ordered
            self._contents_changed()
            return
        self.beginResetModel()
        self._rows = ordered
        self.endResetModel()

    def process(self, row: int) -> ProcessRow | None:
        """The process in this row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def first_attachable(self) -> int:
        """The first row that can be opened, the first of all when none can."""
        return next((at for at, row in enumerate(self._rows) if row.attachable), 0)

    def row_of(self, pid: int) -> int:
        """-1: not listed."""
        return next((at for at, row in enumerate(self._rows) if row.pid == pid), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default; never changed
        """One a process."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as above
        """As ``Column``."""
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles and alignment."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADERS[section]
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, colours and explanations."""
        row = self.process(index.row()) if index.isValid() else None
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.color("text" if row.attachable and not row.gone else "text_quiet")
        if role == Qt.ItemDataRole.DecorationRole and index.column() == Column.STATUS:
            name, tint = (
                ("attach", "text_quiet")
                if row.consent
                else _LOOKS[(row.attachable, bool(row.reason), row.gone)]
            )
            return icon(name, self._theme, tint=tint)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip("\n".join(_tip_lines(row)))
        return None

    def _contents_changed(self) -> None:
        if self._rows:
            self.dataChanged.emit(
                self.index(0, 0), self.index(len(self._rows) - 1, len(Column) - 1)
            )

    def _text(self, row: ProcessRow, column: int) -> str:
        if column == Column.AGE:
            return wording.age(self._clock() - row.started_at)
        if column == Column.STATUS and row.consent:
            return f"not prepared{row.reason.removeprefix(NO_AGENT)}"
        if column == Column.STATUS:
            return row.reason or ("attachable" if row.attachable else "cannot be attached")
        texts = {
            Column.NAME: row.name,
            Column.PID: str(row.pid),
            Column.FOLDER: row.folder or wording.UNKNOWN_TEXT,
            Column.USER: row.user or wording.UNKNOWN_TEXT,
            Column.PACKAGES: ", ".join(row.packages) or wording.UNKNOWN_TEXT,
            Column.RUNTIME: row.runtime or wording.UNKNOWN_TEXT,
            Column.HANDLES: wording.number(row.live_handles),
        }
        return texts[Column(column)]


def _tip_lines(row: ProcessRow) -> list[str]:
    packages = f"Packages with native code: {', '.join(row.packages)}" if row.packages else ""
    folder = f"In {row.folder}" if row.folder else ""
    return [part for part in (row.command, folder, packages, row.reason, row.fix) if part]


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
