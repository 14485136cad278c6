"""The timeline: is something growing?

Live handles over time, births and deaths mirrored below, and marks of events. GUI thread only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QPen, QResizeEvent
from PySide6.QtWidgets import (
    QStackedLayout,
    QWidget,
)

from inspector.model.changes import ChangeTable
from inspector.model.churn import ChurnHistory
from inspector.model.diff import Diff
from inspector.model.filter import quoted
from inspector.model.readings import Readings
from inspector.model.snapshot import Snapshot, TargetState, Vitals
from inspector.model.time_marks import Mark, MarkKind
from inspector.model.time_of_day import range_text
from inspector.model.wording import number
from inspector.ui.kit.labels import text_label
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase, is_seen
from inspector.ui.kit.theme import Theme
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.timeline.curves import DASHES
from inspector.ui.panes.timeline.head import TimelineHead
from inspector.ui.panes.timeline.legend import LegendEntry, TimelineLegend
from inspector.ui.panes.timeline.lines import REST, TOTAL, ChurnFrame, SeriesLines
from inspector.ui.panes.timeline.plot import TimelinePlot
from inspector.ui.panes.timeline.readout import Readout, sentence

TOP_TYPES: Final = 5
TYPES_CHOICE_SECS: Final = 2.0
"""Which types have lines is decided anew that often at most, so that the legend can be read."""
SETTLING_SECS: Final = 10.0
"""Of a new target: which type is busy shows only after a while."""
CALM_MILLIS: Final = 200
"""Between two changes of the legend's numbers."""
_FOLDED_PIXELS: Final = 100
"""Width of the picture behind the numbers of the legend while no plot is drawn."""
NO_TARGET: Final = "Attach to a process to see its handles come and go"
RECORDED: Final = "This file holds one moment: there is no time to show"
GONE: Final = (
    "The target was gone before its counters could be read twice, so there is no time to show"
)
FIRST_READING: Final = "Reading the counters…"
EMPTY_TEXTS: Final = MappingProxyType(
    {TargetState.RECORDED: RECORDED, TargetState.POST_MORTEM: GONE, TargetState.ENDED: GONE}
)
"""The text that the pane shows instead of a plot."""


