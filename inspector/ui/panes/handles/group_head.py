"""The head of the present group, kept in sight at the top of the handle table. GUI thread."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from inspector.model.grouping import Group
from inspector.ui.panes.handles.delegate import ROW_HEIGHT, HandleDelegate
from inspector.ui.panes.handles.model import HandleModel


class GroupHead(QWidget):
    """Lies over the viewport's first row; a click goes to the group's own row.

    The view calls ``follow`` when it scrolled.
    """

    def __init__(self, view: QTableView, model: HandleModel, delegate: HandleDelegate) -> None:
        """Hidden until the view is scrolled into a group."""
        super().__init__(view.viewport())
        self._view = view
        self._model = model
        self._delegate = delegate
        self._group: Group | None = None
        self.setAccessibleName("Group of the rows at the top")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()
        model.rearranged.connect(self.follow)
        model.dataChanged.connect(lambda *_: self.follow())
        model.modelReset.connect(self.follow)

    @property
    def group(self) -> Group | None:
        """The group that it names; ``None`` while hidden."""
        return self._group

    def follow(self) -> None:
        """Name the group of the row at the top; give way to the next group's row."""
        row = self._view.rowAt(0)
        self._group = (
            self._model.group_of(row)
            if row >= 0 and (self._view.rowViewportPosition(row) < 0 or row > 0)
            else None
        )
        if self._group is None or (
            self._model.group_at(row) is not None and self._view.rowViewportPosition(row) == 0
        ):
            self._group = None
            self.hide()
            return
        below = self._view.rowViewportPosition(row) + ROW_HEIGHT
        gives_way = (
            row + 1 < self._model.rowCount()
            and self._model.group_at(row + 1) is not None
            and below < ROW_HEIGHT
        )
        self.setGeometry(
            0, below - ROW_HEIGHT if gives_way else 0, self._view.viewport().width(), ROW_HEIGHT
        )
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """As the delegate paints the group's row."""
        if self._group is not None:
            painter = QPainter(self)
            self._delegate.paint_head(painter, self.rect(), self._group, selected=False)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the group's own row."""
        if self._group is not None:
            index = self._model.index(self._model.top_of(self._group.name), 0)
            self._view.setCurrentIndex(index)
            self._view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtTop)
