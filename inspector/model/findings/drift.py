"""Counts that drift: native references to one object that only ever become more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.events import Events
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import Group, grouped, ids_filter, ids_of, span
from inspector.model.wording import plural
from inspector.vocabulary import EventKind


@dataclass(frozen=True, slots=True)
class CountDrifts:
    """Looks at the native references of each object over time.

    References that rose several times and never fell drift.
    """

    key: str = "count-drift"
    title: str = "Counts that drift"
    about: str = (
        "An object that lives on while native code takes more and more references to it and "
        "gives none back: a clone too many in each call."
        " Compare with the number of calls, and look at how the calls use their argument"
    )
    min_rises: int = 3
    min_growth: int = 3

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a type and site of creation."""
        drift, snapshot = facts.trend.drift, facts.snapshot
        if not len(drift.ids):
            return [Finding(self.key, Verdict.UNMEASURED, "No object's strong count is known")]
        looks = self.min_rises + 1
        if len(facts.trend.observations) < looks:
            return [
                Finding(
                    self.key,
                    Verdict.YOUNG,
                    (f"Drift shows over time: {plural(looks, 'look')} are needed"),
                )
            ]
        drifting = (drift.rises >= self.min_rises) & (drift.newest - drift.first >= self.min_growth)
        rows = np.flatnonzero(np.isin(snapshot.handles.ids, drift.ids[drifting]))
        if not len(rows):
            text = (
                f"No count of {plural(len(drift.ids), 'object')} only rose in the "
                f"{span(facts.trend.span_secs)} observed"
            )
            return [Finding(self.key, Verdict.OK, text)]
        return [self._finding(facts, group) for group in grouped(snapshot, rows)]

    def _finding(self, facts: Facts, group: Group) -> Finding:
        drift, handles = facts.trend.drift, facts.snapshot.handles
        at = np.searchsorted(drift.ids, np.sort(handles.ids[group.rows]))
        grown = drift.newest[at] - drift.first[at]
        worst = int(grown.argmax())
        ids = ids_of(facts.snapshot, group.rows)
        return Finding(
            self.key,
            Verdict.SUSPECT,
            (
                f"Native references to {plural(len(group), group.type_name)} only rise: by "
                f"{int(grown.sum()):,} so far"
            ),
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                f"The worst went from {int(drift.first[at][worst]):,} to "
                f"{int(drift.newest[at][worst]):,} native references in "
                f"{span(facts.trend.span_secs)}",
                *_calls(facts.events, int(drift.ids[at][worst]), int(grown[worst])),
                f"Made at {group.site or 'a place that was not recorded'}",
            ),
            filter=ids_filter(ids) if len(group) <= len(ids) else group.filter,
            handles=ids,
        )


def _calls(events: Events | None, handle: int, growth: int) -> tuple[str, ...]:
    """How the growth compares with the calls that used the handle, where they were recorded."""
    if events is None:
        return ("How many calls that took is recorded from level history on",)
    calls = int(((events.handles == np.uint64(handle)) & (events.kinds == EventKind.BORROW)).sum())
    return (
        ((f"{plural(calls, 'call')} used that handle: about {growth / calls:.1f} more for each"),)
        if calls
        else ()
    )
