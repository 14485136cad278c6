"""The docks of the workbench, one line each: what it is called, where it lies at first, and what is in it. GUI thread.

To add a pane: write it in a folder of ``ui/panes``, add its line to ``PANES``. The workbench gives it snapshots, and connects its signals
called ``handle_chosen`` (``int``), ``filter_wanted`` (``str``), ``pane_wanted`` (``str``, a key) and ``count_changed`` (``int``),
and puts its ``title_actions``, if it has some, into the dock's title.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QWidget

from inspector.model.snapshot import Snapshot, Vitals
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
from inspector.ui.session.holder_questions import HolderQuestions
from inspector.ui.session.target_actions import TargetActions
from inspector.ui.shell.actions import Actions
from inspector.ui.shell.chronicle import Chronicle
from inspector.ui.shell.editor import open_line

TOP: Final = Qt.DockWidgetArea.TopDockWidgetArea
RIGHT: Final = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM: Final = Qt.DockWidgetArea.BottomDockWidgetArea


class Pane(Protocol):
    """What every pane can do; it is a ``QWidget``."""

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a newer snapshot."""

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""

    def clear(self) -> None:
        """Nothing is attached."""


@runtime_checkable
class Pausable(Protocol):
    """A pane in which something moves between snapshots."""

    def set_paused(self, paused: bool) -> None:
        """Let it stand still, or move again."""


@runtime_checkable
class FollowsSelection(Protocol):
    """A pane that shows what is selected in the table."""

    def follow(self, handles: tuple[int, ...]) -> None:
        """These handles are selected; none when nothing is."""


@runtime_checkable
class RestsUnseen(Protocol):
    """A pane that rests while nobody sees it, and must catch up."""

    def came_to_front(self) -> None:
        """It came to the front."""


@runtime_checkable
class TakesVitals(Protocol):
    """A pane that wants counters, up to 60 times a second, also while paused."""

    def show_vitals(self, vitals: Vitals) -> None:
        """Newer counters."""


@dataclass(frozen=True, slots=True)
class PaneParts:
    """What a pane may be made of."""

    theme: Theme
    runner: BackgroundRunner
    """Runs what takes longer than a frame."""
    attachment: Attachment
    """Asks the session."""
    actions: Actions
    """The window's, to put on buttons."""
    target_actions: TargetActions
    """Does things to the target, and tells when it did."""
    settings: QSettings
    """Keeps what a person chose, under the pane's key."""
    chronicle: Chronicle
    """What spans time: events, findings, marks."""


@dataclass(frozen=True, slots=True)
class PaneSpec:
    """One dock."""

    key: str
    """Name in the code, the saved layout and ``open_pane``."""
    title: str
    """On its tab; a count follows when the pane has a signal ``count_changed``."""
    area: Qt.DockWidgetArea
    make: Callable[[PaneParts], QWidget]
    """Makes a ``Pane``."""
    shown: bool = True
    """At first; otherwise only once somebody opens it."""
    short: str = ""
    """On the tab where there is little room."""


def _detail_pane(parts: PaneParts) -> QWidget:
    lane = HistoryLane(parts.theme, LaneParts(parts.chronicle.feed, parts.runner))
    pane = DetailPane(parts.theme, HolderQuestions(parts.attachment, parts.attachment), lane)
    pane.line_wanted.connect(lambda file, line: _open_line(parts, file, line))
    return pane


def _history_pane(parts: PaneParts) -> QWidget:
    pane = HistoryPane(parts.theme, parts.attachment, parts.runner, parts.chronicle.feed)
    pane.line_wanted.connect(lambda file, line: _open_line(parts, file, line))
    return pane


def _cycles_pane(parts: PaneParts) -> QWidget:
    pane = CyclesPane(parts.theme, HolderQuestions(parts.attachment, parts.attachment))
    pane.line_wanted.connect(lambda file, line: _open_line(parts, file, line))
    return pane


def _open_line(parts: PaneParts, file: str, line: int) -> None:
    """A line of code was clicked: in the editor, or why not."""
    why = open_line(parts.settings, file, line)
    if why:
        parts.target_actions.told.emit(why, "waiting")


def _threads_pane(parts: PaneParts) -> QWidget:
    pane = ThreadsPane(parts.theme)
    pane.line_wanted.connect(lambda file, line: _open_line(parts, file, line))
    return pane


def _pending_pane(parts: PaneParts) -> QWidget:
    return PendingPane(parts.theme, (parts.actions["drain"], parts.actions["take_back"]))


PANES: Final = (
    PaneSpec("timeline", "Timeline", TOP, lambda parts: TimelinePane(parts.theme)),
    PaneSpec("detail", "Detail", RIGHT, _detail_pane),
    PaneSpec("pending", "Pending closes", BOTTOM, _pending_pane, short="Pending"),
    PaneSpec("threads", "Threads", BOTTOM, _threads_pane),
    PaneSpec("findings", "Findings", BOTTOM, lambda parts: FindingsPane(parts.theme, parts.chronicle.watch)),
    PaneSpec("events", "Events", BOTTOM, lambda parts: EventsPane(parts.theme, parts.attachment, parts.runner, parts.chronicle.feed)),
    PaneSpec("marks", "Marks and diff", BOTTOM, lambda parts: MarksPane(parts.theme, parts.chronicle.book, parts.runner), short="Marks"),
    PaneSpec("history", "History", BOTTOM, _history_pane),
    PaneSpec("flame", "Alive by site", BOTTOM, lambda parts: FlamePane(parts.theme, parts.runner), short="By site"),
    PaneSpec("cycles", "Cycles", BOTTOM, _cycles_pane),
    PaneSpec(
        "audit",
        "What was done",
        BOTTOM,
        lambda parts: AuditPane(parts.theme, parts.attachment, parts.target_actions),
        shown=False,
        short="Done",
    ),
)
"""In the order of their tabs."""
LAYOUT_VERSION: Final = zlib.crc32(",".join(spec.key for spec in PANES).encode()) & 0x7FFF_FFFF
"""Another one when panes come or go: a layout saved before is not restored."""
