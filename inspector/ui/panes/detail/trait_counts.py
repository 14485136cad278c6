"""The counts of a trait, one by one: the object's own ``Arc``, and the handle's ``Arc`` or box.

GUI thread.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from inspector.model.equation import TraitParts
from inspector.ui.kit import trait_words
from inspector.ui.kit.labels import quiet_label, text_label

HINT: Final = (
    "Both at rest: the references of calls in flight, first in the outer Arc and then in the "
    "inner Arc, are not in them. "
    "The outer Arc is one of the inner references, so it is counted once less in the sum"
)


WIDEST_FACT: Final = "Owner thread"
"""Values stand below each other with those of the facts further down."""
BELOW_MEANING: Final = 4
"""Pixels between two counts."""


class TraitCounts(QWidget):
    """Name, number and meaning of each count, then their sum.

    Hidden for an object that is no trait.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, self.fontMetrics().horizontalAdvance(WIDEST_FACT))
        self._inner_name, self.inner = self._line(0)
        self.inner_meaning = self._meaning(1)
        self.outer_name, self.outer = self._line(2)
        self.outer_meaning = self._meaning(3)
        self._sum_name, self.sum = self._line(4)
        self._inner_name.setText("Inner Arc")
        self._sum_name.setText("Together")
        self.setToolTip(HINT)
        self.setVisible(False)

    def show_counts(self, parts: TraitParts | None, strong: int, weak: int) -> None:
        """Show these; ``None``: there are none."""
        self.setVisible(parts is not None)
        if parts is None:
            return
        self.outer_name.setText(trait_words.outer_name(parts))
        for label, text in (
            (self.inner, trait_words.inner_value(parts, weak)),
            (self.inner_meaning, trait_words.inner_meaning(parts)),
            (self.outer, trait_words.outer_value(parts)),
            (self.outer_meaning, trait_words.outer_meaning(parts)),
            (self.sum, trait_words.total(strong, parts)),
        ):
            label.setText(text)
        for label in (self._sum_name, self.sum):
            label.setVisible(bool(self.sum.text()))

    def _line(self, line: int) -> tuple[QLabel, QLabel]:
        name, value = quiet_label(""), text_label()
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setWordWrap(True)
        name.setBuddy(value)
        self._grid.addWidget(name, line, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, line, 1)
        return name, value

    def _meaning(self, line: int) -> QLabel:
        meaning = quiet_label("")
        meaning.setWordWrap(True)
        meaning.setContentsMargins(0, 0, 0, BELOW_MEANING)
        self._grid.addWidget(meaning, line, 1)
        return meaning
