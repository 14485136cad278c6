"""Sentences of the Marks pane about marks and comparisons."""

from __future__ import annotations

from inspector.model.diff import Diff
from inspector.model.marks import MarkedState
from inspector.model.snapshot import UNKNOWN
from inspector.model.wording import clock, number, plural, signed


def mark_text(mark: MarkedState) -> str:
    """A line of the list of marks: name, time, live handles."""
    return f"{mark.name}  ·  {clock(mark.at)[:-4]}  ·  {number(len(mark))} live"


def mark_tooltip(mark: MarkedState) -> str:
    """The same in words; for a mark set later, the facts that it lacks."""
    lines = [f"{plural(len(mark), 'handle')} lived at {clock(mark.at)}"]
    if mark.is_later:
        missing = (
            "how many is not known"
            if mark.missing_at_most == UNKNOWN
            else f"at most {number(mark.missing_at_most)}"
        )
        lines.append(
            "Set later: counts are not known, and handles whose tombstones are gone "
            f"are missing ({missing})"
        )
    return "\n".join(lines)


def sum_text(found: Diff) -> str:
    """The sum over all lines of a comparison."""
    total = found.total()
    names = f"{found.before.name} → {found.after.name}"
    net = f"+{total.net:,}" if total.net > 0 else signed(total.net)
    if not found.is_same_process:
        return f"{names}: {net}, of two processes"
    return (
        f"{names}: {net}, {number(total.born)} born, {number(total.dead)} dead, "
        f"{number(total.survived)} survived{missing_text(found)}"
    )


def missing_text(found: Diff) -> str:
    """The handles that later marks may lack."""
    missing = [mark.missing_at_most for mark in (found.before, found.after) if mark.is_later]
    if UNKNOWN in missing:
        return "; dead handles may be missing"
    return f"; up to {number(max(missing))} dead missing" if any(missing) else ""
