"""Sentences that head a page or a ticket. Pure; any thread."""

from __future__ import annotations

import math
import time

from inspector.model.findings.finding import Verdict
from inspector.model.findings.judge import Report
from inspector.model.losses import losses_of, notes_of, refused_of
from inspector.model.snapshot import Snapshot
from inspector.model.wording import UNKNOWN_TEXT, clock, number


def headline(snapshot: Snapshot) -> str:
    """``app.py (4711) · live · CPython 3.11.7 · level history``."""
    target = snapshot.target
    state = f"{target.state}: {target.reason}" if target.reason else str(target.state)
    how = (
        "looked at from outside, read only (fallback)"
        if target.from_outside
        else f"level {target.level.name.lower()}"
    )
    return " · ".join(
        part for part in (f"{target.name} ({target.pid})", state, target.runtime, how) if part
    )


def moment(at: float) -> str:
    """``2026-11-30 14:03:20.500``, local time; ``–`` when unknown."""
    if math.isnan(at):
        return UNKNOWN_TEXT
    return f"{time.strftime('%Y-%m-%d', time.localtime(at))} {clock(at)}"


def losses(snapshot: Snapshot) -> list[str]:
    """The losses, refusals and unread parts: a sentence each."""
    lines = [
        f"{title}: " + ", ".join(f"{number(each.count)} {each.what}" for each in counted)
        for title, counted in (
            ("Lost", losses_of(snapshot.lost)),
            ("Refused", refused_of(snapshot.lost)),
            ("Note", notes_of(snapshot.lost)),
        )
        if counted
    ]
    return lines + [f"Note: {each}" for each in snapshot.notes]


def verdict_word(verdict: Verdict, muted: str) -> str:
    """The verdict for people."""
    return f"{verdict} (muted: {muted})" if muted else str(verdict)


def conclusion(report: Report | None) -> str:
    """The report in a sentence."""
    return "Nothing was judged" if report is None else report.conclusion()
