"""The pane of an object's or its type's history: clones, releases, and the balance. GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSplitter, QWidget

from inspector.model.balance import Balance, balance_of, of_object, of_type
from inspector.model.balance_counts import changes_text
from inspector.model.event_rows import EventRows, EventWish, event_rows, no_event_rows
from inspector.model.events import Events
from inspector.model.snapshot import Snapshot
from inspector.model.wording import plural, short
from inspector.ui.kit.labels import ElidedLabel
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.history.balance_tree import BalanceTree
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.session.event_pane import EventPane
from inspector.vocabulary import Level, handle_text

REFRESH_MILLIS: Final = 500
SHAPE: Final = TableShape(
    name="History", widths=(108, 120, 80, 90, 72, 110, 110), spare=(3, 2, 5, 4), elastic=(6,)
)
NO_TARGET: Final = "Attach to a process to see the history of an object"
NO_EVENT: Final = "Nothing to show yet: choose a handle, and a level that records events"
CHOOSE: Final = "Select a handle to see the clones and releases of its object"
TOO_LOW: Final = "Clones and releases are recorded from level history on"
NONE_YET: Final = "Nothing happened to it since events are recorded"


class Told(NamedTuple):
    """The result of reading the events."""

    rows: EventRows
    balance: Balance


class HistoryPane(EventPane):
    """Follows the selection; reads events while it is visible."""

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
        self._handle = 0
        self._recorded: set[int] = set()
        self._work = LatestWork(
            self, runner, self._telling, on_result=self._show, on_error=self._fail
        )
        self._build(theme)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Learn names and level."""
        if self._snapshot is None:
            self.table.set_message(NO_EVENT)
        self._snapshot = snapshot
        self._show_record()

    def follow(self, handles: tuple[int, ...]) -> None:
        """The first of these is selected in the window's table; none: keep the last."""
        if handles and handles[0] != self._handle:
            self._handle = handles[0]
            self.head.set_whole(f"Clones and releases of {handle_text(self._handle)}")
            self._show_record()
            self._read()
            self._work.ask()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.table.set_theme(theme)
        self.tree.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._work.forget()
        self._snapshot, self._handle = None, 0
        self._recorded.clear()
        self.head.set_whole(CHOOSE)
        self.table.set_message(NO_TARGET)
        self._model.set_rows(no_event_rows())
        self.tree.show_balance(None)
        self._show_record()

    # building -------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        self.head = ElidedLabel(CHOOSE)
        self.head.setProperty("quiet", True)
        self.scope = QComboBox()
        self.scope.setAccessibleName("Whose history")
        self.scope.addItem("this object", "object")
        self.scope.addItem("its type", "type")
        self.scope.activated.connect(self._work.ask)
        self.record = QPushButton("Record stacks")
        self.record.clicked.connect(self._switch_record)
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.table.set_message(NO_TARGET)
        self.table.record_chosen.connect(self._choose)
        self.tree = BalanceTree(theme)
        self.tree.line_wanted.connect(self.line_wanted)
        head = QWidget()
        head.setObjectName("pane_head")
        line = QHBoxLayout(head)
        line.setContentsMargins(8, 4, 12, 4)
        line.setSpacing(8)
        line.addWidget(self.scope)
        line.addWidget(self.head, 1)
        line.addWidget(self.record)
        split = QSplitter()
        split.addWidget(self.table)
        split.addWidget(self.tree)
        split.setSizes([600, 400])
        layout = flush_column(self)
        layout.addWidget(head)
        layout.addWidget(split, 1)
        self._show_record()

    # inside ---------------------------------------------------------------------------------------

    def _type_index(self) -> int:
        """Type of the selected handle; 0: not known."""
        if self._snapshot is None or not self._handle:
            return 0
        rows = np.flatnonzero(self._snapshot.handles.ids == np.uint64(self._handle))
        return int(self._snapshot.handles.types[rows[0]]) if len(rows) else 0

    def _show_record(self) -> None:
        """The button names the recording that it would switch on, or off again."""
        index = self._type_index()
        known = self._snapshot.types.get(index) if self._snapshot is not None else None
        self.record.setVisible(known is not None and self._attachment.situation.can.levels)
        if known is not None:
            on = index in self._recorded
            name = short(known.name)
            self.record.setText(f"Record {name} as the rest" if on else f"Record stacks of {name}")
            self.record.setToolTip(
                "Each new handle of this type gets the whole stack that made it, until "
                "the last "
                "viewer leaves. Other types do not"
            )

    def _switch_record(self) -> None:
        index = self._type_index()
        level = None if index in self._recorded else Level.STACKS

        def switched(_none: None) -> None:
            self._recorded.symmetric_difference_update({index})
            self._show_record()

        if index:
            self._attachment.ask(lambda session: session.set_type_level(index, level), switched)

    def _arrange(self) -> None:
        self._work.ask()

    def _wants_events(self) -> bool:
        return bool(self._handle)

    def _telling(self) -> Callable[[], Told] | None:
        """Choose, match and name the events, while the pane is visible."""
        snapshot = self._snapshot
        if (
            snapshot is None
            or not self._handle
            or snapshot.target.from_outside
            or not is_seen(self)
        ):
            return None
        events, handle = self._feed.events, self._handle
        by_type = self._type_index() if self.scope.currentData() == "type" else 0
        return lambda: told(events, snapshot, handle, by_type)

    def _show(self, found: Told) -> None:
        self._model.set_rows(found.rows)
        low = (
            self._snapshot is not None
            and self._snapshot.target.level < Level.HISTORY
            and not self._recorded
        )
        self.table.set_message(TOO_LOW if low else NONE_YET)
        self.tree.show_balance(found.balance)
        self.head.set_whole(head_text(self._handle, self.scope.currentText(), found.balance))


def told(events: Events, snapshot: Snapshot, handle: int, type_index: int) -> Told:
    """The events of an object, or with ``type_index`` of a type, and their balance.

    Worker thread.
    """
    mask = (
        of_type(events, snapshot, type_index) if type_index else of_object(events, snapshot, handle)
    )
    chosen = events.take(mask)
    return Told(
        event_rows(chosen, snapshot, EventWish()),
        balance_of(chosen, snapshot.sites, snapshot=snapshot, lost=events.lost()),
    )


def head_text(handle: int, scope: str, balance: Balance) -> str:
    """``#5.1, this object: 12 up, 9 down``, and what may be missing.

    The line goes on ``(4 known from the counts alone), 9 pairs matched``.
    """
    parts = [
        f"{handle_text(handle)}, {scope}: {changes_text(balance.tally)}",
        f"{plural(balance.matched, 'pair')} matched",
    ]
    if balance.lost:
        parts.append(f"{balance.lost:,} events of all objects were lost: the balance may be off")
    return " · ".join(parts)
