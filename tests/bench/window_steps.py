"""A viewer with a window in memory, stepped by lines of stdin.

Steps: ``attach PID`` (answers the milliseconds to the first painted table), ``begin`` and ``take``
(what happened between them: snapshots, frames of the timeline, stalls), ``count`` and ``counted``
(the same without the watch for stalls, which costs some CPU), ``pane KEY``, ``panes``, ``rows``,
``sort``, ``filter TEXT``, ``minimise``, ``hide``, ``show``, ``screenshot PATH``, ``mark``,
``detach``, ``said``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QCoreApplication, QEventLoop, QSocketNotifier

from inspector.commands.support.offscreen import OffscreenWindow
from inspector.model.change_groups import GroupBy
from inspector.ui.kit.pane_base import is_seen
from inspector.ui.shell.pane_list import PANES
from tests.bench.stalls import StallWatch


class Viewer:
    """The window, and the steps by their names."""

    def __init__(self, offscreen: OffscreenWindow) -> None:
        """Counts nothing yet."""
        self._offscreen = offscreen
        self.window = offscreen.window
        self._watch = StallWatch()
        self._snapshots = self._frames = self._rows = 0
        self._began_at = 0.0
        self.window.attachment.snapshot_seen.connect(self._note_snapshot)
        self.window.workbench.timeline.plot.painted.connect(self._note_frame)

    def attach(self, pid: str) -> float:
        """Answers at the first painted table, in milliseconds since the request."""
        handles, began = self.window.workbench.handles, time.perf_counter()
        self._offscreen.attach(int(pid))
        self._offscreen.wait(self._is_shown, "the first snapshot", 120)
        handles.changes.viewport().repaint()
        return (time.perf_counter() - began) * 1000

    def _is_shown(self) -> bool:
        """Whether a snapshot is on screen, with its table where that is in front."""
        handles = self.window.workbench.handles
        return self._offscreen.snapshot is not None and (
            handles.changes.changes.rowCount() > 0 or not is_seen(handles)
        )

    def count(self) -> None:
        self._snapshots = self._frames = 0
        self._began_at = time.perf_counter()

    def counted(self) -> dict[str, float]:
        secs = time.perf_counter() - self._began_at
        return {
            "rows": self._rows,
            "snapshots_a_sec": self._snapshots / secs,
            "frames_a_sec": self._frames / secs,
        }

    def begin(self) -> None:
        self.count()
        self._watch.begin()

    def take(self) -> dict[str, Any]:
        stalls = self._watch.take()
        return {
            **self.counted(),
            "longest_ms": stalls.longest_secs * 1000,
            "long": stalls.long,
            "beats": stalls.beats,
            "worked_ms": stalls.worked_secs * 1000,
            "waited_ms": stalls.waited_secs * 1000,
            "causes": [(round(secs * 1000, 1), stack) for secs, stack in stalls.causes],
        }

    def pane(self, key: str) -> None:
        self.window.workbench.open_pane(key)

    def panes(self) -> list[str]:
        return [spec.key for spec in PANES]

    def rows(self) -> None:
        """Show the list of handles in place of the table of change."""
        self.window.workbench.handles.group_by(GroupBy.NONE)

    def sort(self) -> None:
        self.window.workbench.handles.sort_now()

    def filter(self, *words: str) -> None:
        self.window.workbench.handles.set_filter(" ".join(words))

    def minimise(self) -> None:
        self.window.showMinimized()

    def hide(self) -> None:
        self.window.hide()

    def show(self) -> None:
        self.window.showNormal()

    def screenshot(self, path: str) -> None:
        self.window.save_screenshot(Path(path))

    def mark(self) -> None:
        self.window.marks.mark_now()

    def detach(self) -> None:
        self.window.attachment.detach()

    def said(self) -> str:
        return self._offscreen.said

    def _note_snapshot(self, snapshot: Any) -> None:
        self._snapshots += 1
        self._rows = len(snapshot.handles)

    def _note_frame(self, _frame: Any) -> None:
        self._frames += 1


def serve(viewer: Viewer) -> None:
    """Run a step for each line, between the window's own work, until stdin closes."""
    ended = QEventLoop()
    unread = b""

    def read() -> None:
        nonlocal unread
        data = os.read(0, 65536)
        if not data:
            ended.quit()
            return
        *lines, unread = (unread + data).split(b"\n")
        for line in lines:
            name, *words = line.decode().split()
            answer = getattr(viewer, name)(*words)
            print(name if answer is None else f"{name} {json.dumps(answer)}", flush=True)

    notifier = QSocketNotifier(0, QSocketNotifier.Type.Read, QCoreApplication.instance())
    notifier.activated.connect(read)
    print("ready {}", flush=True)
    ended.exec()


if __name__ == "__main__":
    with OffscreenWindow() as offscreen:
        serve(Viewer(offscreen))
    sys.exit(0)
