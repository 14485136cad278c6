"""The Handles pane: filter, counts, and every live handle grouped by type."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from inspector.model import wording
from inspector.model.columns import FILTER_HELP, TABLE_COLUMNS, section_of
from inspector.model.filter import FilterError, parse, quoted, replaced
from inspector.model.findings.judge import why_empty
from inspector.model.findings.leads import Lead
from inspector.model.grouping import Arrangement, Query
from inspector.model.snapshot import Snapshot, Vitals
from inspector.model.threads import filter_text
from inspector.ui.kit.assets import icon
from inspector.ui.kit.labels import quiet_label, set_flag, text_label
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.handles.model import HandleModel
from inspector.ui.panes.handles.query_runner import QueryRunner
from inspector.ui.panes.handles.table import HandleTable
from inspector.ui.session.bridge import BackgroundRunner

MOMENTS_SECS: Final = (0.5, 2.0, 5.0, 30.0)
FILTER_HINT: Final = (
    "Filter: words, type:Journal, state:pending, thread:worker, strong>1, age>10s, -not"
)
TYPING_MILLIS: Final = 120
"""Typing settles before a filter runs."""


class HandlesPane(PaneBase):
    """Assembles filter, table and the sentences for when there is nothing to show."""

    handles_chosen = Signal(object)
    """``tuple[int, ...]``: selection changed; GUI thread."""
    filter_changed = Signal(str)
    """The filter in force is another one now: its source."""
    menu_wanted = Signal(object)
    """``QMenu`` for the selection; the window adds its actions."""

    def __init__(
        self, theme: Theme, runner: BackgroundRunner, parent: QWidget | None = None
    ) -> None:
        """Empty; ``runner`` sorts large tables."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.model = HandleModel(self)
        self.table = HandleTable(theme, self.model, self)
        self.query = Query()
        self._theme = theme
        self._snapshot: Snapshot | None = None
        self._lead: Lead | None = None
        self._reading = False
        self._query_runner = QueryRunner(runner, self)
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MILLIS)
        self._build_head()
        self._build_body()
        self._connect()
        self.set_theme(theme)
        self._show_counts(None)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a newer snapshot; rows keep their order while a person reads."""
        self._snapshot = snapshot
        self._arrange(held=self._holds_order())

    def show_lead(self, lead: Lead | None) -> None:
        """Say in the empty table which classes are not followed; ``None``: not known."""
        self._lead = lead
        self._show_counts(self.model.arrangement)

    def show_vitals(self, vitals: Vitals) -> None:
        """Take newer counters for the groups' rates."""
        self.model.add_vitals(vitals)

    def set_paused(self, paused: bool) -> None:
        """Let the groups' rates stand still, or move again."""
        self.model.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.table.set_theme(theme)
        self._tombstones.setIcon(icon("tombstone", theme, tint="text_quiet"))
        self._moment.setIcon(icon("born", theme, tint="text_quiet"))
        self._search_icon.setIcon(icon("search", theme, tint="text_quiet"))

    def clear(self) -> None:
        """Show nothing."""
        self._query_runner.forget()
        self._snapshot = None
        self.table.choose(())
        self.model.clear()
        self._show_counts(None)

    def set_filter(self, text: str) -> None:
        """Filter as if typed."""
        self.field.setText(text)
        self.apply_filter()

    def narrow(self, key: str, term: str) -> None:
        """Filter by ``term`` instead of the filter's terms about ``key``; its other terms stay."""
        self.set_filter(replaced(self.query.filter.source, key, term))

    def apply_filter(self) -> bool:
        """Use the filter in the field; a bad filter is explained and the last good filter stays."""
        self._typing.stop()
        try:
            wanted = parse(self.field.text())
        except FilterError as error:
            self._complain(str(error)[:1].upper() + str(error)[1:])
            return False
        self._complain("")
        if wanted != self.query.filter:
            self._ask(dataclasses.replace(self.query, filter=wanted))
            self.filter_changed.emit(wanted.source)
        return True

    def choose(self, handles: Sequence[int]) -> None:
        """Select handles; a filter that hides them is taken away first."""
        arrangement = self.model.arrangement
        hidden = arrangement is not None and handles and self.model.holds(handles[0]) is None
        if hidden and self.query.filter.terms:
            self.set_filter("")
        self.table.choose(handles)

    def focus_filter(self) -> None:
        """Put the cursor into the filter field."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def sort_now(self) -> None:
        """Give arrivals their places."""
        self._arrange(held=False)

    # building -------------------------------------------------------------------------------------

    def _build_head(self) -> None:
        self.field = QLineEdit(self, placeholderText=FILTER_HINT, clearButtonEnabled=True)
        self.field.setAccessibleName("Filter of the handle table")
        self.field.setToolTip(FILTER_HELP)
        self._search_icon = QAction(self)
        self.field.addAction(self._search_icon, QLineEdit.ActionPosition.LeadingPosition)
        self._tombstones = QToolButton(self)
        self._tombstones.setCheckable(True)
        self._tombstones.setChecked(self.query.tombstones)
        self._tombstones.setAccessibleName("Show tombstones")
        self._tombstones.setToolTip("Show tombstones: the most recent dead handles stay readable")
        self._moment = QToolButton(self)
        self._moment.setText(f"{self.query.moment_secs:g} s")
        self._moment.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._moment.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._moment.setToolTip("How long new rows are green and dying rows red")
        self._moment.setAccessibleName("How long new and dying rows are marked")
        menu = QMenu(self._moment)
        for secs in MOMENTS_SECS:
            menu.addAction(f"{secs:g} s").triggered.connect(
                lambda _checked=False, secs=secs: self._set_moment(secs)
            )
        self._moment.setMenu(menu)
        self._counts = quiet_label("")
        self._counts.setObjectName("Number of handles")
        self._error = text_label("", self)
        self._error.setObjectName("Error in the filter")
        self._error.setProperty("alarm", True)
        self._error.hide()
        self._arrivals = QPushButton("", self)
        self._arrivals.setObjectName("Sort in")
        self._arrivals.setProperty("flat", True)
        self._arrivals.setToolTip("They stand at the end of their type: click to sort them in")
        policy = self._arrivals.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # or the table moves when it appears
        self._arrivals.setSizePolicy(policy)
        self._arrivals.hide()

    def _build_body(self) -> None:
        first = QHBoxLayout()
        first.setContentsMargins(8, 8, 8, 4)
        first.setSpacing(4)
        first.addWidget(self.field, 1)
        first.addWidget(self._tombstones)
        first.addWidget(self._moment)
        second = QHBoxLayout()
        second.setContentsMargins(12, 0, 8, 6)
        second.addWidget(self._error)
        second.addWidget(self._counts, 1)
        second.addWidget(self._arrivals)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addLayout(first)
        body.addLayout(second)
        body.addWidget(self.table, 1)
        self._build_empty()

    def _build_empty(self) -> None:
        """A sentence over the table's viewport, with the button that helps."""
        self._empty = QWidget(self.table.viewport())
        self._empty_text = quiet_label("", self._empty)
        self._empty_text.setObjectName("Why there is no row")
        self._empty_text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty_text.setWordWrap(True)
        self._empty_button = QPushButton("Clear filter", self._empty)
        layout = QVBoxLayout(self._empty)
        layout.addStretch(1)
        layout.addWidget(self._empty_text)
        layout.addWidget(self._empty_button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        over = QStackedLayout(self.table.viewport())
        over.addWidget(self._empty)

    def _connect(self) -> None:
        self._query_runner.arranged.connect(self._arranged)
        self._query_runner.failed.connect(self._complain)
        self._typing.timeout.connect(self.apply_filter)
        self.field.textEdited.connect(lambda _text: self._typing.start())
        self.field.textChanged.connect(lambda text: None if text else self._typing.start())
        self.field.returnPressed.connect(self._leave_field)
        self._tombstones.toggled.connect(
            lambda shown: self._ask(dataclasses.replace(self.query, tombstones=shown))
        )
        self._arrivals.clicked.connect(self.sort_now)
        self._empty_button.clicked.connect(lambda: self.set_filter(""))
        self.table.reading.connect(self._set_reading)
        self.table.handles_chosen.connect(self.handles_chosen)
        self.table.menu_wanted.connect(self._offer_filters)
        self.table.menu_wanted.connect(self.menu_wanted)
        header = self.table.horizontalHeader()
        header.setSortIndicator(section_of(self.query.column), Qt.SortOrder.DescendingOrder)
        header.sortIndicatorChanged.connect(self._sort_by)

    # inside ---------------------------------------------------------------------------------------

    def _set_moment(self, secs: float) -> None:
        self._moment.setText(f"{secs:g} s")
        self._ask(dataclasses.replace(self.query, moment_secs=secs), held=True)

    def _sort_by(self, section: int, order: Qt.SortOrder) -> None:
        descending = order == Qt.SortOrder.DescendingOrder
        self._ask(
            dataclasses.replace(
                self.query, column=TABLE_COLUMNS[section].key, descending=descending
            )
        )

    def _ask(self, query: Query, *, held: bool = False) -> None:
        self.query = query
        self._arrange(held=held)

    def _arrange(self, *, held: bool) -> None:
        if self._snapshot is not None:
            self._query_runner.request(self._snapshot, self.query, held=held)

    def _holds_order(self) -> bool:
        """Whether a person reads.

        The pointer is over the table, or a row is selected and the table has the focus.
        """
        return self._reading or bool(self.table.chosen and self.table.hasFocus())

    def _offer_filters(self, menu: QMenu) -> None:
        """Filters by the values of the current row."""
        row, snapshot = self.table.currentIndex().row(), self._snapshot
        group, source = self.model.group_of(row), self.model.source_row(row)
        if group is None or snapshot is None:
            return
        menu.addSeparator()
        menu.addAction(f"Only {group.name}", lambda: self.set_filter(f"type:{quoted(group.name)}"))
        if source < 0:
            return
        thread = snapshot.threads.get(int(snapshot.handles.created_threads[source]))
        site = snapshot.sites.get(int(snapshot.handles.created_sites[source]))
        if thread is not None:
            menu.addAction(
                f"Only thread {thread.search_name}", lambda: self.set_filter(filter_text(thread))
            )
        if site is not None and site.short():
            menu.addAction(
                f"Only site {site.short()}", lambda: self.set_filter(f"site:{quoted(site.short())}")
            )

    def _set_reading(self, reading: bool) -> None:
        self._reading = reading

    def _arranged(self, arrangement: Arrangement) -> None:
        if self._snapshot is None:
            return
        self.model.show(arrangement)
        self._show_counts(arrangement)

    def _show_counts(self, arrangement: Arrangement | None) -> None:
        shown = total = handles = objects = arrivals = 0
        if arrangement is not None:  # one without rows is an answer too
            shown, total, arrivals = (
                len(arrangement),
                len(arrangement.snapshot.handles),
                arrangement.arrivals,
            )
            handles, objects = (
                sum(g.handles for g in arrangement.groups),
                sum(g.objects for g in arrangement.groups),
            )
        text = f"{wording.plural(handles, 'live handle')} → {wording.plural(objects, 'object')}"
        if self.query.filter.terms:
            text += f"  ·  {shown:,} of {total:,} rows match"
        self._counts.setText(text)
        self._arrivals.setText(f"{wording.plural(arrivals, 'new row')} out of place: sort in")
        self._arrivals.setVisible(arrivals > 0)
        self._empty.setVisible(shown == 0)
        if shown == 0:
            filtered = bool(self.query.filter.terms) and total > 0
            self._empty_text.setText(
                "No row matches the filter" if filtered else self._why_empty(arrangement)
            )
            self._empty_button.setVisible(filtered)

    def _why_empty(self, arrangement: Arrangement | None) -> str:
        """Why there is no row, and which classes could be followed."""
        if arrangement is None:
            return ""
        lead = self._lead or Lead()
        return "\n\n".join(
            line
            for line in (why_empty(arrangement.snapshot), lead.headline, *lead.evidence)
            if line
        )

    def _complain(self, problem: str) -> None:
        self._error.setText(problem)
        self._error.setVisible(bool(problem))
        self._counts.setVisible(not problem)
        set_flag(self.field, "bad", on=bool(problem))

    def _leave_field(self) -> None:
        if self.apply_filter():
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
