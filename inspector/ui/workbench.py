"""The panes of a session and where they lie: handles in the middle, docks around them that a person can rearrange. GUI thread."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from inspector.model.snapshot import Snapshot, Vitals
from inspector.ui.bridge import Courier
from inspector.ui.theme import Theme
from inspector.ui.views.churn import ChurnPane
from inspector.ui.views.detail import DetailPane
from inspector.ui.views.handles import HandlesPane
from inspector.ui.views.pending import PendingPane
from inspector.ui.views.threads import ThreadsPane

LAYOUT_VERSION: Final = 1
"""Grows when panes come or go: a layout saved before is not restored."""
LOW_HEIGHT: Final = 560
"""Below it the timeline shares its place with pending closes and threads, so that the table keeps some rows."""
TIMELINE_SHARE: Final = 0.33
PENDING_SHARE: Final = 0.19
"""Of the panes' height, at first: both plots can be read, and the oldest closes are seen."""
_AREAS: Final = {
    "timeline": Qt.DockWidgetArea.TopDockWidgetArea,
    "detail": Qt.DockWidgetArea.RightDockWidgetArea,
    "pending": Qt.DockWidgetArea.BottomDockWidgetArea,
    "threads": Qt.DockWidgetArea.BottomDockWidgetArea,
}
_TITLES: Final = {"timeline": "Timeline", "detail": "Detail", "pending": "Pending closes", "threads": "Threads"}


