"""The Handles pane: filter, counts, and every live handle grouped by type."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QStackedWidget

from inspector.model import wording
from inspector.model.change_groups import GroupBy
from inspector.model.changes import ChangeRow, ChangeTable, RowKind
from inspector.model.columns import TABLE_COLUMNS, section_of
from inspector.model.filter import FilterError, parse, replaced
from inspector.model.findings.judge import why_empty
from inspector.model.findings.leads import Lead
from inspector.model.grouping import Arrangement, Query
from inspector.model.snapshot import Snapshot, Vitals
from inspector.model.window_state import Look
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.theme import Theme
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.handles.change_view import ChangeView
from inspector.ui.panes.handles.empty_note import EmptyNote
from inspector.ui.panes.handles.head import TableHead
from inspector.ui.panes.handles.model import HandleModel
from inspector.ui.panes.handles.query_runner import QueryRunner
from inspector.ui.panes.handles.row_menu import RowMenu
from inspector.ui.panes.handles.table import HandleTable
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.change_watch import ChangeWatch
from inspector.ui.session.findings_watch import FindingsWatch

MOST_KEPT: Final = 1_000
"""Selected handles that stay in sight when they die."""


class HandlesPane(PaneBase):
    """Assembles filter, table and the sentences for when there is nothing to show."""

    handles_chosen = Signal(object)
    """``tuple[int, ...]``: selection changed; GUI thread."""
    filter_changed = Signal(str)
    """The filter in force is another one now: its source."""
    menu_wanted = Signal(object)
    """``QMenu`` for the selection; the window adds its actions."""

    row_chosen = Signal(object)
    """``ChangeRow`` that was selected."""
    row_opened = Signal(object)
    """``ChangeRow`` whose holders a person asked for."""
    follow_wanted = Signal(str)
    """The module whose classes are to be followed."""
    changed = Signal(object)
    """``ChangeTable`` that is shown now, or ``None``."""

    def __init__(
        self,
        theme: Theme,
        runner: BackgroundRunner,
        watch: ChangeWatch | None = None,
        colors: TypeColors | None = None,
    ) -> None:
        """Empty; ``runner`` sorts large tables.

        Without ``watch`` there is the table of handles alone.
        """
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        colors = colors or TypeColors()
        self._watch = watch
        self.model = HandleModel(self)
        self.table = HandleTable(theme, self.model, colors, self)
        self.changes = ChangeView(theme, colors, self)
        self.query = Query(tombstones=False)
        self.grouping = GroupBy.NONE if watch is None else GroupBy.TYPE
        self._snapshot: Snapshot | None = None
        self._lead, self._can_follow = Lead(), False
        self._reading = False
        self._query_runner = QueryRunner(runner, self)
        self._head = TableHead(self, moment_secs=self.query.moment_secs)
        self.field = self._head.field
        self._build_body()
        self._connect()
        self.set_theme(theme)
        self.group_by(self.grouping)

    # calls from other parts -----------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a newer snapshot; rows keep their order while a person reads."""
        self._snapshot = snapshot
        self._arrange(held=self._holds_order())

    def show_lead(self, lead: Lead | None, *, can_follow: bool = False) -> None:
        """Say in the empty table which classes are not followed; ``None``: not known."""
        self._lead, self._can_follow = lead or Lead(), can_follow
        self._show_counts(self.model.arrangement)

    def hear(self, findings: FindingsWatch) -> None:
        """Show the leads of the watch, and have it follow a library."""
        findings.coverage_changed.connect(
            lambda told: self.show_lead(told.lead, can_follow=findings.can_follow)
        )
        self.follow_wanted.connect(findings.follow)

    def show_vitals(self, vitals: Vitals) -> None:
        """Take newer counters for the groups' rates."""
        self.model.add_vitals(vitals)

    def set_paused(self, paused: bool) -> None:
        """Let the groups' rates stand still, or move again."""
        self.model.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        for part in (self.table, self.changes, self._head):
            part.set_theme(theme)

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

    def restore(self, look: Look) -> None:
        """Filter, grouping, order and unfolded rows of a file; an unknown filter is left out."""
        self.table.choose(())
        self._ask(dataclasses.replace(self.query, tombstones=look.shows_dead))
        self.changes.unfold(frozenset(look.opened))
        self.changes.show_order(look.column, descending=look.descending)
        self._ask_changes(
            column=look.column,
            descending=look.descending,
            shows_dead=look.shows_dead,
            opened=frozenset(look.opened),
        )
        self._head.set_dead(shown=look.shows_dead)
        self.group_by(look.group_by)
        self.set_filter(look.filter)

    def narrow(self, key: str, term: str) -> None:
        """Filter by ``term`` instead of the filter's terms about ``key``; its other terms stay."""
        self.set_filter(replaced(self.query.filter.source, key, term))

    def apply_filter(self) -> bool:
        """Use the filter in the field; a bad filter is explained and the last good filter stays."""
        self._head.settle()
        try:
            wanted = parse(self.field.text())
        except FilterError as error:
            self._complain(str(error)[:1].upper() + str(error)[1:])
            return False
        self._complain("")
        if wanted != self.query.filter:
            if wanted.names_tombstones():
                self.group_by(GroupBy.NONE)
            self._ask(dataclasses.replace(self.query, filter=wanted))
            self._ask_changes(filter=wanted)
            self.filter_changed.emit(wanted.source)
        return True

    def group_by(self, grouping: GroupBy) -> None:
        """Group the rows by something else; *None* lists the handles."""
        self.grouping = grouping
        self._head.groups.show_value(grouping)
        lists_handles = grouping is GroupBy.NONE
        self._rows.setCurrentWidget(self.table if lists_handles else self.changes)
        self._head.show_rows(of_handles=lists_handles)
        if lists_handles:
            self._arrange(held=False)
        else:
            self._ask_changes(group_by=grouping)
        self._show_counts(self.model.arrangement)

    def focus_rows(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Give the keyboard to the table that is shown."""
        shown = self.table if self.grouping is GroupBy.NONE else self.changes
        shown.setFocus(reason)

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

    def _build_body(self) -> None:
        self._rows = QStackedWidget()
        self._rows.addWidget(self.changes)
        self._rows.addWidget(self.table)
        body = flush_column(self)
        body.addWidget(self._head)
        body.addWidget(self._rows, 1)
        self._note = EmptyNote(self.changes.viewport())

    def _connect(self) -> None:
        self._query_runner.arranged.connect(self._arranged)
        self._query_runner.failed.connect(self._complain)
        head = self._head
        head.filter_typed.connect(self.apply_filter)
        head.filter_left.connect(self._leave_field)
        head.tombstones_wanted.connect(self._show_tombstones)
        head.moment_wanted.connect(self._set_moment)
        head.sort_wanted.connect(self.sort_now)
        head.groups.chosen.connect(self.group_by)
        self._note.clear_wanted.connect(lambda: self.set_filter(""))
        self._note.follow_wanted.connect(self.follow_wanted)
        self.table.reading.connect(self._set_reading)
        self.table.handles_chosen.connect(self._keep_selected)
        self.table.handles_chosen.connect(self.handles_chosen)
        for view in (self.table, self.changes):
            view.menu_wanted.connect(self._offer_filters)
            view.menu_wanted.connect(self.menu_wanted)
        self.changes.row_chosen.connect(self._row_chosen)
        self.changes.row_opened.connect(self._row_opened)
        self.changes.sort_wanted.connect(self._sort_changes)
        self.changes.opened_changed.connect(self._open_lines)
        header = self.table.horizontalHeader()
        header.setSortIndicator(section_of(self.query.column), Qt.SortOrder.DescendingOrder)
        header.sortIndicatorChanged.connect(self._sort_by)
        if self._watch is not None:
            self._watch.table_changed.connect(self._show_changes)

    # inside ---------------------------------------------------------------------------------------

    def _set_moment(self, secs: float) -> None:
        self._head.show_moment(secs)
        self._ask(dataclasses.replace(self.query, moment_secs=secs), held=True)

    def _show_tombstones(self, shown: bool) -> None:
        self._ask(dataclasses.replace(self.query, tombstones=shown))
        self._ask_changes(shows_dead=shown)

    def _sort_changes(self, column: str, descending: bool) -> None:
        self._ask_changes(column=column, descending=descending)

    def _open_lines(self, keys: frozenset[str]) -> None:
        self._ask_changes(opened=keys)

    def _ask_changes(self, **wanted: Any) -> None:
        if self._watch is not None:
            self._watch.ask(dataclasses.replace(self._watch.query, **wanted))

    def _show_changes(self, table: ChangeTable | None) -> None:
        self.changes.show_table(table)
        if self.grouping is not GroupBy.NONE:
            self._head.show_dead(table.dead if table is not None else 0)
            self._show_counts(self.model.arrangement)
        self.changed.emit(table)

    def _row_chosen(self, row: ChangeRow) -> None:
        self.table.choose((row.handle,) if row.handle else ())
        self.row_chosen.emit(row)

    def _row_opened(self, row: ChangeRow) -> None:
        if row.kind is RowKind.MORE:
            parent = self.changes.changes.table
            above = parent.row(row.key.rpartition("/")[0]) if parent is not None else None
            self.group_by(GroupBy.NONE)
            self.set_filter(above.filter if above is not None else "")
            return
        self.row_opened.emit(row)

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
        if self._snapshot is not None and self.grouping is GroupBy.NONE:
            self._query_runner.request(self._snapshot, self.query, held=held)

    def _holds_order(self) -> bool:
        """Whether a person reads.

        The pointer is over the table, or a row is selected and the table has the focus.
        """
        return self._reading or bool(self.table.chosen and self.table.hasFocus())

    def _offer_filters(self, menu: QMenu) -> None:
        """Filters by the values of the current row."""
        menu.addSeparator()
        offers = RowMenu(menu, self.set_filter, self._exclude, self.line_wanted.emit)
        if self._snapshot is None:
            return
        if self.grouping is not GroupBy.NONE:
            if self.changes.chosen is not None:
                offers.offer_change(self._snapshot, self.changes.chosen)
            return
        row = self.table.currentIndex().row()
        group = self.model.group_of(row)
        if group is not None:
            offers.offer_handle(self._snapshot, group.name, self.model.source_row(row))

    def _exclude(self, term: str) -> None:
        self.set_filter(f"{self.query.filter.source} -{term}".strip())

    def _keep_selected(self, handles: tuple[int, ...]) -> None:
        self.query = dataclasses.replace(self.query, selected=handles[:MOST_KEPT])

    def _set_reading(self, reading: bool) -> None:
        self._reading = reading

    def _arranged(self, arrangement: Arrangement) -> None:
        if self._snapshot is None:
            return
        self.model.show(arrangement)
        self._show_counts(arrangement)

    def _show_counts(self, arrangement: Arrangement | None) -> None:
        if self.grouping is not GroupBy.NONE:
            self._show_change_counts()
            return
        shown = total = handles = objects = arrivals = dead = 0
        if arrangement is not None:  # one without rows is an answer too
            snapshot = arrangement.snapshot
            shown, total, arrivals = len(arrangement), len(snapshot.handles), arrangement.arrivals
            handles = sum(g.handles for g in arrangement.groups)
            objects = sum(g.objects for g in arrangement.groups)
            dead = total - snapshot.live_count()
        text = f"{wording.plural(handles, 'live handle')} → {wording.plural(objects, 'object')}"
        if self.query.filter.terms:
            text += f"  ·  {shown:,} of {total:,} rows match"
        self._head.show_counts(text, arrivals=arrivals)
        self._head.show_dead(dead)
        filtered = bool(self.query.filter.terms) and total > 0
        self._say_empty(
            ""
            if shown
            else "No row matches the filter"
            if filtered
            else self._why_empty(None if arrangement is None else arrangement.snapshot),
            is_empty=shown == 0,
            filtered=filtered,
        )

    def _show_change_counts(self) -> None:
        table = self.changes.changes.table
        filtered = bool(self.query.filter.terms)
        text = f"{wording.plural(table.live, 'live handle')} match" if table and filtered else ""
        self._head.show_counts(text, arrivals=0)
        is_empty = table is not None and not table.rows
        self._say_empty(
            "No row matches the filter" if filtered else self._why_empty(self._snapshot),
            is_empty=is_empty,
            filtered=filtered,
        )

    def _say_empty(self, text: str, *, is_empty: bool, filtered: bool) -> None:
        shown = self.table if self.grouping is GroupBy.NONE else self.changes
        self._note.lie_over(shown.viewport())
        first = self._lead.first
        module = first.module if first is not None and self._can_follow else ""
        self._note.say(text, is_empty=is_empty, filtered=filtered, module=module)

    def _why_empty(self, snapshot: Snapshot | None) -> str:
        """Why there is no row, and which classes could be followed."""
        if snapshot is None:
            return ""
        lines = (why_empty(snapshot), self._lead.headline, *self._lead.evidence)
        return "\n\n".join(line for line in lines if line)

    def _complain(self, problem: str) -> None:
        self._head.show_error(problem)

    def _leave_field(self) -> None:
        if self.apply_filter():
            self.focus_rows(Qt.FocusReason.OtherFocusReason)
