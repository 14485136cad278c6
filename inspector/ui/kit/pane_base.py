"""The base of all panes.

It has the workbench's calls, with empty defaults, and the signals that the workbench connects.

GUI thread.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from inspector.model.snapshot import Snapshot, Vitals
from inspector.ui.kit.theme import Theme


class PaneBase(QWidget):
    """One part of the workbench.

    A pane overrides the methods that concern it, and emits the signals that it needs.
    """

    handle_chosen = Signal(object)
    """``int``: id of a handle that was clicked; the handle may be dead by now."""
    filter_wanted = Signal(str)
    """Filter for the table of handles; empty: all handles."""
    born_wanted = Signal(str)
    """Filter term that keeps the handles born in a range of time; empty: no range any more."""
    line_wanted = Signal(str, int)
    """File and line that the person's editor is to open."""
    count_changed = Signal(int)
    """Number of records in the pane, for its tab; emitted only when the number changed."""
    room_wanted = Signal()
    """What the pane shows needs the whole window."""
    title_actions: tuple[QAction, ...] = ()
    """Buttons in the title of the dock."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """An empty pane."""
        super().__init__(parent)
        self.setObjectName("pane")

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a newer snapshot."""

    def show_vitals(self, vitals: Vitals) -> None:
        """Take newer counters, up to 60 times a second, also while paused."""

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""

    def set_paused(self, paused: bool) -> None:
        """Stop the movement between snapshots, or start it again."""

    def follow(self, handles: tuple[int, ...]) -> None:
        """These handles are selected in the table; none when the selection is empty."""

    def came_to_front(self) -> None:
        """The pane became visible: catch up with the snapshots that came meanwhile."""

    def begin(self) -> None:
        """A person wants the pane's question asked at once, without another click."""

    def clear(self) -> None:
        """The session ended: show nothing of its target."""


def is_seen(widget: QWidget) -> bool:
    """Shown, not behind another tab, not scrolled away, and not in a minimised window.

    Qt calls all of these visible: of the docks of a tab bar it moves all but one out of the window.
    """
    return (
        widget.isVisible()
        and not widget.window().isMinimized()
        and not widget.visibleRegion().isEmpty()
    )
