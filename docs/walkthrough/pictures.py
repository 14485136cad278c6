"""Makes the pictures of docs/walkthrough.md: the service of this folder, inspected step by step.

Run by ``./dev screenshots``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QWidget

from inspector.commands.support.offscreen import OffscreenWindow
from inspector.ui.panes.cycles.pane import CyclesPane
from inspector.ui.panes.detail.who_holds import WhoHolds
from inspector.ui.panes.flame.pane import FlamePane
from inspector.vocabulary import Level

FOLDER = Path(__file__).resolve().parent
GROWN = 160
STARTED = (
    "import runpy, sys; from inspector import agent; agent.start('stacks'); "
    "runpy.run_path(sys.argv[1], run_name='__main__')"
)
"""What ``arc-inspector run`` does, without its window."""


@contextmanager
def service() -> Iterator[int]:
    """The service under the agent; its process id."""
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
    command = [sys.executable, "-c", STARTED, str(FOLDER / "wallet_service.py")]
    with subprocess.Popen(  # noqa: S603 our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        if process.stdout is not None:
            process.stdout.readline()
        yield process.pid
        process.communicate(timeout=30)


def save(widget: QWidget, name: str, theme: str, width: int, height: int) -> None:
    """A pane alone, at a size that suits a page of text."""
    old = widget.size()
    widget.resize(width, height)
    path = FOLDER / f"{name}-{theme}.png"
    widget.grab().save(str(path))
    widget.resize(old)
    print(path)


def pictures(theme: str) -> None:
    """All of one theme."""
    with service() as pid, OffscreenWindow(theme=theme) as offscreen:
        offscreen.attach(pid)
        window, bench = offscreen.window, offscreen.window.workbench
        window.attachment.set_level(Level.STACKS)
        offscreen.wait(
            lambda: offscreen.snapshot is not None and offscreen.snapshot.live_count() > GROWN,
            "a grown table",
        )
        bench.open_pane("flame")
        offscreen.run_for(2500)
        save(window, "grows", theme, 1440, 900)
        save(bench.pane("flame", FlamePane), "by-site", theme, 900, 240)
        find_path(offscreen, theme)
        bench.open_pane("cycles")
        cycles = bench.pane("cycles", CyclesPane)
        cycles.look.click()
        offscreen.wait(
            lambda: "cycle" in cycles.note.text() and "objects looked at" in cycles.note.text(),
            "the cycles",
        )
        offscreen.run_for(300)
        save(cycles, "cycle", theme, 900, 380)


def find_path(offscreen: OffscreenWindow, theme: str) -> None:
    """The newest amount, and why it lives."""
    snapshot = offscreen.wait_settled()
    index = next(index for index, row in snapshot.types.items() if row.name == "Amount")
    newest = np.flatnonzero(snapshot.handles.types == index)[-1]
    bench = offscreen.window.workbench
    bench.choose(int(snapshot.handles.ids[newest]))
    offscreen.run_for(200)
    who = bench.detail.findChild(WhoHolds)
    if isinstance(who, WhoHolds):
        who.look()
        offscreen.wait(lambda: who.has_paths, "the paths")
    offscreen.run_for(300)
    save(bench.detail, "path", theme, 460, 620)


def main() -> None:
    """Both themes."""
    for theme in ("light", "dark"):
        pictures(theme)


if __name__ == "__main__":
    main()
