"""The pane of events, newest first, with the gaps.

Read only while the pane is visible; put in order off the GUI thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QPushButton, QWidget

from inspector.model.event_rows import EventRows, EventWish, event_rows, no_event_rows
from inspector.model.snapshot import Snapshot
from inspector.model.wording import number, plural
from inspector.ui.kit.labels import ElidedLabel
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.theme import Theme
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.session.event_pane import EventPane
from inspector.vocabulary import EventKind, Level, handle_text

REFRESH_MILLIS: Final = 300
SHAPE: Final = TableShape(
    name="Events", widths=(108, 142, 92, 110, 72, 130, 150), spare=(5, 3, 4), elastic=(6,)
)
NO_TARGET: Final = "Attach to a process to see events of its handles"
READING: Final = "Reading events …"
NONE_YET: Final = "Nothing has happened since events are recorded"
NO_MATCH: Final = "No event matches. Choose other kinds, types or threads"
OUTSIDE: Final = "From outside, events between two looks are not seen"
TOO_LOW: Final = "Events are recorded from level history on"
ALL_KINDS: Final = "All kinds"
ALL_TYPES: Final = "All types"
ALL_THREADS: Final = "All threads"


class EventsPane(EventPane):
    """One row an event."""

    def __init__(
        self,
        theme: Theme,
        attachment: Attachment,
        runner: BackgroundRunner,
        feed: EventFeed,
        parent: QWidget | None = None,
    ) -> None:
        """Empty; reads through ``feed`` while it is visible."""
        super().__init__(theme, feed, refresh_millis=REFRESH_MILLIS, parent=parent)
        self._attachment = attachment
        self._selected: frozenset[int] = frozenset()
        self._until = math.inf
        self._work = LatestWork(
            self, runner, self._arrangement, on_result=self._show, on_error=self._fail
        )
        self._build(theme)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Learn names and level."""
        is_first, self._snapshot = self._snapshot is None, snapshot
        self._bound(snapshot)
        self._offer(
            {index: row.name for index, row in snapshot.types.items()}, self._types, ALL_TYPES
        )
        self._offer(
            {index: row.label for index, row in snapshot.threads.items()},
            self._threads,
            ALL_THREADS,
        )
        self._record.setVisible(
            snapshot.target.level < Level.HISTORY and self._attachment.situation.can.levels
        )
        if is_first:
            self.table.set_message(READING)
            self._read()

    def _bound(self, snapshot: Snapshot) -> None:
        """Show the events up to the moment, live or of a recording."""
        is_moment = snapshot.is_past or self._attachment.replay is not None
        until = snapshot.taken_at if is_moment else math.inf
        if until != self._until:
            self._until = until
            self._work.ask()

    def show_kind(self, kind: EventKind) -> None:
        """Only events of this kind: a rate was clicked."""
        self._kinds.setCurrentIndex(self._kinds.findData(int(kind)))
        self._work.ask()

    def follow(self, handles: tuple[int, ...]) -> None:
        """These handles are selected in the window's table."""
        self._selected = frozenset(handles)
        self._only.setEnabled(bool(handles))
        self._only.setText(_only_text(handles))
        if self._only.isChecked():
            self._work.ask()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.table.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._work.forget()
        self._snapshot, self._selected = None, frozenset()
        self._only.setChecked(False)
        self._record.hide()
        self._note.set_whole("")
        self.table.set_message(NO_TARGET)
        self._model.set_rows(no_event_rows())

    # building -------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.table.set_message(NO_TARGET)
        self.table.record_chosen.connect(self._choose)
        layout = flush_column(self)
        layout.addWidget(self._build_head())
        layout.addWidget(self.table, 1)

    def _build_head(self) -> QWidget:
        self._kinds, self._types, self._threads = QComboBox(), QComboBox(), QComboBox()
        self._kinds.addItem(ALL_KINDS, None)
        for kind in EventKind:
            if kind is not EventKind.GAP:
                self._kinds.addItem(kind.word.capitalize(), int(kind))
        self._types.addItem(ALL_TYPES, None)
        self._threads.addItem(ALL_THREADS, None)
        for box, name in (
            (self._kinds, "Kind of event"),
            (self._types, "Type"),
            (self._threads, "Thread"),
        ):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(7)
            box.activated.connect(self._work.ask)
        self._only = QCheckBox(_only_text(()))
        self._only.setToolTip("Only events of the handles that are selected in the table")
        self._only.setEnabled(False)
        self._only.toggled.connect(self._work.ask)
        self._note = ElidedLabel()
        self._note.setObjectName("Number of events")
        self._note.setProperty("quiet", True)
        self._record = QPushButton("Record events")
        self._record.setToolTip("Switch the target to level history")
        self._record.clicked.connect(lambda: self._attachment.set_level(Level.HISTORY))
        self._record.hide()
        head = QWidget()
        head.setObjectName("pane_head")
        line = QHBoxLayout(head)
        line.setContentsMargins(8, 4, 12, 4)
        line.setSpacing(8)
        for widget in (self._kinds, self._types, self._threads, self._only):
            line.addWidget(widget)
        line.addWidget(self._note, 1)
        line.addWidget(self._record)
        return head

    # inside ---------------------------------------------------------------------------------------

    @property
    def wish(self) -> EventWish:
        """The present request."""
        return EventWish(
            kind=self._kinds.currentData(),
            thread=self._threads.currentData(),
            type_index=self._types.currentData(),
            handles=self._selected if self._only.isChecked() else frozenset(),
            until=self._until,
        )

    @staticmethod
    def _offer(names: dict[int, str], box: QComboBox, everything: str) -> None:
        """The names to choose from; the choice stays."""
        wanted = [
            (everything, None),
            *sorted(
                ((name, index) for index, name in names.items()),
                key=lambda each: each[0].casefold(),
            ),
        ]
        if [(box.itemText(at), box.itemData(at)) for at in range(box.count())] == wanted:
            return
        chosen = box.currentData()
        box.clear()
        for name, index in wanted:
            box.addItem(name, index)
        box.setCurrentIndex(max(box.findData(chosen), 0))

    def _arrange(self) -> None:
        self._work.ask()

    def _arrangement(self) -> Callable[[], EventRows] | None:
        """Choose and name the rows, while the pane is visible."""
        snapshot = self._snapshot
        if snapshot is None or not is_seen(self):
            return None
        events, wish = self._feed.events, self.wish
        return lambda: event_rows(events, snapshot, wish)

    def _show(self, rows: EventRows) -> None:
        self._model.set_rows(rows)
        target = self._snapshot.target if self._snapshot is not None else None
        is_blind = target is not None and target.from_outside and not rows.known
        none = (
            OUTSIDE
            if is_blind
            else TOO_LOW
            if target is not None and target.level < Level.HISTORY
            else NONE_YET
        )
        self.table.set_message(NO_MATCH if rows.known else none)
        self._note.set_whole("" if is_blind else _note_text(rows))


def _only_text(handles: tuple[int, ...]) -> str:
    if not handles:
        return "Only selected"
    return (
        f"Only {handle_text(handles[0])}"
        if len(handles) == 1
        else f"Only the {number(len(handles))} selected"
    )


def _note_text(rows: EventRows) -> str:
    listed = len(rows) - int((rows.events.kinds == EventKind.GAP).sum())
    parts = [
        plural(rows.found, "event")
        if listed == rows.found
        else (f"newest {number(listed)} of {plural(rows.found, 'event')}")
    ]
    parts += [f"{number(rows.lost)} lost in gaps"] if rows.lost else []
    return ", ".join(parts)
