"""``arc-inspector demo``: the sample target and the window on it.

Without a display the main job, step by step, in pictures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from inspector.commands.support.output import flush_output, say
from inspector.commands.support.window import has_display, open_window
from inspector.model.filter import quoted
from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Reference, Resource, handle_text

if TYPE_CHECKING:
    from inspector.commands.support.offscreen import OffscreenWindow  # imports Qt
    from inspector.ui.shell.workbench import Workbench


def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FOLDER",
            help="Folder for the pictures that are saved without a display.",
        ),
    ] = None,
) -> None:
    """Start the sample target and inspect it; without a display save pictures of the main job."""
    if has_display():
        raise typer.Exit(open_window(demo=True))
    folder = output or Path(tempfile.mkdtemp(prefix="arc-inspector-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    say("There is no display, so the demo runs without a window and saves pictures")
    flush_output()
    run_offscreen(folder)
    say(f"Pictures are in {folder}; each opens with its data: arc-inspector open FILE")


def run_offscreen(folder: Path) -> None:
    """Do the main job once: look, find the leak, see a pending close, collect, close, save.

    Prints a line for each step.
    """
    from inspector.commands.support.offscreen import OffscreenWindow, use_offscreen

    use_offscreen()
    with OffscreenWindow() as window:
        tour = Tour(window, folder)
        for step in (
            tour.look,
            tour.find_leak,
            tour.see_pending,
            tour.collect,
            tour.close_resource,
        ):
            step()


class Tour:
    """The steps, each with its picture."""

    def __init__(self, window: OffscreenWindow, folder: Path) -> None:
        """Starts nothing yet."""
        self._offscreen = window
        self._folder = folder
        self._pictures = 0

    def look(self) -> None:
        """Attach, and let the timeline grow a little."""
        self._offscreen.start_demo()
        snapshot = self._offscreen.wait_settled()
        self._offscreen.run_for(3000)
        self._save(
            "overview",
            (
                f"{snapshot.target.name} ({snapshot.target.pid}): "
                f"{self._now().live_count():,} live handles"
            ),
        )

    def find_leak(self) -> None:
        """Old rows of the type that has most of them, and the first of them in detail."""
        snapshot = self._now()
        leaked = most_common_site(snapshot)
        if leaked is None:
            return
        type_name, row, count = leaked
        self._bench.handles.set_filter(f"type:{quoted(type_name)}")
        self._bench.choose(int(snapshot.handles.ids[row]))
        self._offscreen.run_for(400)
        site = snapshot.sites.get(int(snapshot.handles.created_sites[row]))
        where = site.short() if site else "an unknown place"
        self._save("leak", f"{count:,} handles of {type_name} live on, created at {where}")

    def see_pending(self) -> None:
        """A close that waits, and what for."""
        self._bench.handles.set_filter("")
        self._offscreen.wait(lambda: len(pending_closes(self._now())) > 0, "a pending close")
        closes = pending_closes(self._now())
        self._bench.open_pane("pending")
        self._bench.choose(int(closes.ids[0]))
        self._offscreen.run_for(400)
        self._save(
            "pending",
            (
                f"{handle_text(int(closes.ids[0]))} ({closes.type_name(0)}) does "
                f"not close: {closes.reason(0)}"
            ),
        )

    def collect(self) -> None:
        """Force a collection."""
        self._act(self._offscreen.window.target_actions.force_gc)
        self._save("collected", self._offscreen.said)

    def close_resource(self) -> None:
        """Close one open resource that nothing else holds."""
        acting = self._offscreen.window.target_actions
        handle = closable_handle(self._now())
        if handle is None:
            return
        self._bench.choose(handle)
        self._act(lambda: acting.close_handles((handle,), although_held=True))
        self._save("closed", f"{handle_text(handle)}: {self._offscreen.said}")

    @property
    def _bench(self) -> Workbench:
        return self._offscreen.window.workbench

    def _now(self) -> Snapshot:
        snapshot = self._offscreen.snapshot
        assert snapshot is not None  # noqa: S101 - ``look`` waited for it
        return snapshot

    def _act(self, action: Callable[[], None]) -> None:
        attachment = self._offscreen.window.attachment
        self._offscreen.wait(lambda: attachment.situation.can.act, "the target's control socket")
        attachment.set_armed(True)
        action()
        self._offscreen.wait(lambda: not attachment.situation.busy, "the target's answer")
        self._offscreen.run_for(400)

    def _save(self, name: str, line: str) -> None:
        self._pictures += 1
        path = self._folder / f"{self._pictures}-{name}.png"
        self._offscreen.save(path)
        say(f"{self._pictures}. {line}")
        say(f"   {path}")
        flush_output()


def most_common_site(snapshot: Snapshot) -> tuple[str, int, int] | None:
    """The stack that made most of the handles that live: type name, oldest row, rows.

    ``None`` when no site was recorded.
    """
    handles = snapshot.handles
    live = np.flatnonzero((handles.references == Reference.LIVE) & (handles.created_sites > 0))
    if not len(live):
        return None
    site = int(np.bincount(handles.created_sites[live]).argmax())
    rows = live[handles.created_sites[live] == site]
    oldest = int(rows[np.argmin(handles.created_at[rows])])
    found = snapshot.types.get(int(handles.types[oldest]))
    return (found.name if found else "", oldest, len(rows))


def closable_handle(snapshot: Snapshot) -> int | None:
    """The youngest live handle of an open resource without calls in flight.

    ``None`` when there is none.
    """
    handles = snapshot.handles
    rows = np.flatnonzero(
        (handles.references == Reference.LIVE)
        & (handles.resources == Resource.OPEN)
        & (handles.in_flight <= 0)
    )
    return int(handles.ids[rows[np.argmax(handles.created_at[rows])]]) if len(rows) else None
