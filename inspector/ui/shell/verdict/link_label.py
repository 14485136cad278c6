"""A sentence that wraps, and in which a part leads elsewhere. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from inspector.ui.kit.labels import plain_tip


class LinkLabel(QLabel):
    """Markup of ours; the caller escapes text of a target."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)

    def show_text(self, plain: str, markup: str) -> None:
        """A screen reader says ``plain``."""
        if self.accessibleName() != plain or self.text() != markup:
            self.setAccessibleName(plain)
            self.setText(markup)
            self.setToolTip(plain_tip(plain) if plain else "")
