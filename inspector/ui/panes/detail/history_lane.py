"""Events of one object on a line of time: count up above it, count down below, calls on it.

GUI thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector.model.balance import of_object
from inspector.model.balance_counts import (
    NO_CHANGES,
    UP,
    Tally,
    changes_text,
    tally_of,
    unseen_changes,
)
from inspector.model.events import Events, no_events
from inspector.model.snapshot import Snapshot
from inspector.model.wording import clock
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.kit.theme import Theme, ui_font
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.event_feed import EventFeed
from inspector.vocabulary import EventKind, Level

REFRESH_MILLIS: Final = 1000
HEIGHT: Final = 34
OUTSIDE: Final = "Not known from outside"
TOO_LOW: Final = "Clones and releases are recorded from level history on"
NONE_YET: Final = "Nothing happened to it since events are recorded"
_CALLS: Final = (EventKind.BORROW, EventKind.RETURN)


class LaneParts(NamedTuple):
    """The readers of the lane."""

    feed: EventFeed
    runner: BackgroundRunner


class Chosen(NamedTuple):
    """The events of the object behind a handle."""

    handle: int
    events: Events
    tally: Tally


class HistoryLane(QWidget):
    """The events of the object in the detail pane; reads while it is visible."""

    def __init__(self, theme: Theme, parts: LaneParts, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self.setAccessibleName("History of the object")
        self._theme = theme
        self._parts = parts
        self._handle = 0
        self._snapshot: Snapshot | None = None
        self._events = no_events()
        self._tally = NO_CHANGES
        self._work = LatestWork(
            self, parts.runner, self._choosing, on_result=self._show, on_error=lambda _error: None
        )
        self._timer = QTimer(self, interval=REFRESH_MILLIS)
        self._timer.timeout.connect(self._read)
        self.setFont(ui_font())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        parts.feed.changed.connect(self._work.ask)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def show_handle(self, handle: int, snapshot: Snapshot) -> None:
        """Another object, or newer names of the same."""
        self._snapshot = snapshot
        if handle != self._handle:
            self._handle, self._events = handle, no_events()
            self._read()
            self._work.ask()
            self.update()

    @property
    def sentence(self) -> str:
        """The lane in words."""
        if not len(self._events):
            if self._snapshot is not None and self._snapshot.target.from_outside:
                return OUTSIDE
            low = self._snapshot is not None and self._snapshot.target.level < Level.HISTORY
            return TOO_LOW if low else NONE_YET
        return (
            f"{changes_text(self._tally)}, {clock(float(self._events.at[0]))} to "
            f"{clock(float(self._events.at[-1]))}"
        )

    def sizeHint(self) -> QSize:
        """The lane, and a line of words below it."""
        return QSize(200, HEIGHT + self.fontMetrics().height() + 4)

    def showEvent(self, event: QShowEvent) -> None:
        """The lane became visible."""
        super().showEvent(event)
        self._timer.start()
        self._read()
        self._work.ask()

    def hideEvent(self, event: QHideEvent) -> None:
        """The lane is hidden."""
        self._timer.stop()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A tick an event; many at one place are one tick."""
        painter = QPainter(self)
        painter.setFont(self.font())
        middle = HEIGHT / 2
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))
        if len(self._events):
            self._paint_ticks(painter, middle)
        painter.setPen(self._theme.color("text_quiet"))
        words = self.fontMetrics().elidedText(
            self.sentence, Qt.TextElideMode.ElideRight, self.width()
        )
        painter.drawText(
            QRectF(0, HEIGHT + 2, self.width(), self.fontMetrics().height()),
            Qt.AlignmentFlag.AlignLeft,
            words,
        )

    def _paint_ticks(self, painter: QPainter, middle: float) -> None:
        at = self._events.at
        span = max(float(at[-1] - at[0]), 1e-9)
        places = ((at - at[0]) / span * (self.width() - 5) + 2).astype(np.int64)
        for kinds, token, above, below in (
            (_CALLS, "unknown", 3, 3),
            (UP, "born", 14, 0),
            ((EventKind.RELEASE,), "dying", 0, 14),
        ):
            painter.setPen(QPen(self._theme.color(token), 2))
            for place in np.unique(places[np.isin(self._events.kinds, kinds)]).tolist():
                painter.drawLine(QPointF(place, middle - above), QPointF(place, middle + below))

    def _read(self) -> None:
        if is_seen(self) and self._handle:
            self._parts.feed.refresh()

    def _choosing(self) -> Callable[[], Chosen] | None:
        """Choose the object's events, while the lane is visible."""
        snapshot, handle, events = self._snapshot, self._handle, self._parts.feed.events
        if snapshot is None or not handle or not is_seen(self):
            return None
        return lambda: _chosen(events, snapshot, handle)

    def _show(self, chosen: Chosen) -> None:
        if chosen.handle == self._handle:
            self._events, self._tally = chosen.events, chosen.tally
            self.setAccessibleName(self.sentence)
            self.setToolTip(self.sentence)
            self.update()


def _chosen(events: Events, snapshot: Snapshot, handle: int) -> Chosen:
    """Worker thread."""
    found = events.take(of_object(events, snapshot, handle))
    return Chosen(handle, found, tally_of(found, unseen_changes(found, snapshot)))
