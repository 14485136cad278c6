"""One line on a terminal that follows a session, and the summary at its end."""

from __future__ import annotations

import threading
import time
from typing import Final, TextIO

from inspector.model.grouping import Query, arrange
from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot, TargetState, Vitals
from inspector.model.wording import age, plural
from inspector.plain_text import printable

REDRAW_SECS: Final = 0.25
_CLEAR: Final = "\r\x1b[K"


class LiveLine:
    """A ``SessionListener`` that keeps one line of a terminal up to date.

    Elsewhere it writes only the summary.
    """

    def __init__(self, out: TextIO) -> None:
        """``out`` gets the line and the summary."""
        self._out = out
        self._is_terminal = out.isatty()
        self._drawn_at = 0.0
        self._over = threading.Event()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Pump thread."""
        if snapshot.target.state in (TargetState.ENDED, TargetState.POST_MORTEM):
            self._over.set()
        now = time.monotonic()
        if self._is_terminal and now - self._drawn_at >= REDRAW_SECS:
            self._drawn_at = now
            self._out.write(_CLEAR + printable(live_text(snapshot)))
            self._out.flush()

    def on_vitals(self, vitals: Vitals) -> None:
        """Not used."""

    def wait_over(self) -> None:
        """Return when the target's last state was seen."""
        self._over.wait()

    def summarise(self, snapshot: Snapshot | None) -> None:
        """Replace the line by the summary."""
        if self._is_terminal:
            self._out.write(_CLEAR)
        for line in summary_lines(snapshot):
            self._out.write(printable(line) + "\n")
        self._out.flush()


def live_text(snapshot: Snapshot) -> str:
    """``app.py (4711): live · 1,204 handles · 2 pending closes``."""
    vitals = snapshot.vitals
    target = snapshot.target
    return (
        f"{target.name} ({target.pid}): {target.state} · {plural(vitals.live, 'handle')} · "
        f"{plural(vitals.pending, 'pending close')}"
    )


def summary_lines(snapshot: Snapshot | None) -> list[str]:
    """The handles that were left at the end, by type."""
    if snapshot is None:
        return ["arc-inspector: the program was never seen"]
    arranged = arrange(snapshot, Query(tombstones=False, moment_secs=0.0))
    lines = [
        (
            f"arc-inspector: {plural(len(arranged), 'handle')} alive at the end, "
            f"{plural(len(pending_closes(snapshot)), 'pending close')}"
        )
    ]
    for group in arranged.groups:
        oldest = age(snapshot.taken_at - group.oldest_at)
        lines.append(
            f"  {group.name}: {plural(group.handles, 'handle')} of "
            f"{plural(group.objects, 'object')}, oldest {oldest}"
        )
    return lines
