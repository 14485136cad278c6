"""The steps of the tour of the demo: growing types, stuck closes, holders, and remedies.

GUI thread.
"""

from __future__ import annotations

import numpy as np

from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.ui.session.attachment import Attachment
from inspector.ui.shell.toolbar import ToolBar
from inspector.ui.shell.tour import TourStep
from inspector.ui.shell.verdict.strip import VerdictStrip
from inspector.ui.shell.workbench import Workbench

OLD = "type:TodoItem age>5s"
"""The planners let theirs go after a second or two."""


def demo_steps(
    bench: Workbench, signs: VerdictStrip, toolbar: ToolBar, attachment: Attachment
) -> tuple[TourStep, ...]:
    """Each step shows the part of the window that it explains."""
    return (
        TourStep(
            "Is something growing?",
            "Handles that live now, how many are born and die a second, and closes that wait. "
            "Every number is a door: click it. "
            "Births outrun deaths here, so something is kept.",
            lambda: signs,
        ),
        TourStep(
            "What grows, and since when",
            "Live handles by type above, births and deaths below. TodoItem grows and never "
            "shrinks. Drag over a stretch of time to see "
            "the handles that were born then and still live; a double click returns to now.",
            lambda: bench.timeline,
            lambda: bench.open_pane("timeline"),
        ),
        TourStep(
            "Find the old ones",
            f"The filter is set to  {OLD}  now: items that no code released, though lists live "
            "for a second or two. The site column names "
            "the line that made them. Click a row, or press Enter on it.",
            lambda: bench.handles,
            lambda: bench.handles.set_filter(OLD),
        ),
        TourStep(
            "Who holds it?",
            "The strong count, split by holder: Python proxies, calls in flight, native "
            "references, and references that are not explained. "
            "Each part leads on.",
            lambda: bench.detail,
            lambda: _choose_oldest(bench, attachment.shown),
        ),
        TourStep(
            "Is something stuck?",
            "Closes that were asked for and have not run, each with its reason: one"
            " close waits for a call, another for the thread that owns it.",
            lambda: bench.pending,
            lambda: _show_pending(bench, attachment.shown),
        ),
        TourStep(
            "Do something about it",
            "Force GC and Close are off until you switch the actions on. "
            "Then a close shows first the holders of the resource and "
            "the objects that have to go before it; a collection lists the freed objects. "
            "Press S for a picture with all data inside, Ctrl+K for every command.",
            lambda: toolbar,
        ),
    )


def take_filter_away(bench: Workbench) -> None:
    """The tour was left: its filter goes with it, a filter of the person's own stays."""
    if bench.handles.query.filter.source == OLD:
        bench.handles.set_filter("")


def _choose_oldest(bench: Workbench, snapshot: Snapshot | None) -> None:
    """The oldest row that the filter shows, else the oldest that lives."""
    if snapshot is None:
        return
    handles = snapshot.handles
    living = alive(handles)
    found = bench.handles.query.filter.mask(snapshot) & living
    rows = np.flatnonzero(found if found.any() else living)
    if len(rows):
        bench.choose(int(handles.ids[rows[np.argmin(handles.created_at[rows])]]))


def _show_pending(bench: Workbench, snapshot: Snapshot | None) -> None:
    bench.handles.set_filter("")
    bench.open_pane("pending")
    closes = pending_closes(snapshot) if snapshot is not None else ()
    if len(closes) and snapshot is not None:
        bench.choose(int(pending_closes(snapshot).ids[0]))
