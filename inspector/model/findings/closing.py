"""Resources that are never closed.

The rules: resources dropped open, and the closed share of a type's resources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.findings.calls import ages_of
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import Group, grouped, ids_of
from inspector.model.pending import PendingCloses, pending_closes
from inspector.model.snapshot import Snapshot, TypeRow
from inspector.model.states import alive, pending
from inspector.model.wording import plural
from inspector.vocabulary import Resource

NO_CLOSING_TYPES = "No type opted in to closing"


@dataclass(frozen=True, slots=True)
class NeverClosed:
    """Looks for resources that were dropped while open."""

    key: str = "never-closed"
    title: str = "Dropped without close"
    about: str = (
        "The last reference to a resource was released while the resource was open: its close, "
        "which may write, send or unlock, never ran."
        " Use it as a context manager, or close it where it was made"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """A finding for each type and site.

        A type whose tombstones were evicted has a finding with the count.
        """
        snapshot = facts.snapshot
        closing = [row for row in snapshot.types.values() if row.closes]
        if not closing:
            return [Finding(self.key, Verdict.UNMEASURED, NO_CLOSING_TYPES)]
        guilty = [row for row in closing if row.never_closed > 0]
        if not guilty:
            return [self._none(snapshot)]
        rows = np.flatnonzero(
            (snapshot.handles.resources == Resource.NEVER_CLOSED) & ~alive(snapshot.handles)
        )
        groups = [
            group
            for group in grouped(snapshot, rows)
            if group.type_index in {row.index for row in guilty}
        ]
        named = {group.type_index for group in groups}
        return [self._finding(snapshot, group) for group in groups] + [
            self._count_only(row) for row in guilty if row.index not in named
        ]

    def _none(self, snapshot: Snapshot) -> Finding:
        unknown = int(
            ((snapshot.handles.resources == Resource.UNKNOWN) & ~alive(snapshot.handles)).sum()
        )
        if unknown:
            headline = (
                f"{plural(unknown, 'resource')} dropped that could not be asked whether "
                "it was closed before"
            )
            return Finding(self.key, Verdict.UNMEASURED, headline, filter='state:"closed or not"')
        return Finding(self.key, Verdict.OK, "Every resource that was dropped had been closed")

    def _finding(self, snapshot: Snapshot, group: Group) -> Finding:
        row = snapshot.types[group.type_index]
        return Finding(
            self.key,
            Verdict.SUSPECT,
            (
                f"{plural(len(group), group.type_name)} dropped without close, made at "
                f"{group.site or 'a place that was not recorded'}"
            ),
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                (
                    f"{row.never_closed:,} of this type since the segment began, {row.closed:,} "
                    "were closed"
                ),
                f"It closes by {row.close_signature}"
                if row.close_signature
                else "How it closes is not said",
            ),
            filter=f'{group.filter.replace(" state:live", "")} state:"never closed"',
            handles=ids_of(snapshot, group.rows),
        )

    def _count_only(self, row: TypeRow) -> Finding:
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{plural(row.never_closed, row.name)} dropped without close",
            subject=row.name,
            evidence=(
                ("Their tombstones are gone, so the lines that made them are not known any more"),
            ),
            filter=f'type:"{row.name}"',
        )


@dataclass(frozen=True, slots=True)
class CloseCoverage:
    """Looks at how many of a type's resources were closed before they ended."""

    key: str = "close-coverage"
    title: str = "Close coverage"
    about: str = (
        "The share of a type's ended resources that were closed. Below the limit some way "
        "through the program forgets to close;"
        " the rule on resources dropped without close names the places"
    )
    min_ended: int = 5
    limit_share: float = 0.95

    def check(self, facts: Facts) -> list[Finding]:
        """A finding for each closing type, with any verdict."""
        closing = [row for _, row in sorted(facts.snapshot.types.items()) if row.closes]
        if not closing:
            return [Finding(self.key, Verdict.UNMEASURED, NO_CLOSING_TYPES)]
        return [self._finding(row) for row in closing]

    def _finding(self, row: TypeRow) -> Finding:
        ended = row.closed + row.never_closed
        share = row.closed / ended if ended else 1.0
        text = f"{row.name}: {row.closed:,} of {ended:,} ended resources were closed ({share:.0%})"
        if ended < self.min_ended:
            return Finding(
                self.key,
                Verdict.YOUNG,
                (f"{row.name}: {plural(ended, 'resource')} ended so far, too few to say"),
                subject=row.name,
            )
        verdict = Verdict.OK if share >= self.limit_share else Verdict.SUSPECT
        return Finding(
            self.key,
            verdict,
            text,
            subject=row.name,
            evidence=((f"{row.never_closed:,} were dropped open"),),
            filter=f'type:"{row.name}"',
        )


@dataclass(frozen=True, slots=True)
class LatePending:
    """Looks for pending closes that wait longer than they should."""

    key: str = "pending-too-old"
    title: str = "Closes that wait too long"
    about: str = (
        "A close that was asked for and has not run for long: a call that does not end, an owner "
        "thread that does not run its"
        " closes, or a full queue. The pane of pending closes says which"
    )
    limit_secs: float = 10.0

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a type and site of creation."""
        snapshot = facts.snapshot
        closes = pending_closes(snapshot)
        if not len(closes) and not any(row.closes for row in snapshot.types.values()):
            return [Finding(self.key, Verdict.UNMEASURED, NO_CLOSING_TYPES)]
        late = np.flatnonzero(ages_of(facts, closes.since) > self.limit_secs)
        if not len(late):
            waiting = (
                f"{plural(len(closes), 'close')} pending, none"
                if len(closes)
                else "No close has been pending"
            )
            return [Finding(self.key, Verdict.OK, f"{waiting} for more than {self.limit_secs:g} s")]
        told = {int(closes.rows[place]): _told(closes, int(place)) for place in late}
        return [self._finding(facts, group, told) for group in grouped(snapshot, closes.rows[late])]

    def _finding(self, facts: Facts, group: Group, told: dict[int, str]) -> Finding:
        snapshot = facts.snapshot
        is_call = not pending(snapshot.handles)[group.rows[0]]
        oldest = float(ages_of(facts, snapshot.handles.changed_at[group.rows]).max())
        why = list(dict.fromkeys(told[int(row)] for row in group.rows))[:3]
        return Finding(
            self.key,
            Verdict.SUSPECT,
            (
                f"{plural(len(group), 'close')} of {group.type_name} waiting, the oldest for "
                f"{oldest:,.0f} s"
            ),
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                *why,
                (
                    f"{'Called' if is_call else 'Made'} at "
                    f"{group.site or 'a place that was not recorded'}"
                ),
            ),
            filter=group.filter
            if is_call
            else (f"{group.filter.replace(' state:live', '')} state:pending"),
            handles=ids_of(snapshot, group.rows),
        )


def _told(closes: PendingCloses, row: int) -> str:
    """Why a close has not run, and where it was asked for, as far as that was recorded."""
    # a call's evidence names the place itself
    place = "" if closes.resource(row) is Resource.NONE else closes.request_place(row)
    requester = closes.requester(row)
    return (
        closes.reason(row)
        + (f"; asked for at {place}" if place else "")
        + (f" on {requester}" if place and requester else "")
    )
