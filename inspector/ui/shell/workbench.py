"""The panes of a session and where they lie. GUI thread.

From top to bottom: the timeline, the table with the pane of the selection at its right, and the
drawer.
"""

from __future__ import annotations

from typing import Final, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from inspector.model.changes import ChangeRow
from inspector.model.snapshot import Snapshot, Vitals
from inspector.session.protocol import Replay
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.detail.line_page import LinePage
from inspector.ui.panes.detail.pane import DetailPane
from inspector.ui.panes.events.pane import EventsPane
from inspector.ui.panes.handles.pane import HandlesPane
from inspector.ui.panes.marks.pane import MarksPane
from inspector.ui.panes.pending.pane import PendingPane
from inspector.ui.panes.threads.pane import STACKS_PAGE, ThreadsPane
from inspector.ui.panes.timeline.pane import TimelinePane
from inspector.ui.session.holder_questions import HolderQuestions
from inspector.ui.session.mark_book import MarkBook
from inspector.ui.shell import side_pane
from inspector.ui.shell.drawer import SHARE, Drawer
from inspector.ui.shell.layout_state import LayoutState, read_layout
from inspector.ui.shell.pane_list import PANES, PaneParts, PaneSpec, Place
from inspector.ui.shell.side_pane import SidePane
from inspector.ui.shell.timeline_strip import TimelineStrip
from inspector.vocabulary import EventKind

SHEET_BELOW: Final = 1000
"""Narrower windows show the selection over the table."""
WIDE_FROM: Final = 1440
DRAWER_FROM: Final = 1200
"""Higher windows open with the drawer."""
_Pane = TypeVar("_Pane", bound=PaneBase)


