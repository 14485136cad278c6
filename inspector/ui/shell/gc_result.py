"""The effect of a forced collection, as figures that lead on.

Pure but for the doors; GUI thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inspector.model.wording import UNKNOWN_TEXT, duration
from inspector.session.protocol import GcReport
from inspector.ui.kit.banner import Banner
from inspector.ui.kit.figures import Figure
from inspector.ui.session.answer_texts import freed_nothing, gc_sentence
from inspector.ui.shell.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Doors:
    """The targets of the figures."""

    released: Callable[[], None]
    """To the handles that died."""
    pending: Callable[[], None]
    """To the pending closes."""


def gc_figures(report: GcReport, doors: Doors) -> tuple[Figure, ...]:
    """Collected, released, queued, still pending, taken.

    Uncollectable objects only when there are some.
    """
    released = doors.released if report.handles_released else None
    queued, waiting = (
        doors.pending if count else None for count in (report.closes_queued, report.still_pending)
    )
    figures = (
        Figure(
            UNKNOWN_TEXT if report.collected is None else f"{report.collected:,}",
            "collected",
            None,
            ("Objects of the runtime that the collection freed; –: it does not say"),
        ),
        Figure(
            f"{report.handles_released:,}",
            "handles released",
            released,
            "Handles whose proxies went with it",
        ),
        Figure(
            f"{report.closes_queued:,}",
            "closes queued",
            queued,
            ("Closes that finalisers asked for"),
        ),
        Figure(
            f"{report.still_pending:,}",
            "still pending",
            waiting,
            ("Closes of this target that have not run"),
        ),
        Figure(
            duration(report.took_secs),
            "taken",
            None,
            ("How long the collection held the interpreter"),
        ),
    )
    stuck = Figure(
        f"{report.uncollectable:,}",
        "cannot be collected",
        None,
        "Garbage that the collector found and could not free",
    )
    return (*figures, stuck) if report.uncollectable else figures


def show_collection(banner: Banner, workbench: Workbench, report: GcReport) -> None:
    """Show the effect of a forced collection, as numbers that lead to the rows."""
    if freed_nothing(report):
        banner.say(gc_sentence(report))
        return
    doors = Doors(
        released=lambda: workbench.handles.set_filter("state:released,dropped"),
        pending=lambda: workbench.open_pane("pending"),
    )
    banner.tell_figures("Forced collection", gc_figures(report, doors), text=gc_sentence(report))
