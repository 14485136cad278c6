"""The timeline above the table, and its fold. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton, QVBoxLayout

from inspector.ui.kit.labels import set_flag
from inspector.ui.panes.timeline.pane import TimelinePane

HEIGHT: Final = 112
LOW_HEIGHT: Final = 72
FOLDED_HEIGHT: Final = 30
TALL_HEIGHT: Final = 168
FOLD_BELOW: Final = 560
"""Lower panes open with a folded timeline."""
LOW_BELOW: Final = 700
TALL_FROM: Final = 1200


class TimelineStrip(QFrame):
    """It has one of four heights; a click on the title folds it."""

    folded = Signal(bool)

    def __init__(self, pane: TimelinePane) -> None:
        """Unfolded."""
        super().__init__()
        self.setObjectName("timeline")
        self.pane = pane
        self._height = HEIGHT
        self._by_hand = False
        self.is_folded = False
        self.title = QToolButton()
        self.title.setText("▾ Timeline")
        self.title.setAccessibleName("Fold the timeline")
        self.title.setToolTip("Fold or unfold the timeline")
        set_flag(self.title, "small", on=True)
        self.title.clicked.connect(lambda: self._fold_by_hand())
        pane.add_title(self.title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(pane)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._show()

    def set_folded(self, folded: bool) -> None:
        """Fold to one line, or unfold."""
        if folded != self.is_folded:
            self.is_folded = folded
            self._show()
            self.folded.emit(folded)

    def suit(self, width: int, height: int) -> None:
        """The height that suits a workbench of that size; a fold by hand stays."""
        del width
        self._height = (
            TALL_HEIGHT if height >= TALL_FROM else HEIGHT if height >= LOW_BELOW else LOW_HEIGHT
        )
        if not self._by_hand:
            self.set_folded(height < FOLD_BELOW)
        self._show()

    def reset(self, width: int, height: int) -> None:
        """As first seen."""
        self._by_hand = False
        self.suit(width, height)

    def _fold_by_hand(self) -> None:
        self._by_hand = True
        self.set_folded(not self.is_folded)

    def _show(self) -> None:
        self.pane.set_folded(self.is_folded)
        self.title.setText("▸ Timeline" if self.is_folded else "▾ Timeline")
        self.title.setAccessibleName(
            "Unfold the timeline" if self.is_folded else "Fold the timeline"
        )
        self.setFixedHeight(FOLDED_HEIGHT if self.is_folded else self._height)
