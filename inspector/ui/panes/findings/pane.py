"""The pane of findings: verdicts, their reasons, and the way to the rows. GUI thread only."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from inspector.model.findings.finding import Finding, Verdict
from inspector.model.findings.judge import Report, nothing_judged
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.ui.kit.assets import pixmap
from inspector.ui.kit.labels import head_label, plain_label, quiet_label, text_label
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.findings.model import FindingRows, cue_of, finding_model, verdict_text
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.vocabulary import handle_text

SHAPE: Final = TableShape(name="Findings", widths=(150, 190, 130), spare=(1,), elastic=(2,))
NO_TARGET: Final = "Attach to a process to see its findings"
FIRST_LOOK: Final = "Looking for the first time …"
NO_CHOICE: Final = "Choose a finding to see its evidence"
DETAIL_MARGIN: Final = 12


class FindingsPane(PaneBase):
    """Findings on the left, the chosen one's evidence on the right."""

    def __init__(self, theme: Theme, watch: FindingsWatch, parent: QWidget | None = None) -> None:
        """Empty until ``watch`` has looked."""
        super().__init__(parent)
        self._theme = theme
        self._watch = watch
        self._count = 0
        self._chosen: str | None = None
        self._has_target = False
        self._snapshot: Snapshot | None = None
        self._sample = 0
        self._model = finding_model(theme, FindingRows(nothing_judged()), self)
        self._build(theme)
        watch.report_changed.connect(self.show_report)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """There is a target; its findings come by the watch."""
        self._snapshot = snapshot
        if not self._has_target:
            self._has_target = True
            self.table.set_message(FIRST_LOOK)

    def show_report(self, report: Report) -> None:
        """Show the present findings of the rules."""
        self._model.set_rows(FindingRows(report))
        suspects = len(report.suspects())
        if suspects != self._count:
            self._count = suspects
            self.count_changed.emit(suspects)
        self._show_chosen()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.table.set_theme(theme)
        self._show_chosen()

    def clear(self) -> None:
        """There is no target any more."""
        self._has_target = False
        self._chosen, self._sample, self._snapshot = None, 0, None
        self.table.set_message(NO_TARGET)
        self.show_report(nothing_judged())

    # building -------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        self.table = RecordTable(theme, self._model, SHAPE)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.set_message(NO_TARGET)
        self.table.record_chosen.connect(lambda key, _column: self._choose(key))
        self.table.selectionModel().currentRowChanged.connect(
            lambda now, _before: self._choose_row(now.row())
        )
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.table)
        split.addWidget(self._build_detail())
        split.setSizes([560, 420])
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)

    def _build_detail(self) -> QScrollArea:
        self._icon, self._headline, self._rule = text_label(), head_label(""), quiet_label("")
        self._headline.setWordWrap(True)
        self._evidence, self._about, self._muted = plain_label(""), plain_label(""), plain_label("")
        self._evidence.setObjectName("Evidence")
        self._muted.setObjectName("Why it is muted")
        self._about.setProperty("quiet", True)
        for text in (self._headline, self._evidence, self._about, self._muted):
            text.setMinimumWidth(1)  # a long word must not widen the pane
        self._nothing = quiet_label(NO_CHOICE)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(DETAIL_MARGIN, 8, DETAIL_MARGIN, 8)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self._icon)
        head.addWidget(self._rule, 1)
        column.addLayout(head)
        for widget in (self._headline, self._evidence, self._muted):
            column.addWidget(widget)
        column.addLayout(self._build_doors())
        column.addWidget(self._about)
        column.addStretch(1)
        column.addWidget(self._nothing)
        column.addStretch(1)
        self._parts = (self._icon, self._rule, self._headline, self._evidence, self._about)
        area = QScrollArea()
        area.setAccessibleName("Evidence of the finding")
        area.setWidgetResizable(True)
        area.setMinimumWidth(300)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        self._show_chosen()
        return area

    def _build_doors(self) -> QHBoxLayout:
        self._rows = QPushButton("Show the rows")
        self._rows.clicked.connect(self._show_rows)
        self._first = QPushButton()
        self._first.clicked.connect(self._show_handle)
        self._mute = QPushButton("Mute…")
        self._mute.clicked.connect(self._mute_or_hear)
        line = QHBoxLayout()
        line.setSpacing(8)
        for button in (self._rows, self._first, self._mute):
            line.addWidget(button)
        line.addStretch(1)
        return line

    # inside ---------------------------------------------------------------------------------------

    @property
    def _finding(self) -> Finding | None:
        return next(
            (each for each in self._model.rows.report.findings if each.key == self._chosen), None
        )

    def _choose_row(self, row: int) -> None:
        if 0 <= row < self._model.rowCount():
            self._choose(self._model.key_at(row))

    def _choose(self, key: int) -> None:
        row = self._model.row_of(key)
        if row >= 0:
            chosen = self._model.rows.at(self._model.source_row(row)).key
            self._sample = self._sample if chosen == self._chosen else 0
            self._chosen = chosen
            self._show_chosen()

    def _show_chosen(self) -> None:
        finding = self._finding
        for part in self._parts:
            part.setVisible(finding is not None)
        self._nothing.setVisible(finding is None)
        self._rows.setVisible(bool(finding and finding.filter))
        self._first.setVisible(bool(finding and finding.handles))
        self._mute.setVisible(bool(finding and finding.verdict is Verdict.SUSPECT))
        self._muted.setVisible(bool(finding and finding.muted))
        if finding is not None:
            self._show_finding(finding)

    def _show_finding(self, finding: Finding) -> None:
        rule = self._model.rows.report.rule_of(finding)
        cue = cue_of(finding)
        self._icon.setPixmap(
            pixmap(cue.icon, getattr(self._theme, cue.tint), 16, self.devicePixelRatioF())
        )
        self._rule.setText(f"{rule.title} · {verdict_text(finding)}")
        self._headline.setText(finding.headline)
        self._evidence.setText("\n".join(f"• {line}" for line in finding.evidence))
        self._evidence.setVisible(bool(finding.evidence))
        self._about.setText(f"{rule.about}.")
        self._muted.setText(f"Muted: {finding.muted}")
        self._mute.setText("Unmute" if finding.muted else "Mute…")
        if finding.handles:
            self._keep_sample(finding)
            self._first.setText(f"Show {handle_text(self._sample)}")

    def _keep_sample(self, finding: Finding) -> None:
        """The same handle while it lives, and while the pointer is on its button."""
        kept = self._sample
        if kept and (kept in finding.handles or self._first.underMouse() or self._is_alive(kept)):
            return
        self._sample = finding.handles[0]

    def _is_alive(self, handle: int) -> bool:
        if self._snapshot is None:
            return False
        handles = self._snapshot.handles
        return bool((alive(handles) & (handles.ids == np.uint64(handle))).any())

    def _show_rows(self) -> None:
        if (finding := self._finding) is not None:
            self.filter_wanted.emit(finding.filter)

    def _show_handle(self) -> None:
        if self._sample:
            self.handle_chosen.emit(self._sample)

    def _mute_or_hear(self) -> None:
        finding = self._finding
        if finding is None:
            return
        if finding.muted:
            self._watch.unmute(finding.mute_key)
            return
        reason, is_given = QInputDialog.getText(
            self, "Mute a finding", f"Why is this no problem?\n{finding.headline}"
        )
        if is_given and reason.strip():
            self._watch.mute(finding.key, reason)
