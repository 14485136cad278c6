"""The panes of a session and where they lie. GUI thread.

Handles are in the middle; the docks around them can be rearranged.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, TypeVar

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget

from inspector.model.snapshot import Snapshot, Vitals
from inspector.session.protocol import Replay
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.detail.pane import DetailPane
from inspector.ui.panes.events.pane import EventsPane
from inspector.ui.panes.handles.pane import HandlesPane
from inspector.ui.panes.marks.pane import MarksPane
from inspector.ui.panes.pending.pane import PendingPane
from inspector.ui.panes.threads.pane import STACKS_PAGE, ThreadsPane
from inspector.ui.panes.timeline.pane import TimelinePane
from inspector.ui.session.mark_book import MarkBook
from inspector.ui.shell.dock_title import DockTitle
from inspector.ui.shell.pane_list import BOTTOM, LAYOUT_VERSION, PANES, PaneParts, PaneSpec
from inspector.vocabulary import EventKind

LOW_HEIGHT: Final = 560
"""Below it the timeline shares its place with pending closes and threads, so that the table keeps
some rows."""
NARROW_WIDTH: Final = 1000
"""Below it tabs have short titles, so that all can be read."""
MIN_PANE_WIDTH: Final = 240
TIMELINE_SHARE: Final = 0.29
PENDING_SHARE: Final = 0.26
"""Of the panes' height, at first: both plots can be read, and the panes below have room for half a
dozen rows."""
_Pane = TypeVar("_Pane", bound=PaneBase)


class Workbench(QMainWindow):
    """Handles, and the docks of ``PANES``."""

    selection_changed = Signal(object)
    """``tuple[int, ...]``: handles that actions work on."""
    line_wanted = Signal(str, int)
    """File and line that the person's editor is to open."""

    def __init__(self, parts: PaneParts, parent: QWidget | None = None) -> None:
        """Empty panes in their first places."""
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setObjectName("workbench")
        self.setDockOptions(self.DockOption.AllowNestedDocks | self.DockOption.AllowTabbedDocks)
        self.setTabPosition(
            Qt.DockWidgetArea.AllDockWidgetAreas,
            self.tabPosition(Qt.DockWidgetArea.TopDockWidgetArea),
        )
        self.handles = HandlesPane(parts.theme, parts.runner)
        self._panes = {spec.key: spec.make(parts) for spec in PANES}
        self.detail = self.pane("detail", DetailPane)
        self.timeline = self.pane("timeline", TimelinePane)
        self.pending = self.pane("pending", PendingPane)
        self.threads = self.pane("threads", ThreadsPane)
        self.events = self.pane("events", EventsPane)
        self.marks = self.pane("marks", MarksPane)
        self._counts: dict[str, int] = {}
        self._shown: Snapshot | None = None
        self._sized = False
        self._low = False
        self.setCentralWidget(self.handles)
        self._docks = {spec.key: self._dock(spec) for spec in PANES}
        self.reset_layout()
        self._connect(parts)

    # calls from other parts -----------------------------------------------------------------------

    def pane(self, key: str, kind: type[_Pane]) -> _Pane:
        """The pane called ``key``, which is of that class."""
        found = self._panes[key]
        if not isinstance(found, kind):
            raise TypeError(f"the pane {key} is no {kind.__name__}")
        return found

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """All panes show this snapshot."""
        is_first, self._shown = self._shown is None, snapshot
        for pane in self._all():
            pane.show_snapshot(snapshot)
        if is_first:
            self._show_range()

    def show_vitals(self, vitals: Vitals) -> None:
        """Timeline and rates take newer counters, also while paused.

        The time in between is no gap.
        """
        for pane in self._all():
            pane.show_vitals(vitals)

    def set_theme(self, theme: Theme) -> None:
        """Change colours everywhere."""
        for pane in self._all():
            pane.set_theme(theme)

    def clear(self) -> None:
        """Nothing is attached."""
        self._shown = None
        for pane in self._all():
            pane.clear()

    def show_recording(self, replay: Replay) -> None:
        """A recording is shown for the first time.

        The timeline takes all its counters and marks.
        """
        for vitals in replay.vitals:
            self.show_vitals(vitals)
        for at, name in replay.marks:
            self.timeline.add_mark(at, name)

    def choose(self, handle: int) -> None:
        """Select a handle in the table and show its detail."""
        self.handles.choose((handle,))
        self.detail.choose(handle, self._shown)
        self.open_pane("detail")

    def set_paused(self, paused: bool) -> None:
        """Let nothing move, ages neither."""
        for pane in self._all():
            pane.set_paused(paused)

    def open_pane(self, key: str) -> None:
        """Show the dock ``key`` on top."""
        dock = self._docks[key]
        dock.show()
        dock.raise_()

    def show_events(self, kind: EventKind) -> None:
        """Show the events of that kind: the rows behind a rate."""
        self.events.show_kind(kind)
        self.open_pane("events")

    def show_stacks(self) -> None:
        """Show where all threads are: the target hangs."""
        self.open_pane("threads")
        self.threads.show_page(STACKS_PAGE)

    def dock_actions(self) -> tuple[QAction, ...]:
        """One a dock: shown or not."""
        return tuple(dock.toggleViewAction() for dock in self._docks.values())

    def reset_layout(self) -> None:
        """Put all docks back to their first places and sizes."""
        self._low = 0 < self.height() < LOW_HEIGHT
        for spec in PANES:
            dock = self._docks[spec.key]
            dock.setFloating(False)
            self.addDockWidget(self._first_area(spec), dock)
            dock.setVisible(spec.shown)
        self.setCorner(Qt.Corner.TopRightCorner, Qt.DockWidgetArea.TopDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        bottom = [spec.key for spec in PANES if self._first_area(spec) == BOTTOM]
        for first, second in pairwise(bottom):
            self.tabifyDockWidget(self._docks[first], self._docks[second])
        self._docks[bottom[0]].raise_()
        self._size_docks()

    def save_layout(self) -> QByteArray | None:
        """The layout for ``restore_layout``.

        ``None`` when the panes were never seen, so there is nothing to remember.
        """
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
        """Move docks that a person did not move.

        Their places suit a low window, or a high window.
        """
        super().resizeEvent(event)
        self._name_tabs()
        if self._sized and self._low != (self.height() < LOW_HEIGHT) and self._in_first_places():
            self.reset_layout()

    # inside ---------------------------------------------------------------------------------------

    def _all(self) -> tuple[PaneBase, ...]:
        return (self.handles, *self._panes.values())

    def _first_area(self, spec: PaneSpec) -> Qt.DockWidgetArea:
        return BOTTOM if self._low and spec.key == "timeline" else spec.area

    def _in_first_places(self) -> bool:
        docks = ((spec, self._docks[spec.key]) for spec in PANES)
        return all(
            self.dockWidgetArea(dock) == self._first_area(spec)
            and not dock.isFloating()
            and dock.isHidden() != spec.shown
            for spec, dock in docks
        )

    def _dock(self, spec: PaneSpec) -> QDockWidget:
        dock = QDockWidget(spec.title, self)
        dock.setObjectName(spec.key)
        pane = self._panes[spec.key]
        if not pane.minimumWidth():
            # or the widest of them all would take the room of its neighbours
            pane.setMinimumWidth(MIN_PANE_WIDTH)
        dock.setWidget(pane)
        dock.setTitleBarWidget(DockTitle(dock, pane.title_actions))
        dock.visibilityChanged.connect(lambda in_front: pane.came_to_front() if in_front else None)
        return dock

    def _note_count(self, spec: PaneSpec, count: int) -> None:
        self._counts[spec.key] = count
        self._name_tabs()

    def _name_tabs(self) -> None:
        """Names each dock's content, with its number; in a narrow window shortly."""
        for spec in PANES:
            title = spec.short if spec.short and 0 < self.width() < NARROW_WIDTH else spec.title
            count = self._counts.get(spec.key, 0)
            self._docks[spec.key].setWindowTitle(f"{title} {count:,}" if count else title)
        for tabs in self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            # a tab without room is a click away, an elided name says nothing
            tabs.setElideMode(Qt.TextElideMode.ElideNone)
            tabs.setUsesScrollButtons(True)
            tabs.setAccessibleName("Panes")

    def _size_docks(self) -> None:
        height, width = max(self.height(), 480), max(self.width(), 800)
        self.resizeDocks(
            [self._docks["timeline"], self._docks["pending"]],
            [int(height * TIMELINE_SHARE), int(height * PENDING_SHARE)],
            Qt.Orientation.Vertical,
        )
        self.resizeDocks(
            [self._docks["detail"]], [min(360, int(width * 0.32))], Qt.Orientation.Horizontal
        )

    def _connect(self, parts: PaneParts) -> None:
        book = parts.marks
        for spec in PANES:
            self._connect_pane(self._panes[spec.key], spec)
        self.handles.handles_chosen.connect(self._selected)
        self.handles.filter_changed.connect(lambda _source: self._show_range())
        self.timeline.plot.range_selected.connect(
            lambda begin, end: self.marks.offer_range((begin, end))
        )
        self.timeline.plot.range_dropped.connect(lambda: self.marks.offer_range(None))
        self.marks.comparison_changed.connect(self.timeline.show_comparison)
        self.marks.mark_wanted.connect(book.mark_now)
        self.marks.moments_wanted.connect(lambda begin, end: self._mark(book, (begin, end)))
        book.marked.connect(self.timeline.add_mark)
        parts.findings.coverage_changed.connect(
            lambda coverage: self.handles.show_lead(coverage.lead)
        )
        parts.findings.coverage_changed.connect(self.detail.show_coverage)
        parts.findings.coverage_changed.connect(self.pending.show_coverage)

    def _connect_pane(self, pane: PaneBase, spec: PaneSpec) -> None:
        """A click leads elsewhere, and the tab shows the number of records."""
        pane.handle_chosen.connect(self.choose)
        pane.filter_wanted.connect(self.handles.set_filter)
        pane.born_wanted.connect(lambda term: self.handles.narrow("born", term))
        pane.line_wanted.connect(self.line_wanted)
        pane.count_changed.connect(lambda count: self._note_count(spec, count))

    def _mark(self, book: MarkBook, moments: tuple[float, ...]) -> None:
        """Mark moments that have passed.

        The timeline's counters say how many handles were released since.
        """
        for at in moments:
            book.mark_at(at, self.timeline.released_since(at))

    def _selected(self, handles: tuple[int, ...]) -> None:
        self.detail.choose(handles[0] if handles else None, self._shown)
        for pane in self._panes.values():
            pane.follow(handles)
        self.selection_changed.emit(handles)

    def _show_range(self) -> None:
        """The timeline marks the births that the table is filtered by."""
        born = self.handles.query.filter.born_between(self._shown.taken_at) if self._shown else None
        self.timeline.show_range(born)
