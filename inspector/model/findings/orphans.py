"""Orphans: objects that native code made and handed out, and that were never used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspector.model.events import Events
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import Group, grouped, ids_filter, ids_of, span
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.model.wording import plural
from inspector.vocabulary import EventKind, kind_named


@dataclass(frozen=True, slots=True)
class Orphans:
    """Looks for live handles that were made inside a native call and that no call has used since.

    Only handles whose whole life is in the recorded events can be judged.
    """

    key: str = "orphan"
    title: str = "Never used from outside"
    about: str = (
        "A handle that a native call returned, and that no call has used since: a result that is "
        "thrown away but kept alive, or an object"
        " made for nothing. If it is not needed, do not return it; if it is, find the code that "
        "forgot it"
    )
    min_age_secs: float = 5.0

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a type and site of creation."""
        events, snapshot = facts.events, facts.snapshot
        if events is None or not len(events):
            return [
                Finding(self.key, Verdict.UNMEASURED, ("Uses are recorded from level history on"))
            ]
        are_estimated = all(
            kind_named(row.kind).calls_are_estimated for row in snapshot.types.values()
        )
        if are_estimated and not (events.kinds == EventKind.BORROW).any():
            return [
                Finding(
                    self.key,
                    Verdict.UNMEASURED,
                    ("Calls of the followed objects are not recorded, so uses are not seen"),
                )
            ]
        made = events.handles[_made_in_calls(events)]
        used = events.handles[
            np.isin(
                events.kinds,
                (EventKind.BORROW, EventKind.CLONE, EventKind.CLOSE_REQUEST, EventKind.CLOSE),
            )
        ]
        handles = snapshot.handles
        judged = alive(handles) & np.isin(handles.ids, made)
        unused = (
            judged & ~np.isin(handles.ids, used) & ~_used_before_gap(events, handles.created_at)
        )
        old = snapshot.taken_at - handles.created_at >= self.min_age_secs
        rows = np.flatnonzero(unused & old)
        if len(rows):
            return [self._finding(snapshot, group) for group in grouped(snapshot, rows)]
        if (unused & ~old).any():
            text = (
                f"{plural(int(unused.sum()), 'handle')} not used yet, all younger than "
                f"{span(self.min_age_secs)}"
            )
            return [Finding(self.key, Verdict.YOUNG, text)]
        seen = int(judged.sum())
        if not seen:
            return [
                Finding(
                    self.key,
                    Verdict.OK,
                    ("No live handle in the recorded events was made by a native call"),
                )
            ]
        return [
            Finding(
                self.key,
                Verdict.OK,
                (f"Each of {plural(seen, 'handle')} made by a native call was used"),
            )
        ]

    def _finding(self, snapshot: Snapshot, group: Group) -> Finding:
        ids = ids_of(snapshot, group.rows)
        oldest = snapshot.taken_at - float(np.nanmin(snapshot.handles.created_at[group.rows]))
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{plural(len(group), group.type_name)} made by native code and never used",
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                f"The oldest has lived for {span(oldest)} without a call",
                f"Returned to {group.site or 'a place that was not recorded'}",
            ),
            filter=ids_filter(ids) if len(group) <= len(ids) else group.filter,
            handles=ids,
        )


def _made_in_calls(events: Events) -> npt.NDArray[np.bool_]:
    """Births that happened while their thread was inside a native call.

    Begin and end of the call were recorded.

    A begin alone says nothing about later births: its end is missing also when recording stopped
    meanwhile, or when a gap swallowed it.
    """
    begun, ended = _whole_calls(events)
    steps = np.zeros(len(events), np.int64)
    steps[begun], steps[ended] = 1, -1
    made = np.zeros(len(events), np.bool_)
    for thread in np.unique(events.threads[begun]):
        rows = np.flatnonzero(events.threads == thread)
        made[rows] = (events.kinds[rows] == EventKind.CREATE) & (np.cumsum(steps[rows]) > 0)
    return made


def _whole_calls(events: Events) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of the begins and of the ends that belong together.

    They are of one thread and handle, equally deep, with no gap between them.
    """
    rows = np.flatnonzero(np.isin(events.kinds, (EventKind.BORROW, EventKind.RETURN)))
    gaps = np.cumsum(events.kinds == EventKind.GAP)[rows]
    order = np.lexsort((gaps, events.handles[rows], events.threads[rows]))
    rows, gaps = rows[order], gaps[order]
    threads, handles, begins = (
        events.threads[rows],
        events.handles[rows],
        events.kinds[rows] == EventKind.BORROW,
    )
    depths = np.cumsum(np.where(begins, 1, -1)) + ~begins
    order = np.lexsort((depths, gaps, handles, threads))
    columns = [column[order] for column in (threads, handles, gaps, depths)]
    rows, begins = rows[order], begins[order]
    pairs = (
        begins[:-1]
        & ~begins[1:]
        & np.logical_and.reduce([column[:-1] == column[1:] for column in columns])
    )
    return rows[:-1][pairs], rows[1:][pairs]


def _used_before_gap(events: Events, created_at: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Handles older than the newest gap: a use of theirs may be in it."""
    gaps = events.at[events.kinds == EventKind.GAP]
    if not len(gaps):
        return np.zeros(len(created_at), np.bool_)
    with np.errstate(invalid="ignore"):
        old: npt.NDArray[np.bool_] = created_at < gaps.max()
    return old
