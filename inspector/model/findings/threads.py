"""Two rules on owner threads: the owner ended before it closed.

Another thread released an open resource.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import Group, grouped, ids_filter, ids_of
from inspector.model.pending import thread_name
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.model.wording import plural
from inspector.vocabulary import Resource

NO_OWNERS = "No handle has an owner thread"


@dataclass(frozen=True, slots=True)
class OwnerEnded:
    """Looks for live handles whose owner thread has ended."""

    key: str = "owner-ended"
    title: str = "Owner thread ended"
    about: str = (
        "Only its owner thread may close a resource, and that thread is gone. Close it before "
        "the thread ends, or let the thread drain"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a type and site of creation."""
        snapshot = facts.snapshot
        handles = snapshot.handles
        owned = alive(handles) & (handles.owner_threads != 0)
        if not owned.any():
            return [
                Finding(
                    self.key,
                    Verdict.UNMEASURED if not (handles.owner_threads != 0).any() else Verdict.OK,
                    NO_OWNERS,
                )
            ]
        ended = [index for index, thread in snapshot.threads.items() if not thread.alive]
        orphaned = (
            owned & np.isin(handles.owner_threads, ended) & (handles.resources != Resource.CLOSED)
        )
        rows = np.flatnonzero(orphaned)
        if not len(rows):
            return [
                Finding(
                    self.key,
                    Verdict.OK,
                    (f"The owner threads of {plural(int(owned.sum()), 'handle')} are all alive"),
                )
            ]
        return [self._finding(snapshot, group) for group in grouped(snapshot, rows)]

    def _finding(self, snapshot: Snapshot, group: Group) -> Finding:
        owners = list(
            dict.fromkeys(
                thread_name(snapshot, int(index))
                for index in snapshot.handles.owner_threads[group.rows]
            )
        )
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{plural(len(group), group.type_name)} whose owner thread has ended",
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                f"Owned by {', '.join(owners[:3])}",
                f"Made at {group.site or 'a place that was not recorded'}",
            ),
            filter=ids_filter(ids_of(snapshot, group.rows))
            if len(group) <= len(ids_of(snapshot, group.rows))
            else group.filter,
            handles=ids_of(snapshot, group.rows),
        )


@dataclass(frozen=True, slots=True)
class WrongThread:
    """Looks for dead rows that another thread than the owner released while they were open."""

    key: str = "wrong-thread"
    title: str = "Released on the wrong thread"
    about: str = (
        "A handle with an owner thread that another thread released before it was closed: its "
        "destructor ran where it must not."
        " Close it on its owner first; often a garbage collection on another thread is to blame"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a type and site of creation."""
        snapshot = facts.snapshot
        handles = snapshot.handles
        owned = handles.owner_threads != 0
        if not owned.any():
            return [Finding(self.key, Verdict.UNMEASURED, NO_OWNERS)]
        elsewhere = (handles.last_threads != 0) & (handles.last_threads != handles.owner_threads)
        rows = np.flatnonzero(
            owned & ~alive(handles) & elsewhere & (handles.resources != Resource.CLOSED)
        )
        if not len(rows):
            return [
                Finding(
                    self.key,
                    Verdict.OK,
                    (
                        "Resources with an owner thread were released "
                        "by that thread, or closed before"
                    ),
                )
            ]
        return [self._finding(snapshot, group) for group in grouped(snapshot, rows)]

    def _finding(self, snapshot: Snapshot, group: Group) -> Finding:
        handles, first = snapshot.handles, int(group.rows[0])
        names = [
            thread_name(snapshot, int(column[first])) or "a thread"
            for column in (handles.owner_threads, handles.last_threads)
        ]
        released_at = snapshot.sites.get(int(handles.last_sites[first]))
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{plural(len(group), group.type_name)} released by a thread other than the owner",
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                f"Owned by {names[0]}, released on {names[1]}"
                + (f" at {released_at.short()}" if released_at else ""),
                f"Made at {group.site or 'a place that was not recorded'}",
            ),
            filter=ids_filter(ids_of(snapshot, group.rows)),
            handles=ids_of(snapshot, group.rows),
        )
