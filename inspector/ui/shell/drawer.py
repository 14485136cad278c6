"""The drawer below the table: one row of tabs, and the pane of the chosen tab. GUI thread.

Closed it is one row. The row stays at the bottom, so a tab does not move under the pointer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from inspector.ui.kit.labels import quiet_label
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.shell.pane_head import PaneHead
from inspector.ui.shell.pane_list import PaneSpec

HEIGHT: Final = 28
SHARE: Final = 0.55
"""Share of the height that the open drawer takes."""
NARROW_WIDTH: Final = 1000
"""Below it tabs have short titles, so that all can be read."""
HINT_WIDTH: Final = 1200
LEAST: Final = 120


class DrawerBody(QWidget):
    """The pane of the chosen tab, below its title and actions."""

    def __init__(self, specs: tuple[PaneSpec, ...], panes: Mapping[str, PaneBase]) -> None:
        """Holds all panes."""
        super().__init__()
        self.setObjectName("drawer")
        self.stack = QStackedWidget()
        for spec in specs:
            page = QWidget()
            page.setObjectName(spec.key)
            inside = flush_column(page)
            pane = panes[spec.key]
            if pane.title_actions:
                inside.addWidget(PaneHead(spec.title, pane.title_actions))
            inside.addWidget(pane, 1)
            self.stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self.setMinimumHeight(LEAST)

    def minimumSizeHint(self) -> QSize:
        """Panes give way."""
        return QSize(0, LEAST)


class Drawer(QWidget):
    """The row of tabs. ``body`` is laid out by the workbench."""

    toggled = Signal(bool)
    """It opened or closed."""
    whole_wanted = Signal(bool)
    """It is to fill the window, or not any more."""

    def __init__(self, specs: tuple[PaneSpec, ...], panes: Mapping[str, PaneBase]) -> None:
        """Closed."""
        super().__init__()
        self.setObjectName("drawer_tabs")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._specs = specs
        self._panes = panes
        self._counts: dict[str, int] = {}
        self.body = DrawerBody(specs, panes)
        self.body.hide()
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Panes")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        for spec in specs:
            self.tabs.addTab(spec.title)
        self.tabs.tabBarClicked.connect(self._clicked)
        self.tabs.currentChanged.connect(self._show_current)
        self._hint = quiet_label("")
        self.whole = self._button("⤢", "Fill the window with this pane", "Fill the window")
        self.whole.setCheckable(True)
        self.whole.toggled.connect(self.whole_wanted)
        for pane in panes.values():
            pane.room_wanted.connect(lambda: self.whole.setChecked(self.is_open))
        self.save = self._button("↓", "Save this pane as SVG, PNG or CSV", "Save this pane")
        self.fold = self._button("▴", "Open or close the drawer", "Open the drawer")
        self.fold.clicked.connect(lambda: self.set_open(not self.is_open))
        line = QHBoxLayout(self)
        line.setContentsMargins(4, 0, 8, 0)
        line.setSpacing(4)
        line.addWidget(self.tabs, 1)
        line.addWidget(self._hint)
        line.addWidget(self.save)
        line.addWidget(self.whole)
        line.addWidget(self.fold)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._name_tabs()
        self._show_state()

    # calls from other parts -----------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """The pane of a tab is shown."""
        return not self.body.isHidden()

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of its panes."""
        return tuple(spec.key for spec in self._specs)

    @property
    def current(self) -> str:
        """Key of the chosen pane."""
        return self._specs[self.tabs.currentIndex()].key

    @property
    def pane(self) -> PaneBase:
        """The chosen pane."""
        return self._panes[self.current]

    def open_pane(self, key: str) -> None:
        """Show the pane called ``key``."""
        self.tabs.setCurrentIndex([spec.key for spec in self._specs].index(key))
        self.set_open(True)

    def ask_pane(self, key: str) -> None:
        """Show the pane called ``key``, and have it ask its question at once."""
        self.open_pane(key)
        self._panes[key].begin()

    def set_open(self, is_open: bool) -> None:
        """Open or close it."""
        if is_open == self.is_open:
            return
        self.body.setVisible(is_open)
        if not is_open:
            self.whole.setChecked(False)
        self._show_state()
        self.toggled.emit(is_open)
        self._tell_current()

    def note_count(self, key: str, count: int) -> None:
        """The number of records in a pane, for its tab."""
        self._counts[key] = count
        self._name_tabs()

    def title(self, key: str) -> str:
        """The text on the tab of a pane."""
        return self.tabs.tabText([spec.key for spec in self._specs].index(key))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Short titles where there is little room."""
        super().resizeEvent(event)
        self._name_tabs()

    # inside ---------------------------------------------------------------------------------------

    def _button(self, text: str, tip: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setProperty("small", True)
        return button

    def _clicked(self, place: int) -> None:
        """A click on the tab of the open pane closes the drawer; on another tab it opens."""
        if place >= 0:
            self.set_open(not (self.is_open and place == self.tabs.currentIndex()))

    def _show_current(self, place: int) -> None:
        self.body.stack.setCurrentIndex(place)
        self._tell_current()

    def _tell_current(self) -> None:
        if self.is_open:
            self._panes[self.current].came_to_front()

    def _show_state(self) -> None:
        self.whole.setVisible(self.is_open)
        self.save.setVisible(self.is_open)
        self.fold.setText("▾" if self.is_open else "▴")
        self.fold.setAccessibleName("Close the drawer" if self.is_open else "Open the drawer")
        self.tabs.setProperty("closed", not self.is_open)
        self.tabs.style().unpolish(self.tabs)
        self.tabs.style().polish(self.tabs)

    def _name_tabs(self) -> None:
        """Titles with the number of records; in a narrow window shortly."""
        is_narrow = 0 < self.width() < NARROW_WIDTH
        self._hint.setText(f"Ctrl+1…{len(self._specs) % 10}" if self.width() >= HINT_WIDTH else "")
        for place, spec in enumerate(self._specs):
            title = spec.short if spec.short and is_narrow else spec.title
            count = self._counts.get(spec.key, 0)
            text = f"{title} {count:,}" if count else title
            if self.tabs.tabText(place) != text:
                self.tabs.setTabText(place, text)
