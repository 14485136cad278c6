"""The pane of marks and diff: compare two marks by births, deaths, survivors and changes.

GUI thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QWidget,
)

from inspector.model.diff import Change, Diff, Fate
from inspector.model.filter import quoted
from inspector.model.growth import Grown
from inspector.model.marks import MarkedState
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.time_of_day import range_text
from inspector.model.wording import clock
from inspector.ui.kit.labels import ElidedLabel, tip
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.marks.birth_bars import HEIGHT, BirthBars
from inspector.ui.panes.marks.growth_steps import GrowthSteps
from inspector.ui.panes.marks.layout import column_of, line_of
from inspector.ui.panes.marks.model import (
    ChangeRows,
    FateRows,
    GrownRows,
    change_model,
    fate_model,
    fate_rows,
    grown_model,
    no_fate_rows,
)
from inspector.ui.panes.marks.texts import mark_text, mark_tooltip, sum_text
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.mark_book import MarkBook

CHANGES: Final = TableShape(
    name="Changes by type and place",
    widths=(116, 84, 76, 70, 66, 66, 92, 90, 78, 150),
    spare=(8, 2, 7, 3, 6, 5),
    elastic=(9,),
)
HANDLES: Final = TableShape(
    name="Handles with the chosen fate", widths=(92, 96, 84), spare=(2,), elastic=(1,)
)
GROWN: Final = TableShape(
    name="Handles that every round left behind", widths=(150, 170, 84, 320), spare=(), elastic=(3,)
)
MAX_HANDLES: Final = 5000
"""Handles of a line that are listed."""
TALL: Final = 190
"""From so many pixels on there is room for the births."""
WIDE: Final = 700
"""From so many pixels on there is room for the handles of a line."""
NO_TARGET: Final = "Attach to a process to mark its state and compare"
NO_MARKS: Final = (
    "No mark yet. Press M, run the suspected code, and choose the mark: it is compared with now"
)
CHOOSE: Final = "Choose one mark to compare it with now, or two"
COMPARING: Final = "Comparing …"
NOTHING_CHANGED: Final = "Nothing was born, died or changed between the two marks"
NOTHING_GREW: Final = "Nothing grew in every round"
FATES: Final = (
    (Fate.BORN, "Born"),
    (Fate.DEAD, "Dead"),
    (Fate.SURVIVED, "Survived"),
    (Fate.CHANGED, "Changed"),
)


class MarksPane(PaneBase):
    """Marks on the left, the comparison in the middle, its handles on the right."""

    mark_wanted = Signal(str)
    """Set a mark now, with that name; empty: the next one."""
    moments_wanted = Signal(float, float)
    """Set marks for two moments that have passed."""
    comparison_changed = Signal(object)
    """``Diff`` that is shown now; ``None``: none."""

    def __init__(
        self, theme: Theme, book: MarkBook, runner: BackgroundRunner, parent: QWidget | None = None
    ) -> None:
        """Show the marks of ``book``."""
        super().__init__(parent)
        self._book = book
        self._found: Diff | None = None
        self._line: Change | None = None
        self._range: tuple[float, float] | None = None
        self._has_target = False
        self._listing = LatestWork(
            self,
            runner,
            self._fated,
            on_result=self._show_handles,
            on_error=lambda error: self.handles.set_message(str(error)),
        )
        self._changes = change_model(theme, self)
        self._handles = fate_model(theme, self)
        self._grown = grown_model(theme, self)
        self._build(theme)
        book.changed.connect(self._show_marks)
        book.compared.connect(self._show)
        book.grown.connect(self._show_grown)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """There is a target to be marked."""
        if not self._has_target:
            self._has_target = True
            self._mark.setEnabled(True)
            self._test.setEnabled(snapshot.target.state in (TargetState.LIVE, TargetState.HUNG))
            self._show_marks()

    def offer_range(self, moments: tuple[float, float] | None) -> None:
        """A range was chosen in the timeline: its ends can be marked."""
        self._range = moments
        self._mark_range.setEnabled(moments is not None)
        self._mark_range.setToolTip(
            "Set marks for the two ends of the range chosen in the timeline"
            if moments is None
            else (
                f"Set marks for {clock(moments[0])[:-4]} and {clock(moments[1])[:-4]}, and "
                "compare them"
            )
        )

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        for part in (self.table, self.handles, self.grown, self.bars):
            part.set_theme(theme)

    def clear(self) -> None:
        """There is no target any more."""
        self._has_target = False
        self._mark.setEnabled(False)
        self._test.setEnabled(False)
        self.offer_range(None)
        self.steps.stop()
        self._forget()
        self._show_marks()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Births and handles are shown where there is room."""
        super().resizeEvent(event)
        self._right.setVisible(self.width() >= WIDE)
        self.bars.setVisible(self.height() >= TALL + HEIGHT)

    # building -------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        self.steps = GrowthSteps()
        self.steps.mark_wanted.connect(self.mark_wanted)
        self.steps.finished.connect(self._book.test_growth)
        self.steps.stopped.connect(lambda: self._tables.setCurrentIndex(0))
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._right = self._build_handles(theme)
        for part in (self._build_list(), self._build_changes(theme), self._right):
            self._split.addWidget(part)
        self._split.setSizes([220, 620, 280])
        self._split.setStretchFactor(1, 1)
        layout = flush_column(self)
        layout.addWidget(self.steps)
        layout.addWidget(self._split, 1)
        self.offer_range(None)
        self._show_marks()

    def _build_list(self) -> QWidget:
        self.list = QListWidget()
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("Marks")
        self.list.setMinimumWidth(110)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemSelectionChanged.connect(self._compare)
        self._mark = QPushButton("Mark")
        self._mark.setToolTip("Remember the live handles of now (M)")
        self._mark.clicked.connect(lambda: self.mark_wanted.emit(""))
        self._mark_range = QPushButton("Range")
        self._mark_range.clicked.connect(self._ask_range)
        self._remove = QPushButton("Remove")
        self._remove.setToolTip("Forget the selected marks")
        self._remove.clicked.connect(self._forget_selected)
        for button in (self._mark, self._mark_range, self._remove):
            button.setProperty("flat", True)
        return column_of(line_of(self._mark, self._mark_range, self._remove), self.list)

    def _build_changes(self, theme: Theme) -> QWidget:
        self.table = RecordTable(theme, self._changes, CHANGES)
        self.table.setMinimumWidth(160)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        self.table.record_chosen.connect(lambda key, _column: self._choose_line(key))
        self.grown = RecordTable(theme, self._grown, GROWN)
        self.grown.set_message(NOTHING_GREW)
        self.grown.record_chosen.connect(lambda key, _column: self._choose_grown(key))
        self._tables = QStackedWidget()
        self._tables.addWidget(self.table)
        self._tables.addWidget(self.grown)
        self._by = QComboBox()
        self._by.addItems(["By place", "By type"])
        self._by.setAccessibleName("Lines of the comparison")
        self._by.activated.connect(self._show_lines)
        self._sum = ElidedLabel()
        self._sum.setObjectName("Sum of the comparison")
        self._sum.setProperty("quiet", True)
        self._test = QPushButton("Growth test…")
        self._test.setProperty("flat", True)
        self._test.setToolTip(
            "Repeat a scenario three times and keep only the types that grow each time"
        )
        self._test.clicked.connect(self.steps.start)
        self.bars = BirthBars(theme)
        self.bars.range_selected.connect(
            lambda begin, end: self.born_wanted.emit(f"born:{range_text(begin, end)}")
        )
        self.bars.range_dropped.connect(lambda: self.born_wanted.emit(""))
        head = line_of(self._by, self._sum, self._test)
        return column_of(head, self._tables, self.bars)

    def _build_handles(self, theme: Theme) -> QWidget:
        self.handles = RecordTable(theme, self._handles, HANDLES)
        self.handles.set_message("")
        self.handles.setMinimumWidth(120)
        self.handles.record_chosen.connect(lambda key, _column: self.handle_chosen.emit(key))
        self._fate = QComboBox()
        for fate, text in FATES:
            self._fate.addItem(text, fate)
        self._fate.setAccessibleName("Which handles of the chosen line")
        self._fate.activated.connect(self._list_handles)
        self._rows = QPushButton("Show")
        self._rows.setProperty("flat", True)
        self._rows.setToolTip("Filter the table of handles by the chosen line")
        self._rows.clicked.connect(self._show_rows)
        return column_of(line_of(self._fate, self._rows), self.handles)

    # marks ----------------------------------------------------------------------------------------

    def _show_marks(self) -> None:
        """The list; the selection stays, and the first mark is compared with now."""
        marks, before = self._book.marks, {id(mark) for mark in self._selected()}
        self.list.blockSignals(True)
        self.list.clear()
        for mark in marks:
            item = QListWidgetItem(mark_text(mark))
            item.setToolTip(tip(mark_tooltip(mark)))
            item.setData(Qt.ItemDataRole.UserRole, mark)
            self.list.addItem(item)
            item.setSelected(id(mark) in before)
        self.list.blockSignals(False)
        self._remove.setEnabled(bool(self._selected()))
        self.count_changed.emit(len(marks))
        self.table.set_message(NO_TARGET if not self._has_target else CHOOSE if marks else NO_MARKS)
        if not marks:
            self._forget()
        self.steps.take(marks)

    @property
    def chosen(self) -> tuple[MarkedState, ...]:
        """The marks that are compared."""
        return tuple(self._selected())

    def choose(self, marks: Sequence[MarkedState]) -> None:
        """Compare these marks, or one of them with the present."""
        for row in range(self.list.count()):
            item = self.list.item(row)
            mark = item.data(Qt.ItemDataRole.UserRole)
            item.setSelected(any(mark is each for each in marks))

    def _selected(self) -> list[MarkedState]:
        return [item.data(Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]

    def _forget_selected(self) -> None:
        for mark in self._selected():
            self._book.remove(mark)

    def _ask_range(self) -> None:
        if self._range is not None:
            self.moments_wanted.emit(*self._range)

    def _compare(self) -> None:
        chosen = sorted(self._selected(), key=lambda mark: mark.at)
        self._remove.setEnabled(bool(chosen))
        if not chosen:
            self._forget()
            return
        self._tables.setCurrentIndex(0)
        self.table.set_message(COMPARING)
        self._book.compare(chosen[0], chosen[-1] if len(chosen) > 1 else None)

    # comparison -----------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._listing.forget()
        self._found, self._line = None, None
        self._sum.set_whole("")
        self._changes.set_rows(ChangeRows())
        self._handles.set_rows(no_fate_rows())
        self._grown.set_rows(GrownRows())
        self._rows.setEnabled(False)
        self.bars.show_births(np.empty(0), np.empty(0))
        self.comparison_changed.emit(None)

    def _show(self, found: Diff) -> None:
        self._found, self._line = found, None
        self._sum.set_whole(sum_text(found))
        self.table.set_message(NOTHING_CHANGED)
        survived = found.after.created_at[found.survived] if found.is_same_process else np.empty(0)
        born = found.after.created_at[found.born]
        self.bars.show_births(np.concatenate([survived, born]), found.before.created_at[found.dead])
        self._show_lines()
        self.comparison_changed.emit(found)

    def _show_lines(self) -> None:
        if self._found is None:
            return
        lines = self._found.places if self._by.currentIndex() == 0 else self._found.types
        self._changes.set_rows(
            ChangeRows(
                tuple(
                    line
                    for line in lines
                    if line.net or max(line.born, line.dead, line.changed, line.passed) > 0
                )
            )
        )
        self._list_handles()

    def _choose_line(self, key: int) -> None:
        row = self._changes.row_of(key)
        if row >= 0:
            self._line = self._changes.rows.lines[self._changes.source_row(row)]
            self._list_handles()

    def _list_handles(self) -> None:
        self._rows.setEnabled(self._line is not None)
        self._listing.ask()

    def _fated(self) -> Callable[[], FateRows] | None:
        """The handles of the chosen line with the chosen fate."""
        found, line, fate = self._found, self._line, Fate(self._fate.currentData())
        return None if found is None else lambda: fate_rows(found, fate, line, MAX_HANDLES)

    def _show_handles(self, rows: FateRows) -> None:
        self.handles.set_message("None")
        self._handles.set_rows(rows)

    def _show_rows(self) -> None:
        if self._line is not None:
            place = f" site:{quoted(self._line.site)}" if self._line.site else ""
            self.filter_wanted.emit(f"type:{quoted(self._line.type_name)}{place}")

    # growth test ----------------------------------------------------------------------------------

    def _show_grown(self, grown: tuple[Grown, ...]) -> None:
        self._grown.set_rows(GrownRows(grown))
        self._tables.setCurrentIndex(1)

    def _choose_grown(self, key: int) -> None:
        row = self._grown.row_of(key)
        if row >= 0:
            line = self._grown.rows.lines[self._grown.source_row(row)]
            place = f" site:{quoted(line.site)}" if line.site else ""
            self.filter_wanted.emit(f"type:{quoted(line.type_name)}{place}")
