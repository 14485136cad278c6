"""The values at the pointer, over the timeline's plots. GUI thread only."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from inspector.model.time_marks import Mark
from inspector.model.wording import clock, duration, number
from inspector.ui.kit.theme import Theme, ui_font
from inspector.ui.panes.timeline.canvas import AXIS_WIDTH
from inspector.ui.panes.timeline.lines import TOTAL, ChurnFrame

READOUT_INSET: Final = 12
MARK_REACH: Final = 0.006
"""Share of the time axis within which the pointer finds a mark."""


class Readout(QLabel):
    """Hidden while the pointer is away."""

    def __init__(self, theme: Theme, plot: QWidget) -> None:
        """Lies over ``plot``."""
        super().__init__(plot)
        self._plot = plot
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setObjectName("Values at the pointer")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFont(ui_font())
        self.hide()
        self.set_theme(theme)

    def show_frame(self, frame: ChurnFrame, at: float, marks: Iterable[Mark]) -> None:
        """The values at a moment, seconds since the Unix epoch; ``nan``: the pointer is away."""
        if math.isnan(at):
            self.hide()
            return
        near = [
            mark for mark in marks if abs(mark.at - at) <= (frame.end - frame.begin) * MARK_REACH
        ]
        lines = [sentence(frame, at), *(mark.text for mark in near[-3:])]
        self.setText("\n".join(lines))
        self.adjustSize()
        right = at < (frame.begin + frame.end) / 2
        self.move(
            self._plot.width() - self.width() - READOUT_INSET
            if right
            else AXIS_WIDTH + READOUT_INSET,
            READOUT_INSET,
        )
        self.show()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.setStyleSheet(
            f"background: {theme.surface_alt}; color: {theme.text}; border: 1px solid "
            f"{theme.line}; padding: 4px 8px;"
        )


def sentence(frame: ChurnFrame, at: float) -> str:
    """``14:03:22.4   live 12,408   +1,240/s −1,180/s over 0.5 s``."""
    total = frame.of(TOTAL)
    if total is None or math.isnan(total.live.value_at(at)):
        return f"{clock(at)[:-2]}   no reading"
    births, deaths = total.births.value_at(at), -total.deaths.value_at(at)
    rates = f"+{number(births)}/s  −{number(deaths)}/s over {duration(frame.width_secs)}"
    return f"{clock(at)[:-2]}   live {number(total.live.value_at(at))}   {rates}"
