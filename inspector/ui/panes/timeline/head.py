"""The line above the timeline: modes, legend, width of the axis, *Live*. GUI thread only."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QToolButton, QWidget

from inspector.ui.panes.timeline.legend import TimelineLegend

HEIGHT: Final = 22
MODES_FROM: Final = 820
"""Pixels from which on the modes are beside the legend."""
SPANS: Final = (
    ("Auto", None),
    ("10 s", 10.0),
    ("1 min", 60.0),
    ("5 min", 300.0),
    ("30 min", 1800.0),
    ("4 h", 14400.0),
)


class TimelineHead(QWidget):
    """Buttons around the legend."""

    span_wanted = Signal(object)
    """``float`` seconds, or ``None``: as wide as suits the history."""
    following_wanted = Signal(bool)
    count_wanted = Signal(bool)
    """Show counts, or the change."""

    def __init__(self, legend: TimelineLegend) -> None:
        """The mode is *Change*, and the timeline follows the newest counters."""
        super().__init__()
        self._is_folded = False
        self._room = 0
        self._build_span()
        self._live = QToolButton()
        self._live.setText("Live")
        self._live.setToolTip("Follow the newest counters (double click in the plot, or End)")
        self._live.setCheckable(True)
        self._live.setChecked(True)
        self._live.clicked.connect(self.following_wanted)
        self._modes = tuple(self._mode_button(text) for text in ("Change", "Count from 0"))
        self._line = line = QHBoxLayout(self)
        line.setContentsMargins(8, 2, 8, 0)
        line.setSpacing(8)
        for button in self._modes:
            line.addWidget(button)
        line.addWidget(legend, 1)
        line.addWidget(self._span)
        line.addWidget(self._live)
        for part in (*self._modes, self._span, self._live):
            part.setFixedHeight(HEIGHT)

    def add_title(self, title: QWidget) -> None:
        """Put a widget before the modes."""
        self._line.insertWidget(0, title)

    def show_following(self, following: bool) -> None:
        """The timeline follows the newest counters, or stays."""
        self._live.setChecked(following)

    def show_zoomed(self) -> None:
        """The width of the axis is none of the list."""
        self._span.setCurrentIndex(-1)

    def show_mode(self, *, is_count: bool) -> None:
        """The timeline shows counts, or the change."""
        for button, counts in zip(self._modes, (False, True), strict=True):
            button.setChecked(counts == is_count)

    def set_folded(self, folded: bool) -> None:
        """Show the legend alone, or all buttons."""
        self._is_folded = folded
        for part in (self._span, self._live):
            part.setVisible(not folded)
        self.suit(self._room)

    def suit(self, width: int) -> None:
        """The legend before the modes where there is little room."""
        self._room = width
        for button in self._modes:
            button.setVisible(not self._is_folded and width >= MODES_FROM)

    def _build_span(self) -> None:
        self._span = QComboBox()
        self._span.setAccessibleName("Width of the time axis")
        self._span.setToolTip(
            "Width of the time axis; the wheel zooms. Auto: all while it is "
            "short, then the newest minute"
        )
        self._span.addItems([text for text, _ in SPANS])
        self._span.setPlaceholderText("Zoomed")
        self._span.setMinimumContentsLength(7)
        self._span.activated.connect(lambda place: self.span_wanted.emit(SPANS[place][1]))

    def _mode_button(self, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)
        button.setProperty("segment", True)
        button.setAccessibleName(f"Timeline: {text}")
        button.clicked.connect(lambda: self.count_wanted.emit(text != "Change"))
        return button
