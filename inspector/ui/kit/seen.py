"""Whether somebody can see a pane. GUI thread."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def is_seen(widget: QWidget) -> bool:
    """Shown, not behind another tab, not scrolled away, and not in a minimised window.

    Qt calls all of these visible: of the docks of a tab bar it moves all but one out of the window.
    """
    return widget.isVisible() and not widget.window().isMinimized() and not widget.visibleRegion().isEmpty()
