"""Uses that were refused.

They meant closed resources, released handles, or numbers that are no handles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.events import Events
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import ids_filter, site_name, stack_text
from inspector.model.findings.leads import ClosedUse
from inspector.model.losses import Counted, refused_of
from inspector.model.pending import thread_name
from inspector.model.snapshot import Snapshot
from inspector.model.wording import plural
from inspector.vocabulary import EventKind, Level, handle_text

SHOWN_USES = 4
ENDS: Final = (EventKind.CLOSE_REQUEST, EventKind.CLOSE, EventKind.RELEASE)
"""Events after which a use is refused."""


@dataclass(frozen=True, slots=True)
class RefusedUses:
    """Looks at the counters of refused uses, and at the events that show their places."""

    key: str = "refused-use"
    title: str = "Use after close or release"
    about: str = (
        "A call used a handle that was closed or released, or a number that was never a handle. "
        "Our own runtime refuses such a use, so nothing breaks. Another library decides for "
        "itself: it may raise, or use memory that is freed"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a kind of refusal."""
        snapshot = facts.snapshot
        refused = refused_of(snapshot.lost)
        found = [self._finding(facts, each) for each in refused]
        found += [self._closed_use(snapshot, each) for each in facts.closed_uses]
        if found:
            return found
        if snapshot.target.level is Level.OFF:
            return [
                Finding(self.key, Verdict.UNMEASURED, ("Refused uses are not counted at level off"))
            ]
        return [Finding(self.key, Verdict.OK, "No use of a handle was refused")]

    def _closed_use(self, snapshot: Snapshot, use: ClosedUse) -> Finding:
        """Uses of objects of a library that refuses nothing for us."""
        handles = use.handles[-SHOWN_USES:]
        used, closed = (
            stack_text(snapshot, site) or "a place that was not recorded"
            for site in (use.used_site, use.closed_site)
        )
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{plural(use.count, 'use')} of {use.method} after the close",
            subject=f"{use.method} at {site_name(snapshot, use.used_site)}",
            evidence=(f"Used at {used}", f"Closed at {closed}"),
            filter=ids_filter(handles),
            handles=handles,
        )

    def _finding(self, facts: Facts, refusal: Counted) -> Finding:
        uses = _uses(facts.events) if facts.events is not None else None
        handles = (
            ()
            if uses is None
            else tuple(
                dict.fromkeys(int(handle) for handle in uses.handles[-SHOWN_USES:] if handle)
            )
        )
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{refusal.count:,} {refusal.what}",
            subject=refusal.what,
            evidence=(
                refusal.meaning,
                *_told(facts.snapshot, uses),
                *_ended(facts.snapshot, facts.events),
            ),
            filter=ids_filter(handles),
            handles=handles,
        )


def _uses(events: Events) -> Events:
    return events.take(events.kinds == EventKind.MISUSE)


def _told(snapshot: Snapshot, uses: Events | None) -> tuple[str, ...]:
    """The newest refused uses with thread and place.

    They are of all kinds: an event does not name its counter.
    """
    if uses is None:
        return ("The line of a use is recorded from level history on",)
    newest = range(max(len(uses) - SHOWN_USES, 0), len(uses))
    lines = [
        f"{handle_text(int(uses.handles[place]))} {_where(snapshot, uses, place)}"
        for place in newest
    ]
    if not lines:
        return ("Its event was overwritten before it was read",)
    distinct = list(dict.fromkeys(lines))
    more = int(np.count_nonzero(uses.kinds)) - len(lines)
    return (
        f"Newest refused {'uses' if len(distinct) > 1 else 'use'}: " + "; ".join(distinct),
        *_more(more),
    )


def _where(snapshot: Snapshot, events: Events, place: int) -> str:
    """``on MainThread at app.py:12 read ← app.py:40 main``, as much of it as was recorded."""
    thread = thread_name(snapshot, int(events.threads[place])) or "a thread"
    stack = stack_text(snapshot, int(events.sites[place]))
    return f"on {thread} at {stack}" if stack else f"on {thread}"


def _ended(snapshot: Snapshot, events: Events | None) -> tuple[str, ...]:
    """The places that closed or released the targets of the newest refused uses."""
    if events is None:
        return ()
    lines: list[str] = []
    for use in np.flatnonzero(events.kinds == EventKind.MISUSE)[-SHOWN_USES:]:
        meant = (
            np.isin(events.kinds, ENDS)
            & (events.handles == events.handles[use])
            & (events.at <= events.at[use])
        )
        if meant.any():
            first = int(np.flatnonzero(meant)[0])
            how = "released" if events.kinds[first] == EventKind.RELEASE else "closed"
            lines.append(
                f"{handle_text(int(events.handles[use]))} was {how} "
                f"{_where(snapshot, events, first)}"
            )
    if lines and snapshot.target.level < Level.STACKS:
        lines.append(
            "Each stack is recorded by its innermost line alone; level stacks records all lines"
        )
    return tuple(dict.fromkeys(lines))


def _more(count: int) -> tuple[str, ...]:
    return (f"{plural(count, 'more event')} of refused uses in the history",) if count > 0 else ()
