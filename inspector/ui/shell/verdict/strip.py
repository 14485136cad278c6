"""The verdict strip: *Grows*, *Stuck* and the numbers, from left to right. GUI thread only."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QWidget

from inspector.model.snapshot import Snapshot, Vitals
from inspector.ui.kit.theme import Theme
from inspector.ui.session.change_watch import ChangeWatch
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.ui.session.stack_watch import StackWatch
from inspector.ui.shell.verdict.grows import GrowsPart
from inspector.ui.shell.verdict.stuck import StuckPart
from inspector.ui.shell.vital_signs import VitalSigns

HEIGHT: Final = 92
COMPACT_HEIGHT: Final = 58
COMPACT_WIDTH: Final = 1000


class VerdictStrip(QFrame):
    """Assembles the three parts; in a narrow window in two lines."""

    line_wanted = Signal(str, int)
    """File and line that the person's editor is to open."""

    def __init__(
        self,
        theme: Theme,
        watch: ChangeWatch | None = None,
        findings: FindingsWatch | None = None,
        stacks: StackWatch | None = None,
    ) -> None:
        """Nothing is known. Without watches it is shown by hand."""
        super().__init__()
        self.setObjectName("verdict")
        self.grows = GrowsPart(theme)
        self.stuck = StuckPart(theme)
        self.numbers = VitalSigns(theme)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._rules = [QFrame(self), QFrame(self)]
        for rule in self._rules:
            rule.setObjectName("upright")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(3, 0, 4, 0)
        self._grid.setSpacing(0)
        self._is_compact: bool | None = None
        self._arrange(compact=False)
        self.stuck.line_wanted.connect(self.line_wanted)
        if watch is not None:
            watch.plain_changed.connect(self.grows.show_table)
            watch.plain_changed.connect(self.stuck.show_table)
        if stacks is not None:
            self.stuck.follow_stacks(stacks)
        if findings is not None:
            findings.report_changed.connect(self.grows.show_report)
            findings.coverage_changed.connect(
                lambda coverage: self.grows.show_lead(coverage.lead, can_follow=findings.can_follow)
            )
            self.grows.follow_wanted.connect(findings.follow)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """A newer snapshot, also while the tables are paused, or one of an earlier moment."""
        self.numbers.show_snapshot(snapshot)
        self.stuck.show_snapshot(snapshot)

    def show_vitals(self, vitals: Vitals) -> None:
        """Newer counters."""
        self.numbers.show_vitals(vitals)

    def set_paused(self, paused: bool) -> None:
        """Let ages stand still, or grow again."""
        self.stuck.set_paused(paused=paused)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        for part in (self.grows, self.stuck, self.numbers):
            part.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        for part in (self.grows, self.stuck, self.numbers):
            part.clear()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two lines where there is little room."""
        super().resizeEvent(event)
        self._arrange(compact=self.width() < COMPACT_WIDTH)

    def _arrange(self, *, compact: bool) -> None:
        if compact == self._is_compact:
            return
        self._is_compact = compact
        parts: tuple[QWidget, ...] = (self.grows, self.stuck, self.numbers, *self._rules)
        for part in parts:
            self._grid.removeWidget(part)
        for rule in self._rules:
            rule.setVisible(not compact)
        for part in (self.grows, self.stuck, self.numbers):
            part.set_compact(compact=compact)
        if compact:
            self._grid.addWidget(self.grows, 0, 0, 1, 2)
            self._grid.addWidget(self.stuck, 1, 0)
            self._grid.addWidget(self.numbers, 1, 1)
            stretches = (1, 0, 0, 0, 0)
        else:
            for column, part in enumerate(
                (self.grows, self._rules[0], self.stuck, self._rules[1], self.numbers)
            ):
                self._grid.addWidget(part, 0, column)
            stretches = (6, 0, 4, 0, 0)
        for column, stretch in enumerate(stretches):
            self._grid.setColumnStretch(column, stretch)
        self.setFixedHeight(COMPACT_HEIGHT if compact else HEIGHT)
