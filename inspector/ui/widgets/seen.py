"""Whether somebody can see a pane. GUI thread."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def is_seen(widget: QWidget) -> bool:
    """Shown, and not behind another tab: Qt keeps the docks of a tab bar visible and moves all but one out of the window."""
    return widget.isVisible() and not widget.visibleRegion().isEmpty()