class Workbench(QMainWindow):
    """Handles, and docks for the timeline, one handle's detail, pending closes and threads."""

    selection_changed = Signal(object)
    """``tuple[int, ...]``: handles that actions work on."""

    def __init__(self, theme: Theme, courier: Courier, parent: QWidget | None = None) -> None:
        """Empty panes in their first places."""
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setObjectName("workbench")
        self.setDockOptions(self.DockOption.AllowNestedDocks | self.DockOption.AllowTabbedDocks)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, self.tabPosition(Qt.DockWidgetArea.TopDockWidgetArea))
        self.handles = HandlesPane(theme, courier)
        self.detail = DetailPane(theme)
        self.churn = ChurnPane(theme)
        self.pending = PendingPane(theme)
        self.threads = ThreadsPane(theme)
        self._shown: Snapshot | None = None
        self._sized = False
        self._low = False
        self.setCentralWidget(self.handles)
        self._docks = {
            key: self._dock(key, pane)
            for key, pane in (("timeline", self.churn), ("detail", self.detail), ("pending", self.pending), ("threads", self.threads))
        }
        self.reset_layout()
        self._connect()

    # what others call ---------------------------------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """All panes show this one."""
        is_first, self._shown = self._shown is None, snapshot
        self.handles.show_snapshot(snapshot)
        self.churn.show_snapshot(snapshot)
        self.pending.show_snapshot(snapshot)
        self.threads.show_snapshot(snapshot)
        self.detail.show_snapshot(snapshot)
        self._show_counts(snapshot)
        if is_first:
            self._show_range()

    def show_vitals(self, vitals: Vitals) -> None:
        """Timeline and rates take newer counters, also while paused: what happened meanwhile is no gap."""
        self.churn.show_vitals(vitals)
        self.handles.show_vitals(vitals)

    def set_theme(self, theme: Theme) -> None:
        """Change colours everywhere."""
        for pane in (self.handles, self.detail, self.churn, self.pending, self.threads):
            pane.set_theme(theme)

    def clear(self) -> None:
        """Nothing is attached."""
        self._shown = None
        for pane in (self.handles, self.detail, self.churn, self.pending, self.threads):
            pane.clear()

    def choose(self, handle: int) -> None:
        """Select a handle in the table and show its detail."""
        self.handles.choose((handle,))
        self.detail.choose(handle, self._shown)
        self.open_pane("detail")

    def set_paused(self, paused: bool) -> None:
        """Let nothing move, ages neither."""
        for pane in (self.handles, self.pending, self.threads, self.churn):
            pane.set_paused(paused)

    def open_pane(self, key: str) -> None:
        """Show the dock ``key`` (``timeline``, ``detail``, ``pending``, ``threads``) on top."""
        dock = self._docks[key]
        dock.show()
        dock.raise_()

    def dock_actions(self) -> tuple[QAction, ...]:
        """One a dock: shown or not."""
        return tuple(dock.toggleViewAction() for dock in self._docks.values())

    def reset_layout(self) -> None:
        """Put all docks back to their first places and sizes."""
        self._low = low = 0 < self.height() < LOW_HEIGHT
        for key, dock in self._docks.items():
            dock.setFloating(False)
            self.addDockWidget(self._first_area(key), dock)
            dock.show()
        self.setCorner(Qt.Corner.TopRightCorner, Qt.DockWidgetArea.TopDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        bottom = ["timeline", "pending", "threads"] if low else ["pending", "threads"]
        for first, second in pairwise(bottom):
            self.tabifyDockWidget(self._docks[first], self._docks[second])
        self._docks[bottom[0]].raise_()
        self._size_docks()

    def save_layout(self) -> QByteArray | None:
        """What ``restore_layout`` takes; ``None`` when the panes were never seen, so there is nothing to remember."""
        return self.saveState(LAYOUT_VERSION) if self._sized else None

    def restore_layout(self, layout: QByteArray) -> None:
        """Put docks where they were; a layout of another version changes nothing."""
        self._sized = self.restoreState(layout, LAYOUT_VERSION)

    def showEvent(self, event: QShowEvent) -> None:
        """First seen: sizes that suit the window, unless a layout was restored."""
        super().showEvent(event)
        if not self._sized:
            self._sized = True
            self.reset_layout()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Docks that nobody moved change to the places that suit a low window, or a high one."""
        super().resizeEvent(event)
        if self._sized and self._low != (self.height() < LOW_HEIGHT) and self._in_first_places():
            self.reset_layout()

    # inside -------------------------------------------------------------------------------------------------------

    def _first_area(self, key: str) -> Qt.DockWidgetArea:
        return _AREAS["pending" if self._low and key == "timeline" else key]

    def _in_first_places(self) -> bool:
        return all(
            self.dockWidgetArea(dock) == self._first_area(key) and not dock.isFloating() and not dock.isHidden()
            for key, dock in self._docks.items()
        )

    def _dock(self, key: str, pane: QWidget) -> QDockWidget:
        dock = QDockWidget(_TITLES[key], self)
        dock.setObjectName(key)
        dock.setWidget(pane)
        return dock

    def _size_docks(self) -> None:
        height, width = max(self.height(), 480), max(self.width(), 800)
        self.resizeDocks(
            [self._docks["timeline"], self._docks["pending"]],
            [int(height * TIMELINE_SHARE), int(height * PENDING_SHARE)],
            Qt.Orientation.Vertical,
        )
        self.resizeDocks([self._docks["detail"]], [min(360, int(width * 0.32))], Qt.Orientation.Horizontal)

    def _connect(self) -> None:
        self.handles.handles_chosen.connect(self._selected)
        self.detail.handle_chosen.connect(self.choose)
        self.detail.filter_wanted.connect(self.handles.set_filter)
        self.pending.handle_chosen.connect(self.choose)
        self.threads.filter_wanted.connect(self.handles.set_filter)
        self.churn.filter_wanted.connect(self.handles.set_filter)
        self.churn.born_wanted.connect(lambda term: self.handles.narrow("born", term))
        self.handles.filter_changed.connect(lambda _source: self._show_range())

    def _selected(self, handles: tuple[int, ...]) -> None:
        self.detail.choose(handles[0] if handles else None, self._shown)
        self.selection_changed.emit(handles)

    def _show_range(self) -> None:
        """The timeline marks the births that the table is filtered by."""
        born = self.handles.query.filter.born_between(self._shown.taken_at) if self._shown else None
        self.churn.show_range(born)

    def _show_counts(self, snapshot: Snapshot) -> None:
        """The tabs say how much there is to see."""
        pending = snapshot.vitals.pending
        self._docks["pending"].setWindowTitle(f"Pending closes {pending:,}" if pending else "Pending closes")
        self._docks["threads"].setWindowTitle(f"Threads {len(snapshot.threads):,}" if snapshot.threads else "Threads")
