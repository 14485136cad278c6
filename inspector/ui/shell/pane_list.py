"""The docks of the workbench, one line each. GUI thread.

A line has key, title, first place, and the function that makes the pane.

To add a pane: write a ``PaneBase`` in a folder of ``ui/panes`` and add its line to ``PANES``. The
workbench gives the pane snapshots and connects the signals that ``PaneBase`` declares.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt

from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.audit.pane import AuditPane
from inspector.ui.panes.cycles.pane import CyclesPane
from inspector.ui.panes.detail.history_lane import HistoryLane, LaneParts
from inspector.ui.panes.detail.pane import DetailPane
from inspector.ui.panes.events.pane import EventsPane
from inspector.ui.panes.findings.pane import FindingsPane
from inspector.ui.panes.flame.pane import FlamePane
from inspector.ui.panes.history.pane import HistoryPane
from inspector.ui.panes.marks.pane import MarksPane
from inspector.ui.panes.pending.pane import PendingPane
from inspector.ui.panes.threads.pane import ThreadsPane
from inspector.ui.panes.timeline.pane import TimelinePane
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.ui.session.holder_questions import HolderQuestions
from inspector.ui.session.mark_book import MarkBook
from inspector.ui.session.target_actions import TargetActions
from inspector.ui.shell.actions import Actions

TOP: Final = Qt.DockWidgetArea.TopDockWidgetArea
RIGHT: Final = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM: Final = Qt.DockWidgetArea.BottomDockWidgetArea


@dataclass(frozen=True, slots=True)
class PaneParts:
    """The parts that a pane may use."""

    theme: Theme
    runner: BackgroundRunner
    """Runs what takes longer than a frame."""
    attachment: Attachment
    """Asks the session."""
    actions: Actions
    """The window's, to put on buttons."""
    target_actions: TargetActions
    """Does things to the target, and tells when it did."""
    feed: EventFeed
    findings: FindingsWatch
    marks: MarkBook


@dataclass(frozen=True, slots=True)
class PaneSpec:
    """One dock."""

    key: str
    """Name in the code, the saved layout and ``open_pane``."""
    title: str
    """On its tab; the number that the pane emits with ``count_changed`` follows."""
    area: Qt.DockWidgetArea
    make: Callable[[PaneParts], PaneBase]
    shown: bool = True
    """At first; otherwise only once somebody opens it."""
    short: str = ""
    """On the tab where there is little room."""


def _detail_pane(parts: PaneParts) -> PaneBase:
    lane = HistoryLane(parts.theme, LaneParts(parts.feed, parts.runner))
    return DetailPane(parts.theme, HolderQuestions(parts.attachment, parts.attachment), lane)


def _history_pane(parts: PaneParts) -> PaneBase:
    return HistoryPane(parts.theme, parts.attachment, parts.runner, parts.feed)


def _cycles_pane(parts: PaneParts) -> PaneBase:
    return CyclesPane(parts.theme, HolderQuestions(parts.attachment, parts.attachment))


def _pending_pane(parts: PaneParts) -> PaneBase:
    return PendingPane(parts.theme, (parts.actions["drain"], parts.actions["take_back"]))


PANES: Final = (
    PaneSpec("timeline", "Timeline", TOP, lambda parts: TimelinePane(parts.theme)),
    PaneSpec("detail", "Detail", RIGHT, _detail_pane),
    PaneSpec("pending", "Pending closes", BOTTOM, _pending_pane, short="Pending"),
    PaneSpec("threads", "Threads", BOTTOM, lambda parts: ThreadsPane(parts.theme)),
    PaneSpec(
        "findings", "Findings", BOTTOM, lambda parts: FindingsPane(parts.theme, parts.findings)
    ),
    PaneSpec(
        "events",
        "Events",
        BOTTOM,
        lambda parts: EventsPane(parts.theme, parts.attachment, parts.runner, parts.feed),
    ),
    PaneSpec(
        "marks",
        "Marks and diff",
        BOTTOM,
        lambda parts: MarksPane(parts.theme, parts.marks, parts.runner),
        short="Marks",
    ),
    PaneSpec("history", "History", BOTTOM, _history_pane),
    PaneSpec(
        "flame",
        "Alive by site",
        BOTTOM,
        lambda parts: FlamePane(parts.theme, parts.runner),
        short="By site",
    ),
    PaneSpec("cycles", "Cycles", BOTTOM, _cycles_pane),
    PaneSpec(
        "audit",
        "Actions log",
        BOTTOM,
        lambda parts: AuditPane(parts.theme, parts.attachment, parts.target_actions),
        shown=False,
        short="Done",
    ),
)
"""In the order of their tabs."""
LAYOUT_VERSION: Final = zlib.crc32(",".join(spec.key for spec in PANES).encode()) & 0x7FFF_FFFF
"""Another one when panes come or go: a layout saved before is not restored."""
