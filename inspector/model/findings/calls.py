"""Calls that do not end: into the library, and from the library into Python."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.calls import library_calls
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import Group, grouped, ids_of, span
from inspector.model.native_calls import waits_at_site
from inspector.model.pending import closing_calls, thread_name
from inspector.model.snapshot import Floats
from inspector.model.wording import plural
from inspector.vocabulary import Kind, kind_named


@dataclass(frozen=True, slots=True)
class LateCalls:
    """Looks for calls that have been running for long.

    Closing methods are left to the rule on pending closes.
    """

    key: str = "call-too-old"
    title: str = "Calls that do not end"
    about: str = (
        "A call into a native library, or a Python call that the library awaits, that has not "
        "ended for long. It may wait on purpose;"
        " otherwise look at the other calls, and at the stacks of the threads"
    )
    limit_secs: float = 10.0

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a method and the line that called it."""
        snapshot = facts.snapshot
        if not any(_tells_calls(kind_named(row.kind)) for row in snapshot.types.values()):
            return [
                Finding(
                    self.key, Verdict.UNMEASURED, ("No package is followed whose calls are known")
                )
            ]
        rows = np.setdiff1d(library_calls(snapshot), closing_calls(snapshot))
        ages = ages_of(facts, snapshot.handles.created_at[rows])
        late = rows[ages > self.limit_secs]
        if not len(late):
            running = (
                f"{plural(len(rows), 'call')} running, none"
                if len(rows)
                else "No call has been running"
            )
            return [Finding(self.key, Verdict.OK, f"{running} for more than {self.limit_secs:g} s")]
        return [self._finding(facts, group) for group in grouped(snapshot, late)]

    def _finding(self, facts: Facts, group: Group) -> Finding:
        snapshot = facts.snapshot
        oldest = float(ages_of(facts, snapshot.handles.created_at[group.rows]).max())
        begun = np.isnan(snapshot.handles.created_at[group.rows]).any()
        waits = waits_at_site(snapshot, int(group.rows[0]))
        awaited = kind_named(snapshot.types[group.type_index].kind) == Kind.UNIFFI_FUTURE
        threads = dict.fromkeys(
            thread_name(snapshot, int(index))
            for index in snapshot.handles.created_threads[group.rows]
        )
        on = ", ".join(filter(None, list(threads)[:3]))
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{plural(len(group), 'call')} of {group.type_name} "
            f"{'awaited by native code' if awaited else 'not ended'}"
            f" for {'at least ' if begun else ''}{span(oldest)}",
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                f"{'Waited' if waits else 'Called'} at "
                f"{group.site or 'a place that was not recorded'}",
                *([f"On {on}"] if on else []),
            ),
            filter=group.filter,
            handles=ids_of(snapshot, group.rows),
        )


def _tells_calls(kind: Kind) -> bool:
    """Calls on such objects are seen one by one, or such rows are calls."""
    return kind.calls_are_estimated or kind.is_call


def ages_of(facts: Facts, began: Floats) -> Floats:
    """Seconds since these times, at least: earlier calls (``nan``) are as old as the first look."""
    looks, snapshot = facts.trend.observations, facts.snapshot
    first = looks[0].at if looks else snapshot.taken_at
    return np.asarray(snapshot.taken_at - np.where(np.isnan(began), first, began))
