"""A Qt table over numpy-backed rows, described by its columns.

Pending closes and threads are such tables: read-only, sortable, with a stable key a row so that
selection and scroll position outlive a refresh. GUI thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from inspector.model.wording import UNKNOWN_TEXT
from inspector.ui.kit import assets
from inspector.ui.kit.labels import tip
from inspector.ui.kit.row_changes import Changes, Keys, plan_changes
from inspector.ui.kit.theme import Theme

KEY_ROLE: Final = Qt.ItemDataRole.UserRole
"""The row's key, an ``int``."""
SortKeys = npt.NDArray[np.float64] | npt.NDArray[np.int64]
Index = QModelIndex | QPersistentModelIndex
ICON_SIZE: Final = 16
QUIET_TEXTS: Final = ("", UNKNOWN_TEXT, "0")
"""Nothing and not known do not ask for an eye."""


class SizedRows(Protocol):
    """Rows that know how many they are."""

    def __len__(self) -> int:
        """Rows."""


RowsT = TypeVar("RowsT", bound=SizedRows)


@dataclass(frozen=True, slots=True)
class Cue:
    """The mark of a cell that stands out: a theme token and an icon.

    Colour alone is no cue. The icon is ``""`` where the text itself says it.
    """

    tint: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Column(Generic[RowsT]):
    """One column: its text for row ``i`` and its order."""

    title: str
    about: str
    """The header's tooltip."""
    text: Callable[[RowsT, int], str]
    sort_keys: Callable[[RowsT], SortKeys]
    """One a row; ``nan`` and, in a ``number`` column, negative is unknown and comes last in both
    directions."""
    number: bool = False
    """Right-aligned."""
    tooltip: Callable[[RowsT, int], str] | None = None
    """Exact value, or why it is not known."""
    cue: Callable[[RowsT, int], Cue | None] | None = None
    empty: str = UNKNOWN_TEXT
    """The text of a cell for which ``text`` is empty."""


