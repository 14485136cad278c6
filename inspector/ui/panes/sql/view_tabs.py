"""The tabs of the pane: the person's own query, then each pinned view. GUI thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QTabBar, QToolButton, QWidget

from inspector.plain_text import one_line
from inspector.ui.kit.labels import tip
from inspector.ui.panes.sql.view import View, title_of


class ViewTabs(QTabBar):
    """Shows the titles of views; a pinned view has a button that unpins it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """With the tab of the own query."""
        super().__init__(parent)
        self.setAccessibleName("Query and pinned views")
        self.setExpanding(False)
        self.addTab("Query")

    def add_view(self, view: View, unpin: Callable[[], None]) -> int:
        """A tab for a pinned view; its place."""
        place = self.addTab("")
        self.show_title(place, view.sql)
        button = QToolButton()
        button.setObjectName("unpin")
        button.setText("×")
        button.setToolTip("Unpin")
        button.setAccessibleName("Unpin")
        button.clicked.connect(unpin)
        self.setTabButton(place, QTabBar.ButtonPosition.RightSide, button)
        return place

    def show_title(self, place: int, sql: str) -> None:
        """The beginning of the query, and the whole of it as the tooltip."""
        self.setTabText(place, title_of(sql))
        self.setTabToolTip(place, tip(one_line(sql)))
