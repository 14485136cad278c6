"""The panes of the workbench, one line each. GUI thread.

A line has key, title, place, and the function that makes the pane.

To add a pane: write a ``PaneBase`` in a folder of ``ui/panes`` and add its line to ``PANES``. The
workbench gives the pane snapshots and connects the signals that ``PaneBase`` declares.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.theme import Theme
from inspector.ui.kit.type_colors import TypeColors
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
from inspector.ui.panes.sql.pane import SqlPane
from inspector.ui.panes.sql.pinned import PinnedQueries
from inspector.ui.panes.threads.pane import ThreadsPane
from inspector.ui.panes.timeline.pane import TimelinePane
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.change_watch import ChangeWatch
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.ui.session.holder_questions import HolderQuestions
from inspector.ui.session.mark_book import MarkBook
from inspector.ui.session.stack_watch import StackWatch
from inspector.ui.session.target_actions import TargetActions
from inspector.ui.shell.actions import Actions


class Place(Enum):
    """The place of a pane."""

    TIMELINE = "above the table"
    SIDE = "right of the table"
    DRAWER = "below the table"


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
    changes: ChangeWatch
    stacks: StackWatch
    colors: TypeColors
    pinned: PinnedQueries


@dataclass(frozen=True, slots=True)
class PaneSpec:
    """One pane."""

    key: str
    """Name in the code, the saved layout and ``open_pane``."""
    title: str
    """On its tab; the number that the pane emits with ``count_changed`` follows."""
    place: Place
    make: Callable[[PaneParts], PaneBase]
    short: str = ""
    """On the tab where there is little room."""


def _timeline_pane(parts: PaneParts) -> PaneBase:
    return TimelinePane(parts.theme, colors=parts.colors)


def _detail_pane(parts: PaneParts) -> PaneBase:
    lane = HistoryLane(parts.theme, LaneParts(parts.feed, parts.runner))
    return DetailPane(
        parts.theme, HolderQuestions(parts.attachment, parts.attachment), lane, parts.colors
    )


def _history_pane(parts: PaneParts) -> PaneBase:
    return HistoryPane(parts.theme, parts.attachment, parts.runner, parts.feed)


def _cycles_pane(parts: PaneParts) -> PaneBase:
    questions = HolderQuestions(parts.attachment, parts.attachment)
    questions.cycles_found.connect(parts.findings.take_cycles)
    return CyclesPane(parts.theme, questions)


def _pending_pane(parts: PaneParts) -> PaneBase:
    return PendingPane(
        parts.theme,
        (parts.actions["drain"], parts.actions["take_back"]),
        stacks=parts.stacks,
    )


PANES: Final = (
    PaneSpec("timeline", "Timeline", Place.TIMELINE, _timeline_pane),
    PaneSpec("detail", "Detail", Place.SIDE, _detail_pane),
    PaneSpec("pending", "Stuck", Place.DRAWER, _pending_pane),
    PaneSpec(
        "threads",
        "Threads",
        Place.DRAWER,
        lambda parts: ThreadsPane(parts.theme, parts.stacks),
    ),
    PaneSpec(
        "events",
        "Events",
        Place.DRAWER,
        lambda parts: EventsPane(parts.theme, parts.attachment, parts.runner, parts.feed),
    ),
    PaneSpec(
        "marks",
        "Compare",
        Place.DRAWER,
        lambda parts: MarksPane(parts.theme, parts.marks, parts.runner),
    ),
    PaneSpec("history", "History", Place.DRAWER, _history_pane),
    PaneSpec(
        "flame",
        "Alive by site",
        Place.DRAWER,
        lambda parts: FlamePane(parts.theme, parts.runner),
        short="By site",
    ),
    PaneSpec("cycles", "Cycles", Place.DRAWER, _cycles_pane),
    PaneSpec(
        "audit",
        "Actions log",
        Place.DRAWER,
        lambda parts: AuditPane(parts.theme, parts.attachment, parts.target_actions),
        short="Actions",
    ),
    PaneSpec(
        "findings",
        "Findings",
        Place.DRAWER,
        lambda parts: FindingsPane(parts.theme, parts.findings),
    ),
    PaneSpec(
        "sql",
        "SQL",
        Place.DRAWER,
        lambda parts: SqlPane(
            parts.theme, parts.attachment, parts.runner, parts.feed, pinned=parts.pinned
        ),
    ),
)
"""In the order of their tabs."""
LAYOUT_VERSION: Final = zlib.crc32(",".join(spec.key for spec in PANES).encode()) & 0x7FFF_FFFF
"""Another one when panes come or go: a layout saved before is not restored."""
