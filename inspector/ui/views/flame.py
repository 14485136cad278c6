"""The pane of what is alive now, by where it was made: a live flame graph. GUI thread; the graph is built off it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from inspector.model.flame import Flame, FlameGraph, Weight, build_flames
from inspector.model.snapshot import Level, Snapshot, Target
from inspector.ui.bridge import Courier
from inspector.ui.theme import Theme
from inspector.ui.widgets.icicle import Icicle, value_text
from inspector.ui.widgets.labels import quiet_label
from inspector.ui.widgets.seen import is_seen

REFRESH_MILLIS: Final = 1000
"""Shortest time between two graphs: a picture that one reads must not dance."""
NO_TARGET: Final = "Attach to a process to see where what is alive was made"
EMPTY: Final = "Nothing is alive"


class FlamePane(QWidget):
    """By handles or by bytes; a click filters the table."""

    filter_wanted = Signal(str)
    """The filter that shows the rows of a rectangle."""

    def __init__(self, theme: Theme, courier: Courier, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self.setObjectName("pane")
        self._courier = courier
        self._snapshot: Snapshot | None = None
        self._shown_serial = -1
        self._building = False
        self._paused = False
        self._round = 0
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(scroll, 1)

    # what the workbench calls -------------------------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Build the graph of this one when it is time."""
        is_first, self._snapshot = self._snapshot is None, snapshot
        if is_first:
            self._refresh()

    def came_to_front(self) -> None:
        """Somebody sees it: build the graph of what came meanwhile."""
        self._refresh()

    def set_paused(self, paused: bool) -> None:
        """Stand still; the workbench gives no snapshots meanwhile."""
        self._paused = paused

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self.icicle.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._round += 1
        self._snapshot, self._building, self._shown_serial = None, False, -1
        self.icicle.show_graph(None)
        self.note.setText(NO_TARGET)
        self._out.hide()

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks."""
        super().showEvent(event)
        self._timer.start()
        self._refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        self._timer.stop()
        super().hideEvent(event)

    # inside -------------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Build the graph of the newest snapshot, while somebody looks and none is being built."""
        snapshot = self._snapshot
        if snapshot is None or self._building or not is_seen(self) or snapshot.serial == self._shown_serial:
            return
        self._building = True
        this_round, weight = self._round, Weight(self.weight.currentData())
        self._courier.run(
            lambda: build_flames(snapshot, weight),
            lambda graph: self._built(graph, snapshot, this_round),
            lambda _error: self._gave_up(this_round),
        )

    def _built(self, graph: FlameGraph, snapshot: Snapshot, of_round: int) -> None:
        if of_round != self._round:
            return
        self._building = False
        if graph.weight != self.weight.currentData():
            self._refresh()
            return
        self._shown_serial = snapshot.serial
        self.icicle.show_graph(graph if graph.total else None)
        self.note.setText(note_text(graph, snapshot.target))

    def _gave_up(self, of_round: int) -> None:
        if of_round == self._round:
            self._building = False
            self.note.setText("The graph could not be built")

    def _changed_weight(self) -> None:
        self._shown_serial = -1
        self._refresh()

    def _choose(self, flame: Flame) -> None:
        self._out.setVisible(flame.depth > 0)
        self.filter_wanted.emit(flame.filter)

    def _zoom_out(self) -> None:
        self.icicle.zoom(0)
        self._out.hide()
        self.filter_wanted.emit("")


def note_text(graph: FlameGraph, target: Target) -> str:
    """What the graph shows, and what it cannot."""
    if not graph.total and not graph.unsized:
        return EMPTY
    parts = [f"{value_text(graph.total, graph.weight)} alive, by where they were made"]
    if graph.unrecorded:
        parts.append(f"{graph.unrecorded:,} without a recorded site")
    if graph.unsized:
        parts.append(f"{graph.unsized:,} objects of unknown size are left out")
    if target.from_outside:
        parts.append("looked at from outside, sites are not known")
    elif target.level == Level.HISTORY:
        parts.append("one frame each: whole stacks at level stacks")
    elif target.level < Level.HISTORY:
        parts.append("sites are recorded from level history on")
    return " · ".join(parts)
