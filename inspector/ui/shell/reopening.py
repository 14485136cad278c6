"""The state of the window for a screenshot, and back into a window that opens one. GUI thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from inspector.model.changes import ChangeTable
from inspector.model.holders import Retainers
from inspector.model.snapshot import Snapshot
from inspector.model.window_state import FoundHolders, Look, WindowState, saved_report
from inspector.ui.panes.cycles.pane import CyclesPane
from inspector.ui.session.attachment import Attachment
from inspector.ui.shell.pane_list import PaneParts
from inspector.ui.shell.workbench import Workbench

MOST_SELECTED = 1_000
"""Selected handles that a file names."""


class Reopening(QObject):
    """Make it after the panes: they forget the session before, and then take the file's state."""

    counters_restored = Signal(object)
    """``Snapshot`` that is shown: the counters before it are known now."""

    def __init__(self, workbench: Workbench, attachment: Attachment, parts: PaneParts) -> None:
        """Watches for sessions over screenshots."""
        super().__init__(workbench)
        self._workbench = workbench
        self._attachment = attachment
        self._parts = parts
        self._awaited: WindowState | None = None
        """The state that the panes take with the first snapshot."""
        self._selects: Look | None = None
        """The selection that waits for the first table."""
        attachment.began.connect(self._begin)
        attachment.snapshot_shown.connect(self._shown)
        workbench.handles.changed.connect(self._table_shown)

    # saving ---------------------------------------------------------------------------------------

    def state(self) -> WindowState:
        """The state of the window now; the arrays are shared, which takes no time."""
        parts, workbench = self._parts, self._workbench
        trends, plain = parts.changes.observed()
        history = workbench.timeline.history
        return WindowState(
            look=self._look(),
            readings=history.readings() if len(history) else None,
            lines=tuple(history.marks),
            attached=parts.marks.attached,
            marks=parts.marks.marks,
            report=saved_report(parts.findings.shown),
            lead=parts.findings.lead,
            holders=self._holders(),
            stacks=parts.stacks.reading,
            cycles=workbench.pane("cycles", CyclesPane).report,
            trends=trends,
            plain=plain,
            events=parts.feed.events,
        )

    def _look(self) -> Look:
        handles, query = self._workbench.handles, self._parts.changes.query
        chosen, drawer = handles.changes.chosen, self._workbench.drawer
        is_open = self._workbench.side.is_open
        return Look(
            filter=handles.query.filter.source,
            group_by=handles.grouping,
            column=query.column,
            descending=query.descending,
            shows_dead=query.shows_dead,
            opened=handles.changes.unfolded(),
            row=chosen.key if chosen is not None and is_open else "",
            handles=handles.table.chosen[:MOST_SELECTED],
            pane=drawer.current if drawer.is_open else "",
            is_count=self._workbench.timeline.is_count,
            baseline=self._parts.marks.baseline_place,
            compared=tuple(
                place
                for place, mark in enumerate(self._parts.marks.marks)
                if any(mark is each for each in self._workbench.marks.chosen)
            ),
        )

    def _holders(self) -> tuple[FoundHolders, ...]:
        rows = self._workbench.line.known
        return (
            *(
                FoundHolders(row, handle, found)
                for row, known in rows.items()
                for handle, found in known.items()
            ),
            *(
                FoundHolders("", handle, found)
                for handle, found in self._workbench.detail.who.found.items()
            ),
        )

    # opening --------------------------------------------------------------------------------------

    def _begin(self) -> None:
        state = self._attachment.pictured
        self._awaited, self._selects = state, None
        self._workbench.detail.who.restore({})
        if state is None:
            return
        parts, look = self._parts, state.look
        parts.marks.restore(state.attached, state.marks, look.baseline)
        if state.report is not None:
            parts.findings.restore(state.report.report(), state.lead)
        self._workbench.handles.restore(look)
        parts.changes.restore(state)
        self._restore_holders(state.holders)

    def _shown(self, snapshot: Snapshot) -> None:
        """The panes show the file's snapshot: they take the rest of it."""
        state, self._awaited = self._awaited, None
        if state is None:
            return
        look, workbench = state.look, self._workbench
        if state.readings is not None:
            workbench.timeline.restore(state.readings, state.lines)
            self.counters_restored.emit(snapshot)
        workbench.timeline.set_mode(look.is_count)
        if snapshot.is_past:
            workbench.timeline.show_moment(snapshot.taken_at)
        self._parts.marks.announce()
        self._parts.findings.announce()
        self._parts.stacks.restore(state.stacks)
        if len(state.events):
            self._parts.feed.refresh()
        if state.cycles is not None:
            workbench.pane("cycles", CyclesPane).show_report(state.cycles)
        if look.pane in workbench.drawer.keys:
            workbench.drawer.open_pane(look.pane)
        workbench.marks.choose([state.marks[place] for place in look.compared])
        self._selects = look
        if look.handles:
            workbench.choose(look.handles[0])
            workbench.handles.table.choose(look.handles)

    def _table_shown(self, table: ChangeTable | None) -> None:
        """Select the row once it is there."""
        look = self._selects
        if look is None or table is None:
            return
        self._selects = None
        row = table.row(look.row) if look.row else None
        if row is not None:
            self._workbench.handles.changes.choose(look.row)
            self._workbench.show_row(row)

    def _restore_holders(self, found: tuple[FoundHolders, ...]) -> None:
        rows: dict[str, dict[int, Retainers]] = {}
        for each in found:
            if each.row:
                rows.setdefault(each.row, {})[each.handle] = each.retainers
        self._workbench.line.restore(rows)
        alone = {each.handle: each.retainers for each in found if not each.row}
        self._workbench.detail.who.restore(alone)
