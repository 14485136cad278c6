"""Leak suspects: types whose live count keeps growing, by handles that stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import Group, grouped, ids_of, span
from inspector.model.findings.trend import ENOUGH_SECS, Trend
from inspector.model.snapshot import Ints, Snapshot
from inspector.model.states import alive
from inspector.model.wording import plural
from inspector.vocabulary import kind_named


@dataclass(frozen=True, slots=True)
class LeakSuspects:
    """Looks at the low-water marks of four stretches of time.

    A cache or a burst falls back, a leak does not.

    A type is suspect when each mark is above the mark before, and the objects made since the first
    and before the last stretch still live. For a handle whose birth was not seen, the first look
    that found it counts. Each stretch has to be looked at, once or often: how many looks fit into a
    stretch depends on the machine, and a leak does not.
    """

    key: str = "leak-suspect"
    title: str = "Leak suspects"
    about: str = (
        "A type whose live count never falls back and whose new handles stay. Look at the lines "
        "that make them, and at the holders of an"
        " old object; a cache that still fills looks the same"
    )
    min_span_secs: float = ENOUGH_SECS
    min_growth: int = 8
    site_share: float = 0.2
    """Share of the survivors: sites with less are not named on their own."""

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a type and site that grows."""
        trend, snapshot = facts.trend, facts.snapshot
        if trend.span_secs < self.min_span_secs or not trend.covers_all_stretches():
            seen = f"{plural(len(trend.observations), 'look')} in {span(trend.span_secs)}"
            wanted = f"{span(self.min_span_secs)} with a look in each quarter"
            return [
                Finding(
                    self.key,
                    Verdict.YOUNG,
                    (f"Growth shows over time: {seen} so far, {wanted} are needed"),
                )
            ]
        # more calls are more work
        objects = [
            index for index, row in snapshot.types.items() if not kind_named(row.kind).is_call
        ]
        growing = [
            each
            for index in objects
            if (each := self._growth_of(trend, snapshot, index)) is not None
        ]
        if growing:
            return [
                self._finding(snapshot, each, group, trend.span_secs)
                for each, group in self._places(snapshot, growing)
            ]
        if facts.unseen:
            return [
                Finding(
                    self.key,
                    Verdict.UNMEASURED,
                    (f"Births cannot be seen of {', '.join(facts.unseen)}"),
                )
            ]
        return [
            Finding(
                self.key,
                Verdict.OK,
                (f"No type kept growing in the {span(trend.span_secs)} observed"),
            )
        ]

    def _growth_of(self, trend: Trend, snapshot: Snapshot, index: int) -> _Growth | None:
        at, live = trend.live_of(index)
        marks = [int(mark) for mark in trend.low_marks(live)]
        if marks[3] - marks[0] < self.min_growth or not marks[0] < marks[1] < marks[2] < marks[3]:
            return None
        last_stretch = at[-1] - (at[-1] - at[0]) / 4
        handles, appeared = snapshot.handles, trend.appeared_at(snapshot)
        rows = np.flatnonzero(
            alive(handles)
            & (handles.types == index)
            & (appeared >= at[0])
            & (appeared < last_stretch)
        )
        return _Growth(live[0], live[-1], rows) if 2 * len(rows) >= marks[3] - marks[0] else None

    def _places(self, snapshot: Snapshot, growing: list[_Growth]) -> list[tuple[_Growth, Group]]:
        """Places of birth of the handles that stayed, the most frequent first."""
        places = [(each, group) for each in growing for group in grouped(snapshot, each.stayed)]
        large = [
            (each, group)
            for each, group in places
            if len(group) >= self.site_share * len(each.stayed)
        ]
        return sorted(large, key=lambda place: len(place[1]), reverse=True)

    def _finding(
        self, snapshot: Snapshot, growth: _Growth, group: Group, span_secs: float
    ) -> Finding:
        per_sec = len(group) / (span_secs * 0.75)
        place = group.site or "a place that was not recorded"
        return Finding(
            self.key,
            Verdict.SUSPECT,
            (
                f"{group.type_name} keeps growing: {plural(len(group), 'handle')} made at "
                f"{place} stayed"
            ),
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                (
                    f"{group.type_name}: {growth.first:,} → {growth.newest:,} live in "
                    f"{span(span_secs)}, and never back"
                ),
                (
                    f"{len(group):,} of the {len(growth.stayed):,} that stayed were made at "
                    f"{place}, "
                    f"{per_sec:,.1f} each second"
                ),
                *_stack(snapshot, group.site_index),
            ),
            filter=group.filter,
            handles=ids_of(snapshot, group.rows),
        )


@dataclass(frozen=True, slots=True)
class _Growth:
    """A type that grew.

    It has its live handles at first and now, and the rows of later handles that stayed.
    """

    first: int
    newest: int
    stayed: Ints


def _stack(snapshot: Snapshot, index: int) -> tuple[str, ...]:
    site = snapshot.sites.get(index)
    callers = site.frames[site.naming + 1 :][:3] if site is not None else ()
    return ("Called from " + " ← ".join(frame.short() for frame in callers),) if callers else ()
