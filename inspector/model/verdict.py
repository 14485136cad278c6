"""The verdict: growing types and stuck closes, each as the parts of one line.

Pure; any thread. The sentences name the type, the rate, the line and the thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.changes import NO_LINE, ChangeRow, ChangeTable, walk
from inspector.model.churn_lines import Line
from inspector.model.findings.finding import Finding
from inspector.model.pending import PendingCloses, is_closing
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.stacks import Frame, ThreadStack
from inspector.model.wait_chain import standing_frame, threads_awaited
from inspector.model.wording import age, duration, rate
from inspector.vocabulary import Resource, handle_text

STUCK_RULES: Final = frozenset({"pending-too-old", "call-too-old", "owner-ended"})
"""Keys of the rules about waiting; findings of all other rules stand under *Grows*."""
RATE_SECS: Final = 60.0
"""The rate of a suspect is over the newest minute at most."""
SHORT_SECS: Final = 1.0
"""A close that has waited for less is no news."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One line under *Grows*."""

    finding: Finding
    title: str
    """The type, or the finding's sentence."""
    rate: str = ""
    """``+5.9/s``; ``""``: the finding is about no growth."""
    site: str = ""
    trend: Line = NO_LINE
    key: str = ""
    """Key of its row in the table; ``""``: it has none."""

    @property
    def sentence(self) -> str:
        """All of it, for a screen reader."""
        made = f" made at {self.site}" if self.site else ""
        return f"{self.title} {self.rate}{made}".strip() if self.rate else self.title


def suspects_of(table: ChangeTable) -> tuple[Suspect, ...]:
    """The growing suspects, then findings about no growth."""
    rows = walk(table.rows)
    found = [
        _suspect(finding, _row_of(finding, rows))
        for finding in table.facts.findings
        if finding.rule not in STUCK_RULES
    ]
    return tuple(sorted(found, key=lambda each: not each.rate))


def stuck_findings(table: ChangeTable) -> tuple[Finding, ...]:
    """Findings about closes and calls that wait."""
    return tuple(each for each in table.facts.findings if each.rule in STUCK_RULES)


def _row_of(finding: Finding, rows: list[ChangeRow]) -> ChangeRow | None:
    """The innermost row that the finding is about."""
    found = [row for row in rows if row.finding is finding and row.type_name]
    exact = [row for row in found if finding.subject == f"{row.type_name} from {row.site}"]
    return exact[0] if exact else found[0] if found else None


def _suspect(finding: Finding, row: ChangeRow | None) -> Suspect:
    if row is None or finding.rule != "leak-suspect":
        return Suspect(finding, finding.headline, key=row.key if row else "")
    return Suspect(
        finding, row.type_name, _growth(row.trend), row.site, trend=row.trend, key=row.key
    )


def _growth(line: Line) -> str:
    """``+5.9/s`` over the newest minute, or less where less was seen."""
    if len(line.at) < 2:
        return "grows"
    first = int(np.searchsorted(line.at, line.at[-1] - RATE_SECS))
    first = min(first, len(line.at) - 2)
    per_sec = float(line.values[-1] - line.values[first]) / float(line.at[-1] - line.at[first])
    return f"{'+' if per_sec > 0 else '−' if per_sec < 0 else '±'}{rate(abs(per_sec))}"


@dataclass(frozen=True, slots=True)
class Stuck:
    """The lines under *Stuck*."""

    first: str
    second: str = ""
    is_alarm: bool = False
    """Something waits."""
    handle: int = 0
    """The handle that waits; 0: none."""
    frame: Frame | None = None
    """The line where the thread waits."""
    count: int = 0
    """Pending closes."""


