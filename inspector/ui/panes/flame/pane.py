"""The pane of live objects by the place of their birth: a live flame graph.

GUI thread; the graph is built off it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QScrollArea, QWidget

from inspector.model.flame import Flame, FlameGraph, Weight, build_flames
from inspector.model.snapshot import Snapshot, Target
from inspector.ui.kit.labels import quiet_label
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase, is_seen
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.flame.icicle import Icicle, value_text
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.vocabulary import Level

REFRESH_MILLIS: Final = 1000
"""Shortest time between two graphs: a picture that one reads must not dance."""
NO_TARGET: Final = "Attach to a process to see which lines made its live handles"
EMPTY: Final = "Nothing is alive"


class Built(NamedTuple):
    """A graph, and its source."""

    snapshot: Snapshot
    graph: FlameGraph


class FlamePane(PaneBase):
    """By handles or by bytes; a click filters the table."""

    def __init__(
        self, theme: Theme, runner: BackgroundRunner, parent: QWidget | None = None
    ) -> None:
        """Empty."""
        super().__init__(parent)
        self._snapshot: Snapshot | None = None
        self._shown_serial = -1
        self._paused = False
        self._work = LatestWork(
            self, runner, self._building, on_result=self._built, on_error=self._gave_up
        )
        self._timer = QTimer(self, interval=REFRESH_MILLIS)
        self._timer.timeout.connect(self._refresh)
        self.icicle = Icicle(theme)
        self.icicle.flame_chosen.connect(self._choose)
        self.note = quiet_label(NO_TARGET)
        self.note.setWordWrap(True)
        self.weight = QComboBox()
        self.weight.setAccessibleName("What a width stands for")
        for weight in Weight:
            self.weight.addItem(f"by {weight}", weight)
        self.weight.currentIndexChanged.connect(self._changed_weight)
        self._out = QPushButton("Show everything")
        self._out.clicked.connect(self._zoom_out)
        self._out.hide()
        self._lay_out()

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(12, 6, 12, 6)
        line.setSpacing(8)
        line.addWidget(self.weight)
        line.addWidget(self.note, 1)
        line.addWidget(self._out)
        scroll = QScrollArea()
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the graph itself has the keyboard
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.icicle)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = flush_column(self)
        layout.addLayout(line)
        layout.addWidget(scroll, 1)

    # calls from the workbench ---------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Build the graph of this one when it is time."""
        is_first, self._snapshot = self._snapshot is None, snapshot
        if is_first:
            self._refresh()

    def came_to_front(self) -> None:
        """The pane became visible: build the graph of the newest snapshot."""
        self._refresh()

    def set_paused(self, paused: bool) -> None:
        """Stand still; the workbench gives no snapshots meanwhile."""
        self._paused = paused

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.icicle.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._work.forget()
        self._snapshot, self._shown_serial = None, -1
        self.icicle.show_graph(None)
        self.note.setText(NO_TARGET)
        self._out.hide()

    def showEvent(self, event: QShowEvent) -> None:
        """The pane became visible."""
        super().showEvent(event)
        self._timer.start()
        self._refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """The pane is hidden."""
        self._timer.stop()
        super().hideEvent(event)

    # inside ---------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """It is time for the newest snapshot; a slower build is not overtaken."""
        if not self._work.is_busy:
            self._work.ask()

    def _building(self) -> Callable[[], Built] | None:
        """Build the graph of the newest snapshot, while the pane is visible, unless it is shown."""
        snapshot, weight = self._snapshot, Weight(self.weight.currentData())
        if snapshot is None or not is_seen(self) or snapshot.serial == self._shown_serial:
            return None
        return lambda: Built(snapshot, build_flames(snapshot, weight))

    def _built(self, built: Built) -> None:
        snapshot, graph = built
        if graph.weight != self.weight.currentData():
            return  # the other is wished by now, and comes next
        self._shown_serial = snapshot.serial
        self.icicle.show_graph(graph if graph.total else None)
        self.note.setText(note_text(graph, snapshot.target))

    def _gave_up(self, _error: BaseException) -> None:
        self.note.setText("The graph could not be built")

    def _changed_weight(self) -> None:
        self._shown_serial = -1
        self._work.ask()

    def _choose(self, flame: Flame) -> None:
        self._out.setVisible(flame.depth > 0)
        self.filter_wanted.emit(flame.filter)

    def _zoom_out(self) -> None:
        self.icicle.zoom(0)
        self._out.hide()
        self.filter_wanted.emit("")


def note_text(graph: FlameGraph, target: Target) -> str:
    """The content of the graph, and its omissions."""
    if not graph.total and not graph.unsized:
        return EMPTY
    parts = [f"{value_text(graph.total, graph.weight)} alive, by the lines that made them"]
    if graph.unrecorded:
        parts.append(f"{graph.unrecorded:,} without a recorded site")
    if graph.unsized:
        parts.append(f"{graph.unsized:,} objects of unknown size are left out")
    if target.from_outside:
        parts.append("from outside, sites are not known")
    elif target.level == Level.HISTORY:
        parts.append("one frame each: whole stacks at level stacks")
    elif target.level < Level.HISTORY:
        parts.append("sites are recorded from level history on")
    return " · ".join(parts)
