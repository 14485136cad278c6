"""The table of change as Qt sees it: a tree of rows that keep their identity. GUI thread.

Rows are named by their keys, so persistent indexes, the selection and unfolded rows follow a row
through every refresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from inspector.model.changes import ChangeRow, ChangeTable
from inspector.ui.kit.labels import tip
from inspector.ui.panes.handles.change_columns import CHANGE_COLUMNS, HEADS

Index: TypeAlias = QModelIndex | QPersistentModelIndex
RowRole: Final = Qt.ItemDataRole.UserRole
"""The ``ChangeRow``."""
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class _Node:
    """One row with its place."""

    __slots__ = ("children", "number", "parent", "place", "row")

    def __init__(self, number: int) -> None:
        self.number = number
        self.row: ChangeRow | None = None
        self.parent: _Node | None = None
        self.place = 0
        self.children: list[_Node] = []


class ChangeModel(QAbstractItemModel):
    """The rows of a ``ChangeTable``."""

    def __init__(self, parent: QObject | None = None) -> None:
        """No rows."""
        super().__init__(parent)
        self.table: ChangeTable | None = None
        self._numbers: dict[str, int] = {}
        self._nodes: dict[int, _Node] = {}
        self._root = _Node(0)

    # calls from other parts -----------------------------------------------------------------------

    def show(self, table: ChangeTable | None, *, held: bool = False) -> None:
        """Show these rows.

        ``held``: rows that are shown keep their order, and new rows come after them.
        """
        regrouped = (
            table is None
            or self.table is None
            or table.query.group_by is not self.table.query.group_by
        )
        self.table = table
        rows = table.rows if table is not None else ()
        if regrouped:
            self.beginResetModel()
            self._numbers, self._nodes, self._root = {}, {}, _Node(0)
            self._fill(self._root, rows, held=False)
            self.endResetModel()
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, 0)
            return
        if self._same_order(self._root, rows):
            self._fill(self._root, rows, held=False)
            self._tell_changed(self._root)
        else:
            self._rearrange(rows, held=held)

    def row_at(self, index: Index) -> ChangeRow | None:
        """The row of an index."""
        node = self._nodes.get(index.internalId()) if index.isValid() else None
        return node.row if node is not None else None

    def index_of(self, key: str, column: int = 0) -> QModelIndex:
        """The index of the row with that key; invalid when it is not shown."""
        node = self._nodes.get(self._numbers.get(key, 0))
        return self._index(node, column) if node is not None else QModelIndex()

    # Qt -------------------------------------------------------------------------------------------

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 Qt's own default
        """As many everywhere."""
        del parent
        return len(CHANGE_COLUMNS)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 Qt's own default
        """Rows below a row."""
        if parent.isValid() and parent.column():
            return 0
        return len(self._node(parent).children)

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008 Qt's own default
        """Also a line whose handles are not listed yet."""
        if parent.isValid() and parent.column():
            return False
        node = self._node(parent)
        return bool(node.children) or (node.row is not None and node.row.opens)

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        """By the node's number, which stays with the row."""
        children = self._node(parent).children
        if not (0 <= row < len(children) and 0 <= column < len(CHANGE_COLUMNS)):
            return QModelIndex()
        return self.createIndex(row, column, children[row].number)

    def parent(self, index: Index = QModelIndex()) -> Any:  # noqa: B008
        """The row above."""
        node = self._nodes.get(index.internalId()) if index.isValid() else None
        above = node.parent if node is not None else None
        if above is None or above is self._root:
            return QModelIndex()
        return self._index(above, 0)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts, alignment and the row."""
        row = self.row_at(index)
        if row is None or self.table is None:
            return None
        column = CHANGE_COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row, self.table)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.is_number else _LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(column.tip(row, self.table)) or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.title}: {column.text(row, self.table)}"
        return row if role == RowRole else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles, and the meaning of each number."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(CHANGE_COLUMNS):
            return None
        column = CHANGE_COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            first = HEADS.get(self.table.query.group_by) if self.table and not section else None
            return first or column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.about
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.is_number else _LEFT
        return None

    # inside ---------------------------------------------------------------------------------------

    def _node(self, index: Index) -> _Node:
        return self._nodes.get(index.internalId(), self._root) if index.isValid() else self._root

    def _index(self, node: _Node, column: int) -> QModelIndex:
        return self.createIndex(node.place, column, node.number)

    def _numbered(self, key: str) -> _Node:
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        node = self._nodes.get(number)
        if node is None:
            node = self._nodes[number] = _Node(number)
        return node

    def _same_order(self, node: _Node, rows: Sequence[ChangeRow]) -> bool:
        children = node.children
        return len(children) == len(rows) and all(
            child.row is not None
            and child.row.key == row.key
            and self._same_order(child, row.children)
            for child, row in zip(children, rows, strict=True)
        )

    def _fill(self, node: _Node, rows: Sequence[ChangeRow], *, held: bool) -> None:
        if held:
            places = {child.row.key: child.place for child in node.children if child.row}
            rows = sorted(rows, key=lambda row: places.get(row.key, len(places)))
        node.children = [self._numbered(row.key) for row in rows]
        for place, (child, row) in enumerate(zip(node.children, rows, strict=True)):
            child.row, child.parent, child.place = row, node, place
            self._fill(child, row.children, held=held)

    def _rearrange(self, rows: Sequence[ChangeRow], *, held: bool) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        old = self._nodes
        self._fill(self._root, rows, held=held)
        self._nodes = {node.number: node for node in self._all(self._root)}
        # rows that are gone keep their numbers: a row that returns is the same row
        after = [
            self._index(self._nodes[index.internalId()], index.column())
            if index.internalId() in self._nodes
            else QModelIndex()
            for index in before
        ]
        self.changePersistentIndexList(before, after)
        del old
        self.layoutChanged.emit()

    def _all(self, node: _Node) -> Iterable[_Node]:
        for child in node.children:
            yield child
            yield from self._all(child)

    def _tell_changed(self, node: _Node) -> None:
        if not node.children:
            return
        last = len(CHANGE_COLUMNS) - 1
        self.dataChanged.emit(
            self._index(node.children[0], 0), self._index(node.children[-1], last)
        )
        for child in node.children:
            self._tell_changed(child)
