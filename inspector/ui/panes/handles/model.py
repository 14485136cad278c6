"""The handle table as Qt sees it: group rows and, below expanded groups, handle rows.

Flat, because a tree view asks for every expanded row and a table view only for the painted rows;
over index arrays, because a refresh must copy nothing. Rows keep their identity (a handle's number,
a group's type) through every change: persistent indexes follow. GUI thread.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, TypeAlias

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from inspector.model.columns import TABLE_COLUMNS
from inspector.model.grouping import Arrangement, Group
from inspector.model.rates import RateWindow
from inspector.model.snapshot import Vitals
from inspector.model.stillness import stands_still
from inspector.ui.kit.labels import tip
from inspector.ui.panes.handles.cells import HandleCells, group_facts

Index: TypeAlias = QModelIndex | QPersistentModelIndex

SMALL_GROUP: Final = 200
"""Groups up to this size are expanded when first seen."""
IdRole: Final = Qt.ItemDataRole.UserRole
"""Handle number of a handle row, ``None`` of a group row."""
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


STILL_SECS: Final = 1.0
"""How often ages grow while nothing else happens."""


class HandleModel(QAbstractTableModel):
    """Rows of an ``Arrangement``, with groups that fold."""

    rearranging = Signal()
    """GUI thread: rows are about to come, go or move."""
    rearranged = Signal()
    """GUI thread: they did."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self.rates = RateWindow()
        """What the groups show; stands still while paused."""
        self._newest_rates = self.rates
        self.cells: HandleCells | None = None
        self._arrangement: Arrangement | None = None
        self._told: Arrangement | None = None
        self._unfolded: dict[str, bool] = {}
        self._tops: list[int] = []
        self._rows = 0

    # the rows shown -------------------------------------------------------------------------------

    @property
    def arrangement(self) -> Arrangement | None:
        """The arrangement shown now."""
        return self._arrangement

    def show(self, arrangement: Arrangement) -> None:
        """Replace the arrangement; when the rows are the same, only their contents change."""
        previous = self._arrangement
        self._meet(arrangement)
        same = (
            previous is not None
            and [(g.type_index, len(g)) for g in previous.groups]
            == [(g.type_index, len(g)) for g in arrangement.groups]
            and np.array_equal(previous.ids, arrangement.ids)
            and self._layout_of(arrangement)[1] == self._rows
        )
        if same:
            self._take(arrangement)
            if not self._looks_the_same(arrangement):
                self._contents_changed()
        else:
            self._told = arrangement
            self._rearrange(arrangement)

    def clear(self) -> None:
        """Show nothing and forget which groups were folded."""
        self.beginResetModel()
        self.rates = self._newest_rates = RateWindow()
        self.cells = self._arrangement = self._told = None
        self._tops, self._rows = [], 0
        self._unfolded.clear()
        self.endResetModel()

    def add_vitals(self, vitals: Vitals) -> None:
        """Take newer counters for the groups' rates."""
        self._newest_rates.add(vitals)

    def set_paused(self, paused: bool) -> None:
        """Let the groups' rates stand still; counters that arrive meanwhile are kept."""
        self.rates = self._newest_rates.copy() if paused else self._newest_rates

    # rows -----------------------------------------------------------------------------------------

    def group_at(self, row: int) -> Group | None:
        """The group that the row heads, ``None`` for a handle row."""
        group = self.group_of(row)
        return (
            group
            if group is not None and self._tops[bisect_right(self._tops, row) - 1] == row
            else None
        )

    def group_of(self, row: int) -> Group | None:
        """The group that the row heads or lies in."""
        if self._arrangement is None or not 0 <= row < self._rows:
            return None
        place = bisect_right(self._tops, row) - 1
        return self._arrangement.groups[place] if place >= 0 else None

    def source_row(self, row: int) -> int:
        """Row in the snapshot's table, -1 for a group row."""
        place = self._place(row)
        return -1 if place < 0 or self._arrangement is None else int(self._arrangement.order[place])

    def id_at(self, row: int) -> int | None:
        """Handle number, ``None`` for a group row."""
        place = self._place(row)
        return None if place < 0 or self._arrangement is None else int(self._arrangement.ids[place])

    def ids_between(self, first: int, last: int) -> list[int]:
        """Handle numbers of rows ``first`` to ``last``, group rows left out."""
        found: list[int] = []
        if self._arrangement is None:
            return found
        for top, group in zip(self._tops, self._arrangement.groups, strict=True):
            start, stop = (
                max(first - top - 1, 0),
                min(last - top, len(group) if self.is_unfolded(group) else 0),
            )
            if start < stop:
                found += self._arrangement.ids[group.start + start : group.start + stop].tolist()
        return found

    def row_of(self, handle: int) -> int:
        """Row of a handle; -1: not shown, or its group is folded."""
        rows = self.rows_of([handle])
        return rows[0] if rows else -1

    def rows_of(self, handles: list[int]) -> list[int]:
        """Rows of the given handles that are shown, in row order."""
        if self._arrangement is None or not handles:
            return []
        wanted = np.array(handles, dtype=np.uint64)
        ids = self._arrangement.ids
        places = (
            np.flatnonzero(ids == wanted[0])
            if len(wanted) == 1
            else np.flatnonzero(np.isin(ids, wanted))
        )
        return [row for row in (self._row_of_place(int(place)) for place in places) if row >= 0]

    def top_of(self, name: str) -> int:
        """Row that heads the group of this type; -1: not shown."""
        groups = self._arrangement.groups if self._arrangement else ()
        return next(
            (top for top, group in zip(self._tops, groups, strict=True) if group.name == name), -1
        )

    def holds(self, handle: int) -> Group | None:
        """The group that shows the handle when unfolded, ``None`` when the filter leaves it out."""
        if self._arrangement is None:
            return None
        places = np.flatnonzero(self._arrangement.ids == np.uint64(handle))
        if not len(places):
            return None
        return next(g for g in self._arrangement.groups if g.start <= places[0] < g.stop)

    def is_unfolded(self, group: Group) -> bool:
        """Its handles are shown."""
        return self._unfolded.get(group.name, False)

    def fold(self, group: Group, *, folded: bool) -> None:
        """Hide or show the handles of a group."""
        if self._unfolded.get(group.name) == (not folded) or self._arrangement is None:
            return
        self._unfolded[group.name] = not folded
        self._rearrange(self._arrangement)

    def fold_all(self, *, folded: bool) -> None:
        """Hide or show the handles of all groups."""
        if self._arrangement is not None:
            self._unfolded.update({g.name: not folded for g in self._arrangement.groups})
            self._rearrange(self._arrangement)

    # Qt -------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default; never changed
        """Group rows and the handles of unfolded groups."""
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as above
        """As ``TABLE_COLUMNS``."""
        return 0 if parent.isValid() else len(TABLE_COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles, explanations and alignment of the columns."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(TABLE_COLUMNS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return TABLE_COLUMNS[section].title
        if role == Qt.ItemDataRole.ToolTipRole:
            return TABLE_COLUMNS[section].about
        return (
            int(_RIGHT if TABLE_COLUMNS[section].kind.is_number else _LEFT)
            if role == Qt.ItemDataRole.TextAlignmentRole
            else None
        )

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, explanations, alignment and ids; the delegate paints from ``cells``."""
        row, column = index.row(), index.column()
        if (
            self._arrangement is None
            or self.cells is None
            or not (index.isValid() and row < self._rows)
        ):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_RIGHT if TABLE_COLUMNS[column].kind.is_number else _LEFT)
        group = self.group_at(row)
        if group is not None:
            return self._group_data(group, column, role)
        source = self.source_row(row)
        if source < 0:
            return None
        if role == IdRole:
            return self.id_at(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(self.cells.tooltip(source, column))
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.cells.text(source, column)
        return None

    # inside ---------------------------------------------------------------------------------------

    def _group_data(self, group: Group, column: int, role: int) -> object:
        if column or self._arrangement is None:
            return None
        facts = group_facts(group, self._arrangement.snapshot, self.rates)
        if role == Qt.ItemDataRole.DisplayRole:
            return group.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(
                (group.name, *facts, "expanded" if self.is_unfolded(group) else "collapsed")
            )
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(
                f"{group.name}\n"
                + "\n".join(facts)
                + f"\nrates over {self.rates.window_secs:.0f} s"
            )
        return None

    def _place(self, row: int) -> int:
        """Place in the arrangement's order, -1 for a group row."""
        if self._arrangement is None or not 0 <= row < self._rows:
            return -1
        top = bisect_right(self._tops, row) - 1
        group = self._arrangement.groups[top] if top >= 0 else None
        if group is None or row == self._tops[top]:
            return -1
        place = group.start + row - self._tops[top] - 1
        return place if place < group.stop else -1  # beyond: rows about to be removed

    def _row_of_place(self, place: int) -> int:
        assert self._arrangement is not None  # noqa: S101 - callers looked
        for top, group in zip(self._tops, self._arrangement.groups, strict=True):
            if group.start <= place < group.stop:
                return top + 1 + place - group.start if self.is_unfolded(group) else -1
        return -1

    def _meet(self, arrangement: Arrangement) -> None:
        """Decide for new groups whether they are unfolded; a filter shows its finds."""
        only = len(arrangement.groups) == 1
        for group in arrangement.groups:
            if group.name not in self._unfolded or (
                only and arrangement.query.filter.terms and self._is_new_filter(arrangement)
            ):
                self._unfolded[group.name] = only or len(group) <= SMALL_GROUP

    def _is_new_filter(self, arrangement: Arrangement) -> bool:
        return (
            self._arrangement is None
            or self._arrangement.query.filter.source != arrangement.query.filter.source
        )

    def _layout_of(self, arrangement: Arrangement) -> tuple[list[int], int]:
        tops, row = [], 0
        for group in arrangement.groups:
            tops.append(row)
            row += 1 + (len(group) if self.is_unfolded(group) else 0)
        return tops, row

    def _take(self, arrangement: Arrangement) -> None:
        self._arrangement = arrangement
        self.cells = HandleCells(arrangement.snapshot, arrangement.query.moment_secs)
        self._tops, _ = self._layout_of(arrangement)

    def _looks_the_same(self, arrangement: Arrangement) -> bool:
        """Only ages differ from the painted rows, and by less than a second."""
        told, moment_secs = self._told, arrangement.query.moment_secs
        if (
            told is not None
            and told.query == arrangement.query
            and 0 <= arrangement.snapshot.taken_at - told.snapshot.taken_at < STILL_SECS
            and stands_still(told.snapshot, arrangement.snapshot, moment_secs=moment_secs)
        ):
            return True
        self._told = arrangement
        return False

    def _contents_changed(self) -> None:
        if self._rows:
            self.dataChanged.emit(
                self.index(0, 0), self.index(self._rows - 1, len(TABLE_COLUMNS) - 1)
            )

    def _rearrange(self, arrangement: Arrangement) -> None:
        """Grow at the end, let all rows change places, shrink at the end.

        Each step is legal, and there is no reset.
        """
        self.rearranging.emit()
        rows = self._layout_of(arrangement)[1]
        if rows > self._rows:  # rows without contents until the layout changes
            self.beginInsertRows(QModelIndex(), self._rows, rows - 1)
            self._rows = rows
            self.endInsertRows()
        self.layoutAboutToBeChanged.emit()
        identities = self._persistent_identities()  # not before: listeners made new rows just now
        self._take(arrangement)
        before = [index for index, _ in identities]
        self.changePersistentIndexList(
            before, [self._find(identity, index.column()) for index, identity in identities]
        )
        self.layoutChanged.emit()
        if rows < self._rows:
            self.beginRemoveRows(QModelIndex(), rows, self._rows - 1)
            self._rows = rows
            self.endRemoveRows()
        self.rearranged.emit()

    def _persistent_identities(self) -> list[tuple[QModelIndex, int | str | None]]:
        """Each persistent index with its identity: a handle's number or a group's name."""
        found: list[tuple[QModelIndex, int | str | None]] = []
        for index in self.persistentIndexList():
            group = self.group_at(index.row())
            found.append((index, group.name if group else self.id_at(index.row())))
        return found

    def _find(self, identity: int | str | None, column: int) -> QModelIndex:
        row = (
            self.top_of(identity)
            if isinstance(identity, str)
            else self.row_of(identity)
            if identity is not None
            else -1
        )
        return self.index(row, column) if row >= 0 else QModelIndex()