def stuck_of(
    snapshot: Snapshot, closes: PendingCloses, now: float, read_at: float = math.nan
) -> Stuck:
    """The longest wait: a hung thread, or the oldest pending close.

    ``now``: the target's time, seconds since the Unix epoch. ``read_at``: when the snapshot's
    stacks were read; ``nan``: with the snapshot.
    """
    target = snapshot.target
    if target.state is TargetState.HUNG:
        return _hung(snapshot, len(closes))
    if len(closes) and waiting_long(closes, now):
        return _oldest_close(snapshot, closes, now, read_at)
    if snapshot.is_past:
        return Stuck("No close of this moment waits still", "Closes that have run are not known")
    if target.from_outside:
        return Stuck("Closes are not seen from outside", "Nothing is loaded into the process")
    if target.state in (TargetState.ENDED, TargetState.POST_MORTEM):
        return Stuck("Nothing was waiting to close when the target ended")
    if target.state is TargetState.RECORDED:
        return Stuck("Nothing was waiting to close at this moment")
    took = snapshot.last_close_secs
    last = "" if math.isnan(took) else f"Last close took {duration(took)}"
    if len(closes):
        return Stuck("Nothing waits for long", last, count=len(closes))
    return Stuck("Nothing waits to close", last)


def waiting_long(closes: PendingCloses, now: float) -> int:
    """Closes that have waited for ``SHORT_SECS``, or nobody knows how long.

    A live program closes all the time. ``now``: seconds since the Unix epoch.
    """
    return int((~(now - closes.since < SHORT_SECS)).sum())


def _hung(snapshot: Snapshot, count: int) -> Stuck:
    """The thread that holds the interpreter, else the first of the process."""
    stacks = sorted(snapshot.stacks, key=lambda stack: not stack.holds_gil)
    reason = snapshot.target.reason or "it does not answer"
    since = snapshot.taken_at - snapshot.target.state_since
    first = f"Hung: {reason}" if math.isnan(since) else f"Hung for {age(since)}"
    stack = next((each for each in stacks if each.frames), None)
    if stack is None:
        return Stuck(
            first, "The lines of its threads are not known yet", is_alarm=True, count=count
        )
    frame = stack.frames[0]
    return Stuck(
        f"{first} in {frame.short()}", _doing(stack), is_alarm=True, frame=frame, count=count
    )


def _doing(stack: ThreadStack) -> str:
    holds = ", holds the interpreter" if stack.holds_gil else ""
    return f"Thread {stack.name or stack.tid}{holds}"


def _oldest_close(snapshot: Snapshot, closes: PendingCloses, now: float, read_at: float) -> Stuck:
    handle, since = int(closes.ids[0]), float(closes.since[0])
    waits = "" if math.isnan(since) else f" for {age(now - since)}"
    more = f" · {len(closes) - 1:,} more" if len(closes) > 1 else ""
    name = closes.type_name(0)
    verb = "runs" if is_closing(name) else "waits to close"
    first = f"{name} {handle_text(handle)} {verb}{waits}{more}"
    seen_secs = now - read_at
    second, frame = thread_sentence(snapshot, closes, seen_secs=seen_secs)
    ended = int(closes.stuck[1:].sum())
    if ended:
        second += f" · {ended:,} more for a thread that has ended: a drain runs them"
    return Stuck(first, second, True, handle, frame, len(closes))


def thread_sentence(
    snapshot: Snapshot, closes: PendingCloses, row: int = 0, *, seen_secs: float = math.nan
) -> tuple[str, Frame | None]:
    """The obstacle of a close, and the place of the thread that it waits for, with its line.

    ``seen_secs``: the age of the snapshot's stacks; ``nan``: they are as old as the snapshot.
    """
    threads = threads_awaited(snapshot, closes, row)
    is_owner = closes.resource(row) is Resource.WAITING_OWNER
    reason = closes.reason(row)
    if is_owner and threads:
        reason = f"Only thread {threads[0].label} may close it"
    stack = next((each for each in snapshot.stacks if threads and each.tid == threads[0].tid), None)
    stands = standing_frame(stack) if stack is not None else None
    if stands is None:
        return reason, None
    where, frame = stands
    name = "It" if is_owner else threads[0].label
    if math.isnan(seen_secs):
        return f"{reason}. {name} is in {where}, {_place(frame)}", frame
    return f"{reason}. {name} was in {where}, {_place(frame)}, {age(seen_secs)} ago", frame


def _place(frame: Frame) -> str:
    return f"{frame.file.rpartition('/')[2]}:{frame.line}"