class ColumnModel(QAbstractTableModel, Generic[RowsT]):
    """Rows of one snapshot after another in a table."""

    def __init__(
        self,
        columns: Sequence[Column[RowsT]],
        rows: RowsT,
        keys: Callable[[RowsT], Keys],
        *,
        theme: Theme,
        parent: QObject | None = None,
    ) -> None:
        """Begin with ``rows``.

        ``keys`` names each row for good; no two of one table may be the same.
        """
        super().__init__(parent)
        self._columns = tuple(columns)
        self._rows = rows
        self._keys_of = keys
        self._theme = theme
        self._icons: dict[tuple[str, str], Any] = {}
        self._sort_column = 0
        self._descending = False
        self._order = self._sorted(rows)
        self._keys = keys(rows)[self._order]

    @property
    def rows(self) -> RowsT:
        """The rows shown now."""
        return self._rows

    def set_rows(self, rows: RowsT) -> None:
        """Show other rows; rows that stay keep their selection."""
        order = self._sorted(rows)
        keys = self._keys_of(rows)[order]
        if np.array_equal(keys, self._keys):
            self._rows, self._order = rows, order
            self.refresh()
            return
        changes = plan_changes(self._keys, keys)
        if changes is None:
            self.beginResetModel()
            self._rows, self._order, self._keys = rows, order, keys
            self.endResetModel()
        else:
            self._apply(changes, rows, order, keys)

    def refresh(self) -> None:
        """The texts changed, the rows did not: ages, a theme."""
        if len(self._order):
            self.dataChanged.emit(
                self.index(0, 0), self.index(len(self._order) - 1, len(self._columns) - 1)
            )

    def set_theme(self, theme: Theme) -> None:
        """Colours and icons of another theme."""
        self._theme = theme
        self._icons.clear()
        self.refresh()

    def key_at(self, row: int) -> int:
        """The key of a row as it is shown."""
        return int(self._keys[row])

    def row_of(self, key: int) -> int:
        """Position of the row with ``key``, -1 when it is not shown."""
        found = np.flatnonzero(self._keys == np.uint64(key))
        return int(found[0]) if len(found) else -1

    def is_number(self, column: int) -> bool:
        """Numbers stand right-aligned."""
        return self._columns[column].number

    def source_row(self, row: int) -> int:
        """The row in ``rows`` of a row as it is shown."""
        return int(self._order[row])

    def rowCount(self, parent: Index | None = None) -> int:
        """Rows; none below a row."""
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: Index | None = None) -> int:
        """Columns."""
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip, alignment, colour, icon and key of a cell."""
        if not index.isValid():
            return None
        column, row = self._columns[index.column()], self.source_row(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return column.text(self._rows, row) or column.empty
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(
                column.tooltip(self._rows, row) if column.tooltip else column.text(self._rows, row)
            )
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(column)
        if role == KEY_ROLE:
            return self.key_at(index.row())
        return self._appearance(column, row, role)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Title, alignment and explanation of a column; rows have no header."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.about
        return self._alignment(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a column.

        Equal rows keep the order that ``rows`` has, unknown ones come last.
        """
        self._sort_column, self._descending = max(column, 0), order == Qt.SortOrder.DescendingOrder
        self._reorder(self._rows, self._sorted(self._rows))

    def _appearance(self, column: Column[RowsT], row: int, role: int) -> Any:
        if role not in (Qt.ItemDataRole.ForegroundRole, Qt.ItemDataRole.DecorationRole):
            return None
        cue = column.cue(self._rows, row) if column.cue else None
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icon(cue) if cue and cue.icon else None
        if cue:
            return self._theme.color(cue.tint)
        return (
            self._theme.color("text_quiet") if column.text(self._rows, row) in QUIET_TEXTS else None
        )

    def _icon(self, cue: Cue) -> Any:
        wanted = (cue.icon, cue.tint)
        if wanted not in self._icons:
            self._icons[wanted] = assets.pixmap(
                cue.icon, getattr(self._theme, cue.tint), ICON_SIZE, 2.0
            )
        return self._icons[wanted]

    @staticmethod
    def _alignment(column: Column[RowsT]) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    def _sorted(self, rows: RowsT) -> npt.NDArray[np.int64]:
        column = self._columns[self._sort_column]
        keys = np.asarray(column.sort_keys(rows), dtype=np.float64)
        unknown = np.isnan(keys) | (keys < 0 if column.number else False)
        keys = np.where(unknown, np.inf, -keys if self._descending else keys)
        order: npt.NDArray[np.int64] = np.argsort(keys, kind="stable").astype(np.int64)
        return order

    def _reorder(self, rows: RowsT, order: npt.NDArray[np.int64]) -> None:
        """Give the same rows other places.

        Persistent indexes (selection, current row) follow their keys.
        """
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        kept = [(self.key_at(index.row()), index.column()) for index in before]
        self._rows, self._order, self._keys = rows, order, self._keys_of(rows)[order]
        self.changePersistentIndexList(
            before, [self.index(self.row_of(key), column) for key, column in kept]
        )
        self.layoutChanged.emit()

    def _apply(
        self, changes: Changes, rows: RowsT, order: npt.NDArray[np.int64], keys: Keys
    ) -> None:
        for first, last in changes.removals:
            self.beginRemoveRows(QModelIndex(), first, last)
            self._order = np.delete(self._order, np.s_[first : last + 1])
            self._keys = np.delete(self._keys, np.s_[first : last + 1])
            self.endRemoveRows()
        self._take_survivors(changes, rows, order[np.isin(keys, self._keys)])
        for first, last in changes.insertions:
            self.beginInsertRows(QModelIndex(), first, last)
            self._order = np.insert(self._order, first, order[first : last + 1])
            self._keys = np.insert(self._keys, first, keys[first : last + 1])
            self.endInsertRows()
        self.refresh()

    def _take_survivors(self, changes: Changes, rows: RowsT, order: npt.NDArray[np.int64]) -> None:
        if changes.survivors_moved:
            self._reorder(rows, order)
        else:
            self._rows, self._order = rows, order


def ranks_of(indices: npt.NDArray[np.int64], names: dict[int, str]) -> npt.NDArray[np.float64]:
    """Sort keys for a column of names.

    Each is the place of an index's name in the alphabet, ``nan`` where it has no name.
    """
    places = {
        name: place for place, name in enumerate(sorted(set(names.values()), key=str.casefold))
    }
    distinct, inverse = np.unique(indices, return_inverse=True)
    ranks = np.array(
        [places[names[int(i)]] if names.get(int(i)) else np.nan for i in distinct], dtype=np.float64
    )
    return ranks[inverse]
