"""Fewer references than handles: a double free to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.filter import quoted
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import Group, grouped, ids_of
from inspector.model.snapshot import UNKNOWN, Handles, Ints, Snapshot
from inspector.model.states import alive
from inspector.model.wording import plural


@dataclass(frozen=True, slots=True)
class NegativeReferences:
    """Looks for objects whose strong count is smaller than the number of handles on them.

    Counts and handles are of one moment, so this is true of the program at that moment, even if its
    handles change fast.
    """

    key: str = "negative-references"
    title: str = "Double frees to come"
    about: str = (
        "An object with fewer strong references than handles: a reference was given back twice, "
        "or never taken. When the handles are"
        " released, the object is freed while code still uses it. Do not release more of them; "
        "look at the last release"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a type and site of creation."""
        snapshot = facts.snapshot
        handles = snapshot.handles
        known = alive(handles) & (handles.strong != UNKNOWN) & (handles.proxies != UNKNOWN)
        if not known.any():
            return [Finding(self.key, Verdict.UNMEASURED, "No object's strong count is known")]
        rows = np.flatnonzero(known & (handles.native_refs < 0) & ~handles.changing)
        if not len(rows):
            return [Finding(self.key, Verdict.OK, self._all_well(handles))]
        return [
            self._finding(snapshot, group)
            for group in grouped(snapshot, _oldest_of_each(snapshot, rows))
        ]

    def _all_well(self, handles: Handles) -> str:
        unknown = int((alive(handles) & (handles.strong == UNKNOWN)).sum())
        left_out = f"; {plural(unknown, 'handle')} of unknown count" if unknown else ""
        return (
            "Every object whose count is known has at least as many references as "
            f"handles{left_out}"
        )

    def _finding(self, snapshot: Snapshot, group: Group) -> Finding:
        handles = snapshot.handles
        first = int(group.rows[0])
        same = np.flatnonzero(
            alive(handles) & np.isin(handles.addresses, handles.addresses[group.rows])
        )
        missing = -int(handles.native_refs[first])
        return Finding(
            self.key,
            Verdict.SUSPECT,
            (
                f"{plural(len(group), group.type_name)} with fewer references than handles: freed "
                "too early when the handles go"
            ),
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                (
                    f"Strong count {int(handles.strong[first]):,}, but "
                    f"{plural(int(handles.proxies[first]), 'handle')}: {missing:,} missing"
                ),
                f"Made at {group.site or 'a place that was not recorded'}",
            ),
            filter=f"type:{quoted(group.type_name)} native<0",
            handles=ids_of(snapshot, same),
        )


def _oldest_of_each(snapshot: Snapshot, rows: Ints) -> Ints:
    """One row an object: where its first handle was made."""
    handles = snapshot.handles
    rows = rows[np.argsort(handles.created_at[rows], kind="stable")]
    _, first = np.unique(handles.addresses[rows], return_index=True)
    return rows[first]
