"""The pane of cycles across the boundary, found on request. GUI thread.

A cycle is drawn with the boundary in the middle and the edge to cut named.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from inspector.model import wording
from inspector.model.holders import CycleReport, SearchProgress
from inspector.model.snapshot import Snapshot
from inspector.ui.kit.labels import plain_label
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.cycles.graph import LEAST_ROW_HEIGHT, CycleGraph
from inspector.ui.session.holder_questions import HolderQuestions

NO_TARGET: Final = "Attach to a process to look for cycles across the boundary"
READY: Final = (
    "A cycle Python → proxy → native object → Python lives for ever: the garbage collector sees "
    "a root in a reference of native "
    "code. The search walks the objects behind callbacks, in short steps"
)
LIST_MARGINS: Final = 12
"""Above and below the list of graphs."""
NONE: Final = "No cycle across the boundary among objects that the collector knows"


class CyclesPane(PaneBase):
    """Asks the target and draws the cycles found."""

    def __init__(
        self, theme: Theme, questions: HolderQuestions, parent: QWidget | None = None
    ) -> None:
        """Nothing is asked before a click."""
        super().__init__(parent)
        self._theme = theme
        self._questions = questions
        self._graphs: list[CycleGraph] = []
        self._report: CycleReport | None = None
        self._has_target = False
        self._searching = False
        self.note = plain_label(NO_TARGET)
        self.look = QPushButton("Look for cycles")
        self.look.clicked.connect(self._look)
        self.stop = QPushButton("Stop")
        self.stop.clicked.connect(self._stop)
        self._scroll = QScrollArea()
        self._page = QWidget()
        self._list = QVBoxLayout(self._page)
        self._list.setContentsMargins(12, 4, 12, LIST_MARGINS - 4)
        self._list.setSpacing(16)
        self._list.addStretch(1)
        questions.cycles_found.connect(self._found)
        questions.progressed.connect(self._progressed)
        questions.failed.connect(self._failed)
        self._lay_out()
        self._show_state()

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(12, 8, 12, 8)
        line.setSpacing(12)
        line.addWidget(self.look)
        line.addWidget(self.stop)
        line.addWidget(self.note, 1)
        scroll = self._scroll
        scroll.setAccessibleName("Cycles that were found")
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._page)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        layout = flush_column(self)
        layout.addLayout(line)
        layout.addWidget(scroll, 1)

    # calls from the workbench ---------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """There is a target to ask."""
        if not self._has_target:
            self._has_target = True
            self.note.setText(READY)
            self._show_state()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        for graph in self._graphs:
            graph.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._questions.give_up()
        self._has_target = self._searching = False
        self._drop_graphs()
        self._report = None
        self.note.setText(NO_TARGET)
        self.count_changed.emit(0)
        self._show_state()

    @property
    def report(self) -> CycleReport | None:
        """The cycles that are shown; ``None``: nobody looked for them."""
        return self._report

    def show_report(self, report: CycleReport) -> None:
        """Show the cycles of a file."""
        self._found(report)

    def begin(self) -> None:
        """Look for cycles now, unless a search runs."""
        if self._has_target and not self._searching:
            self._look()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The first graph stays visible as a whole, if there is room for its words."""
        super().resizeEvent(event)
        self._fit()

    # inside ---------------------------------------------------------------------------------------

    def _fit(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.activate()
        room = self._scroll.viewport().height() - LIST_MARGINS
        for graph in self._graphs:
            graph.fit(room)

    def _make_room(self) -> None:
        """Fill the window if the first graph does not fit otherwise."""
        room = self._scroll.viewport().height() - LIST_MARGINS
        if self._graphs and self._graphs[0].height_at(LEAST_ROW_HEIGHT) > room:
            self.room_wanted.emit()

    def _show_state(self) -> None:
        self.look.setEnabled(self._has_target)
        self.look.setVisible(not self._searching)
        self.stop.setVisible(self._searching)

    def _look(self) -> None:
        self._searching = True
        self.note.setText("Asked the target …")
        self._show_state()
        self._questions.find_cycles()

    def _stop(self) -> None:
        self._questions.give_up()
        self._ended("Given up")

    def _progressed(self, _handle: int, progress: SearchProgress) -> None:
        if self._searching:
            self.note.setText(
                f"{progress.looked_at:,} objects looked at, {progress.found:,} "
                "ways across the boundary …"
            )

    def _failed(self, _handle: int, why: str) -> None:
        if self._searching:
            self._ended(why)

    def _ended(self, note: str) -> None:
        self._searching = False
        self.note.setText(note)
        self._show_state()

    def _found(self, report: CycleReport) -> None:
        self._drop_graphs()
        self._report = report
        kinds = Counter(cycle.kind() for cycle in report.cycles)
        for cycle in {cycle.kind(): cycle for cycle in reversed(report.cycles)}.values():
            graph = CycleGraph(self._theme, cycle, alike=kinds[cycle.kind()])
            graph.handle_chosen.connect(self.handle_chosen)
            graph.line_wanted.connect(self.line_wanted)
            self._graphs.append(graph)
            self._list.insertWidget(self._list.count() - 1, graph, 0, Qt.AlignmentFlag.AlignTop)
        self.count_changed.emit(report.count)
        self._ended(report_text(report))
        self._make_room()
        self._fit()

    def _drop_graphs(self) -> None:
        while self._graphs:
            graph = self._graphs.pop()
            self._list.removeWidget(graph)
            graph.deleteLater()


def report_text(report: CycleReport) -> str:
    """The number of cycles, the way they were found, and the parts that were not searched."""
    found = (
        wording.plural(report.count, "cycle", "cycles") + " across the boundary"
        if report.count
        else NONE
    )
    more = report.count - len(report.cycles)
    parts = [found, f"{report.looked_at:,} objects looked at"]
    if more > 0:
        parts.append(f"{more:,} more are not drawn")
    if any(not cycle.is_exact for cycle in report.cycles):
        parts.append("≈ was found by reading memory and may be wrong")
    if report.is_cut:
        parts.append("the search ended at its limit")
    return " · ".join([*parts, *report.notes()])