class Workbench(QWidget):
    """The table, and the panes of ``PANES`` around it."""

    selection_changed = Signal(object)
    """``tuple[int, ...]``: handles that actions work on."""
    row_changed = Signal(object)
    """``ChangeRow`` that is selected, or ``None``."""
    holder_found = Signal(str, str)
    """Key of a row, and the root that holds it."""
    line_wanted = Signal(str, int)
    """File and line that the person's editor is to open."""

    def __init__(self, parts: PaneParts, parent: QWidget | None = None) -> None:
        """Empty panes in their first places."""
        super().__init__(parent)
        self.setObjectName("workbench")
        self.handles = HandlesPane(parts.theme, parts.runner, parts.changes, parts.colors)
        self._panes = {spec.key: spec.make(parts) for spec in PANES}
        self.detail = self.pane("detail", DetailPane)
        self.timeline = self.pane("timeline", TimelinePane)
        self.pending = self.pane("pending", PendingPane)
        self.threads = self.pane("threads", ThreadsPane)
        self.events = self.pane("events", EventsPane)
        self.marks = self.pane("marks", MarksPane)
        self._shown: Snapshot | None = None
        self._is_sized = False
        self._side_width = 0
        self.line = LinePage(
            parts.theme, HolderQuestions(parts.attachment, parts.attachment), parts.findings
        )
        self.side = SidePane(self.line, self.detail)
        drawn = tuple(spec for spec in PANES if spec.place is Place.DRAWER)
        self.drawer = Drawer(drawn, self._panes)
        self.timeline_strip = TimelineStrip(self.timeline)
        self._lay_out()
        self._actions = tuple(self._action(spec, place) for place, spec in enumerate(drawn, 1))
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
        self.side.set_theme(theme)

    def clear(self) -> None:
        """Nothing is attached."""
        self._shown = None
        self.line.clear()
        self.side.hide()
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

    def open_row(self, row: ChangeRow) -> None:
        """Show a row of the table of change, and ask for its holders."""
        self.show_row(row)
        if row.handle:
            self.choose(row.handle)
        elif not self.line.groups:
            self.line.look()

    def show_row(self, row: ChangeRow) -> None:
        """Show a row of the table of change at the right."""
        if row.handle:
            self.detail.choose(row.handle, self._shown)
            self.side.show_handle()
        elif row.type_name:
            self.side.show_row(row, self.handles.changes.changes.table)
        self._place_side()

    def choose_key(self, key: str) -> None:
        """Select the row with that key in the table, and show its holders."""
        table = self.handles.changes.changes.table
        row = table.row(key) if table is not None else None
        if row is not None:
            self.handles.changes.choose(key)
            self.open_row(row)

    def set_paused(self, paused: bool) -> None:
        """Let nothing move, ages neither."""
        for pane in self._all():
            pane.set_paused(paused)

    def open_pane(self, key: str) -> None:
        """Show the pane ``key``."""
        if key == "timeline":
            self.timeline_strip.set_folded(False)
        elif key == "detail":
            self.side.show_handle()
            self._place_side()
        else:
            self.drawer.open_pane(key)

    def show_events(self, kind: EventKind) -> None:
        """Show the events of that kind: the rows behind a rate."""
        self.events.show_kind(kind)
        self.open_pane("events")

    def show_stacks(self) -> None:
        """Show the lines of all threads: the target hangs."""
        self.open_pane("threads")
        self.threads.show_page(STACKS_PAGE)

    def pane_actions(self) -> tuple[QAction, ...]:
        """One for each pane of the drawer: show it."""
        return self._actions

    def reset_layout(self) -> None:
        """All parts in their first places and sizes, which suit the size of the window."""
        self._side_width = 0
        self.drawer.whole.setChecked(False)
        self.drawer.set_open(self.height() >= DRAWER_FROM)
        self.timeline_strip.reset(self.width(), self.height())
        self._size_drawer()
        self._place_side()

    def save_layout(self) -> str | None:
        """The layout for ``restore_layout``.

        ``None`` when the panes were never seen, so there is nothing to remember.
        """
        if not self._is_sized:
            return None
        side = self.side.width() if self.side.is_open else self._side_width
        return LayoutState(
            self.drawer.current if self.drawer.is_open else "",
            tuple(self._upright.sizes()),
            side,
            self.timeline_strip.is_folded,
            self.handles.changes.save_columns(),
        ).text()

    def restore_layout(self, layout: str) -> None:
        """Put parts where they were; a layout of another version changes nothing."""
        found = read_layout(layout)
        if found is None:
            return
        self._is_sized = True
        self._side_width = found.side
        self.timeline_strip.set_folded(found.is_folded)
        self.handles.changes.restore_columns(found.columns)
        if found.drawer in self._panes:
            self.drawer.open_pane(found.drawer)
            self._upright.setSizes(list(found.heights))

    # Qt -------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """First seen: sizes that suit the window, unless a layout was restored."""
        super().resizeEvent(event)
        if not self._is_sized and self.isVisible():
            self._is_sized = True
            self.reset_layout()
        self.timeline_strip.suit(self.width(), self.height())
        self._place_side()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes the pane of the selection."""
        if event.key() == Qt.Key.Key_Escape and self.side.is_open:
            self.side.close_pane()
        else:
            super().keyPressEvent(event)

    # inside ---------------------------------------------------------------------------------------

    def _all(self) -> tuple[PaneBase, ...]:
        return (self.handles, *self._panes.values())

    def _lay_out(self) -> None:
        self._across = QSplitter(Qt.Orientation.Horizontal)
        self._across.setChildrenCollapsible(False)
        self._across.addWidget(self.handles)
        self._across.addWidget(self.side)
        self._across.setStretchFactor(0, 1)
        self._across.splitterMoved.connect(lambda _at, _index: self._note_side())
        self._upper = QWidget()
        upper = flush_column(self._upper)
        upper.addWidget(self.timeline_strip)
        upper.addWidget(self._across, 1)
        self._upright = QSplitter(Qt.Orientation.Vertical)
        self._upright.setChildrenCollapsible(False)
        self._upright.addWidget(self._upper)
        self._upright.addWidget(self.drawer.body)
        self._upright.setStretchFactor(0, 1)
        layout = flush_column(self)
        layout.addWidget(self._upright, 1)
        layout.addWidget(self.drawer)

    def _action(self, spec: PaneSpec, place: int) -> QAction:
        action = QAction(f"Show {spec.title}", self)
        action.setObjectName(f"show_{spec.key}")
        if place < 10:
            action.setShortcut(QKeySequence(f"Ctrl+{place % 10}"))
        action.triggered.connect(lambda: self.open_pane(spec.key))
        self.addAction(action)
        return action

    def _size_drawer(self) -> None:
        height = max(self._upright.height(), 1)
        self._upright.setSizes([int(height * (1 - SHARE)), int(height * SHARE)])

    def _note_side(self) -> None:
        self._side_width = self.side.width()

    def _place_side(self) -> None:
        """Beside the table, or in a narrow window over it."""
        is_sheet = 0 < self.width() < SHEET_BELOW
        if is_sheet:
            if self.side.parent() is not self:
                was_open = self.side.is_open
                self.side.setParent(self)
                self.side.setVisible(was_open)
            place = self.handles.mapTo(self, self.handles.rect().topLeft())
            width = min(side_pane.SHEET_WIDTH, self.width())
            self.side.setGeometry(self.width() - width, place.y(), width, self.handles.height())
            self.side.raise_()
            return
        if self.side.parent() is self:
            was_open = self.side.is_open
            self._across.addWidget(self.side)
            self.side.setVisible(was_open)
        if self.side.is_open and self._across.width():
            width = side_pane.WIDTH if self.width() >= WIDE_FROM else side_pane.NARROW_WIDTH
            width = self._side_width or width
            if self.side.width() != width:
                self._across.setSizes([max(self._across.width() - width, 1), width])

    def _side_closed(self) -> None:
        self.handles.show()
        self.handles.changes.choose("")
        self.handles.table.choose(())
        self.row_changed.emit(None)

    def _connect(self, parts: PaneParts) -> None:
        book = parts.marks
        for spec in PANES:
            self._connect_pane(self._panes[spec.key], spec)
        self.handles.handles_chosen.connect(self._selected)
        self.handles.line_wanted.connect(self.line_wanted)
        self.handles.filter_changed.connect(lambda _source: self._show_range())
        self.handles.row_chosen.connect(self._row_chosen)
        self.handles.row_opened.connect(self.open_row)
        self.handles.changed.connect(self.side.show_table)
        self.line.handle_chosen.connect(self.choose)
        self.line.line_wanted.connect(self.line_wanted)
        self.line.pane_wanted.connect(self.drawer.ask_pane)
        self.line.holder_found.connect(lambda key, root, _all: self.holder_found.emit(key, root))
        self.line.holder_found.connect(
            lambda _key, _root, holders: parts.changes.learn_holders(holders)
        )
        self.side.closed.connect(self._side_closed)
        self.side.table_moved.connect(self._place_side)
        self.handles.installEventFilter(self.side)
        self.side.whole_wanted.connect(lambda whole: self.handles.setVisible(not whole))
        self.drawer.toggled.connect(self._drawer_toggled)
        self.drawer.whole_wanted.connect(lambda whole: self._upper.setVisible(not whole))
        self.drawer.whole_wanted.connect(self.side.give_way)
        self.timeline.plot.range_selected.connect(
            lambda begin, end: self.marks.offer_range((begin, end))
        )
        self.timeline.plot.range_dropped.connect(lambda: self.marks.offer_range(None))
        self.marks.comparison_changed.connect(self.timeline.show_comparison)
        self.marks.mark_wanted.connect(book.mark_now)
        self.marks.moments_wanted.connect(lambda begin, end: self._mark(book, (begin, end)))
        book.marked.connect(self.timeline.add_mark)
        book.baseline_changed.connect(
            lambda: self.timeline.show_baseline(book.baseline.at if book.baseline else None)
        )
        parts.changes.plain_changed.connect(self.timeline.show_changes)
        coverage_changed = parts.findings.coverage_changed
        self.handles.hear(parts.findings)
        coverage_changed.connect(self.detail.show_coverage)
        coverage_changed.connect(self.pending.show_coverage)

    def _drawer_toggled(self, is_open: bool) -> None:
        if is_open and not self._upright.sizes()[1]:
            self._size_drawer()

    def _connect_pane(self, pane: PaneBase, spec: PaneSpec) -> None:
        """A click leads elsewhere, and the tab shows the number of records."""
        pane.handle_chosen.connect(self.choose)
        pane.filter_wanted.connect(self.handles.set_filter)
        pane.born_wanted.connect(lambda term: self.handles.narrow("born", term))
        pane.line_wanted.connect(self.line_wanted)
        if spec.place is Place.DRAWER:
            pane.count_changed.connect(lambda count: self.drawer.note_count(spec.key, count))

    def _mark(self, book: MarkBook, moments: tuple[float, ...]) -> None:
        """Mark moments that have passed.

        The timeline's counters say how many handles were released since.
        """
        for at in moments:
            book.mark_at(at, self.timeline.released_since(at))

    def _row_chosen(self, row: ChangeRow) -> None:
        self.show_row(row)
        self.row_changed.emit(row)

    def _selected(self, handles: tuple[int, ...]) -> None:
        self.detail.choose(handles[0] if handles else None, self._shown)
        for pane in self._panes.values():
            pane.follow(handles)
        if handles:
            self.side.show_handle()
            self._place_side()
        self.selection_changed.emit(handles)

    def _show_range(self) -> None:
        """The timeline marks the births that the table is filtered by."""
        born = self.handles.query.filter.born_between(self._shown.taken_at) if self._shown else None
        self.timeline.show_range(born)