class TimelinePane(PaneBase):
    """Legend, values at the pointer, and the plots."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        calm: QTimer | None = None,
        colors: TypeColors | None = None,
    ) -> None:
        """Empty until the first counters. ``calm`` times the changes of the legend's numbers."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.history = ChurnHistory()
        self._theme = theme
        self._colors = colors or TypeColors()
        self._names: dict[int, str] = {}
        self._target: tuple[int, int] | None = None
        self._types: tuple[int, ...] = ()
        self._chosen_at = -math.inf
        self._pointed_at = math.nan
        self._baseline: float | None = None
        self._wanted: tuple[int, ...] = ()
        self._is_count = False
        self._is_still = False
        """A file is shown: no newer counters will come."""
        self._paused = False
        self._frame: ChurnFrame | None = None
        self._calm = calm or QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(CALM_MILLIS)
        self._calm.timeout.connect(self._show_values)
        self._calm.timeout.connect(self._show_folded)
        self._read_at = math.nan
        self._build(theme)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Learn names and state; its counters count as a reading too."""
        target = (snapshot.target.pid, snapshot.target.start_time)
        if target != self._target:
            self.clear()
            self._target = target
        self._names = {index: row.name for index, row in snapshot.types.items()}
        self._is_still = snapshot.target.state is TargetState.RECORDED
        if not self._is_still:
            self._take(snapshot.vitals)
        self._message.setText(EMPTY_TEXTS.get(snapshot.target.state, FIRST_READING))
        self._show_page()

    def show_vitals(self, vitals: Vitals) -> None:
        """A new reading of the counters."""
        self._take(vitals)
        self._show_page()

    def add_mark(self, at: float, text: str = "Mark") -> None:
        """Put a line at ``at``, seconds since the Unix epoch; the pointer there shows ``text``."""
        self.history.marks.add(Mark(at, MarkKind.MARK, text))
        self.plot.request_draw()

    def released_since(self, at: float) -> int | None:
        """Handles released since a moment, by the counters.

        ``None`` when the counters do not reach back so far.
        """
        if not len(self.history) or self.history.first_at > at:
            return None
        return self.history.totals(at, self.history.last_at).released

    def show_range(self, born: tuple[float, float] | None) -> None:
        """Show which range of births the table is filtered by, in seconds since the Unix epoch.

        ``None``: by none.
        """
        self.plot.show_range(born)

    def show_moment(self, at: float | None) -> None:
        """The panes show that moment, seconds since the Unix epoch; ``None``: what is now."""
        self.plot.show_moment(at)
        self.plot.request_draw()

    def show_comparison(self, found: Diff | None) -> None:
        """Shade the survivors' part of the births up to the later of two marks.

        The rest of them are dead.

        ``None``: nothing is compared.
        """
        if found is None or not found.is_same_process:
            self.plot.show_survivors(np.empty(0), "")
        else:
            self.plot.show_survivors(found.after.created_at, found.after.name)

    def came_to_front(self) -> None:
        """The pane became visible: draw the counters that came meanwhile."""
        if len(self.history) and not self._paused:
            self._choose_types()
        self.plot.request_draw()

    def set_paused(self, paused: bool) -> None:
        """Stand still, or go on; counters that arrive meanwhile are kept."""
        self._paused = paused
        self.plot.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.legend.set_theme(theme)
        self.plot.set_theme(theme)
        self._show_types()
        self._readout.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self.history.clear()
        self.plot.reset()
        self.legend.show_entries(())
        self._names, self._target, self._types, self._chosen_at = {}, None, (), -math.inf
        self._message.setText(NO_TARGET)
        self._readout.hide()
        self._wanted, self._baseline = (), None
        self._show_page()

    @property
    def is_count(self) -> bool:
        """Lines are counts from 0, no changes."""
        return self._is_count

    def set_mode(self, is_count: bool) -> None:
        """Show counts from 0, or the change since the baseline."""
        self._is_count = is_count
        self._show_mode()

    def restore(self, readings: Readings, lines: Iterable[Mark]) -> None:
        """Take the counters and lines of a file."""
        self.history.restore(readings)
        for line in lines:
            self.history.marks.add(line)
        self._show_page()
        self.came_to_front()

    def show_baseline(self, since: float | None) -> None:
        """The change is measured from this moment; ``None``: there is none yet."""
        self._baseline = since
        self._show_mode()

    def show_changes(self, table: ChangeTable | None) -> None:
        """Choose the types that have lines by their growth, then by their live handles.

        A type with a finding always has one.
        """
        rows = [row for row in table.rows if row.key.startswith("t")] if table is not None else []
        rows.sort(key=lambda row: (row.finding is None, -np.nan_to_num(row.change), -row.live))
        self._wanted = tuple(int(row.key[1:]) for row in rows[:TOP_TYPES])
        if self._is_still and len(self.history):
            self._chosen_at = -math.inf
            self._choose_types()

    def add_title(self, title: QWidget) -> None:
        """Put a widget before the legend."""
        self._head.add_title(title)

    def set_folded(self, folded: bool) -> None:
        """Show the legend alone, or the plots too."""
        self.plot.setVisible(not folded)
        self._head.set_folded(folded)
        self._show_folded()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The legend before the modes where there is little room."""
        super().resizeEvent(event)
        self._head.suit(self.width())

    def sizeHint(self) -> QSize:
        """Enough for both plots to be read."""
        return QSize(640, 112)

    # building -------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        self.plot = TimelinePlot(theme, self.history)
        self.legend = TimelineLegend(theme)
        self._head = TimelineHead(self.legend)
        self._message = text_label(NO_TARGET)
        self._message.setObjectName("Why there is no plot")
        self._message.setProperty("quiet", True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._page = QWidget()
        inside = flush_column(self._page)
        inside.addWidget(self._head)
        inside.addWidget(self.plot, 1)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._message)
        self._pages.addWidget(self._page)
        self._readout = Readout(theme, self.plot)
        self.legend.toggled.connect(self.plot.set_hidden)
        self.legend.filter_wanted.connect(self.filter_wanted)
        self.plot.painted.connect(self._painted)
        self.plot.range_selected.connect(
            lambda begin, end: self.born_wanted.emit(f"born:{range_text(begin, end)}")
        )
        self.plot.range_dropped.connect(lambda: self.born_wanted.emit(""))
        self.plot.pointed.connect(self._pointed)
        self.plot.following_changed.connect(self._head.show_following)
        self.plot.zoomed.connect(self._head.show_zoomed)
        self._head.following_wanted.connect(self.plot.set_following)
        self._head.span_wanted.connect(self.plot.set_span)
        self._head.count_wanted.connect(self.set_mode)
        self._show_mode()

    # inside ---------------------------------------------------------------------------------------

    def _take(self, vitals: Vitals) -> None:
        first = not len(self.history)
        if not self.history.add(vitals):
            return
        if first:
            self.history.marks.add(Mark(vitals.at, MarkKind.ATTACH, "Attached"))
        if first or (is_seen(self.plot) and not self._paused):
            self._choose_types()
            self.plot.advance()
        self._show_folded()

    def _show_folded(self) -> None:
        """The numbers of the legend while no plot is drawn."""
        if not (is_seen(self) and self.plot.isHidden() and len(self.history)):
            return
        if self._paused or self._calm.isActive() or self.history.last_at == self._read_at:
            return
        self._read_at = self.history.last_at
        self._choose_types()
        self._frame = self.plot.frame_of(_FOLDED_PIXELS)
        self._show_values()

    def _show_page(self) -> None:
        self._pages.setCurrentWidget(self._page if len(self.history) > 1 else self._message)

    def _choose_types(self) -> None:
        """Lines for the busiest shown types, the busiest first.

        Later they keep their place while they are busy.
        """
        if abs(self.history.last_at - self._chosen_at) < TYPES_CHOICE_SECS:
            return
        self._chosen_at = self.history.last_at
        begin, end = self.plot.visible_range
        busiest = self._wanted or self.history.busiest_types(begin, end, TOP_TYPES)
        settled = self.history.last_at - self.history.first_at > SETTLING_SECS
        kept = tuple(index for index in self._types if index in busiest) if settled else ()
        self._types = kept + tuple(index for index in busiest if index not in kept)
        self._show_types()

    def _show_types(self) -> None:
        pens = self._pens()
        self.plot.set_types(self._types, pens)
        named = [
            LegendEntry(index, self._name(index), pens[index], f"type:{quoted(self._name(index))}")
            for index in self._types
        ]
        entries = [LegendEntry(TOTAL, "All", pens[TOTAL], "state:live"), *named]
        if len(self._names) > len(self._types):
            entries.append(LegendEntry(REST, "Other types", pens[REST], ""))
        self.legend.show_entries(entries if len(self.history) else ())

    def _pens(self) -> dict[int, QPen]:
        """Colours by the type's name; a second type of one colour is dashed, a third dotted."""
        pens = {
            TOTAL: pg.mkPen(self._theme.color("text")),
            REST: pg.mkPen(self._theme.color("text_quiet"), style=Qt.PenStyle.DotLine),
        }
        used: dict[str, int] = {}
        for index in self._types:
            color = self._colors.color(self._name(index), self._theme)
            place = used.get(color.name(), 0)
            used[color.name()] = place + 1
            pens[index] = pg.mkPen(color, style=DASHES[place % len(DASHES)])
        return pens

    def _name(self, index: int) -> str:
        return self._names.get(index, f"type {index}")

    def _pointed(self, at: float) -> None:
        self._pointed_at = at
        self.plot.request_draw()

    def _painted(self, frame: ChurnFrame) -> None:
        self._frame = frame
        self._readout.show_frame(frame, self._pointed_at, self.history.marks)
        if not self._calm.isActive() or not math.isnan(self._pointed_at):
            self._show_values()

    def _show_values(self) -> None:
        """Show the legend's numbers.

        They change at once for the pointer, else a few times a second, which a person can read.
        """
        frame = self._frame
        if frame is None:
            return
        self._frame = None
        moment = self.plot.moment.at
        shown_at = self.plot.newest_at if moment is None else moment
        at = shown_at if math.isnan(self._pointed_at) else self._pointed_at
        self.legend.show_values(
            {series.key: self._value_text(series, at) for series in frame.series}
        )
        self.plot.setAccessibleDescription(sentence(frame, at))
        self._calm.start()

    def _value_text(self, series: SeriesLines, at: float) -> str:
        value = series.live.value_at(at)
        if not self.plot.change.is_on or series.key == TOTAL or math.isnan(value):
            return number(value)
        change = round(value - self.plot.change.base_of(series.key, self._types))
        return f"{change:+,}".replace("-", "−") if change else "±0"

    def _show_mode(self) -> None:
        self._head.show_mode(is_count=self._is_count)
        self.plot.set_since(None if self._is_count else self._baseline)
