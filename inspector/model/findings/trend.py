"""The movement of counts while the viewer looked: facts for rules that one snapshot does not have.

Bounded: after ``CAPACITY`` observations every second observation of the older half is dropped.
Owned by the thread that judges, one thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.caps import OBSERVATIONS, Use
from inspector.model.limits import Limit
from inspector.model.snapshot import UNKNOWN, Ids, Ints, Snapshot
from inspector.model.states import alive

Floats = npt.NDArray[np.float64]

CAPACITY: Final = OBSERVATIONS.most
MIN_GAP_SECS: Final = 0.2
"""Observations that follow sooner are left out."""
RISE_GAP_SECS: Final = 0.5
"""Rises that follow sooner count as one, so that their number does not depend on how often somebody
looks."""
STRETCHES: Final = 4
"""Equal parts of the time observed. Growth is what shows in each of them."""
ENOUGH_SECS: Final = 4.0
"""As long as a program has to be observed for rules on growth."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Counters at one moment. Arrays are indexed by type."""

    at: float
    live: Ints
    created: Ints
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """Native references of objects over time, one element an object that lives.

    An object is named by the oldest of its handles.
    """

    ids: Ids
    """Ascending."""
    first: Ints
    """Native references when they last fell, or when the object was first seen."""
    newest: Ints
    rises: Ints
    """How often they rose since then; rises in quick succession are one."""
    risen_at: Floats
    """When a rise was counted last; ``nan``: none."""


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """Handles of unknown birth that live, and the time when each was seen first.

    That is as near to its birth as a viewer comes.
    """

    ids: Ids
    """Ascending."""
    at: Floats


class Trend:
    """Observations of one target, oldest first."""

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        min_gap_secs: float = MIN_GAP_SECS,
        rise_gap_secs: float = RISE_GAP_SECS,
    ) -> None:
        """Nothing was observed yet."""
        self._capacity = max(capacity, 8)
        self._min_gap_secs = min_gap_secs
        self._rise_gap_secs = rise_gap_secs
        self._target: tuple[int, int] | None = None
        self._left_out = 0
        self.observations: list[Observation] = []
        self.drift = _no_drift()
        self.first_seen = _none_seen()

    def uses(self) -> tuple[Use, ...]:
        """The amounts that are kept."""
        return (Use(OBSERVATIONS, len(self.observations), self._left_out),)

    @property
    def span_secs(self) -> float:
        """From the first observation to the newest."""
        return self.observations[-1].at - self.observations[0].at if self.observations else 0.0

    def observe(self, snapshot: Snapshot) -> bool:
        """Take a snapshot; ``False`` when it is not newer than the last snapshot.

        A snapshot of another target starts again.
        """
        target = (snapshot.target.pid, snapshot.target.start_time)
        if target != self._target:
            self._target, self.observations, self.drift, self.first_seen = (
                target,
                [],
                _no_drift(),
                _none_seen(),
            )
        if self.observations and snapshot.taken_at - self.observations[-1].at < self._min_gap_secs:
            return False
        vitals = snapshot.vitals
        self.observations.append(
            Observation(snapshot.taken_at, vitals.live_by_type(), vitals.created, snapshot.limits)
        )
        if len(self.observations) > self._capacity:
            half = self._capacity // 2
            self._left_out += half // 2
            self.observations = self.observations[:half:2] + self.observations[half:]
        self.drift = _followed(
            self.drift, *_native_refs(snapshot), snapshot.taken_at, self._rise_gap_secs
        )
        self.first_seen = _seen(self.first_seen, snapshot)
        return True

    def appeared_at(self, snapshot: Snapshot) -> Floats:
        """Birth or first sight of each handle of the newest snapshot.

        ``nan``: there at the first look.
        """
        handles = snapshot.handles
        at = handles.created_at.copy()
        found = np.searchsorted(self.first_seen.ids, handles.ids)
        found[found == len(self.first_seen.ids)] = 0
        if len(self.first_seen.ids):
            known = np.isnan(at) & (self.first_seen.ids[found] == handles.ids)
            at[known] = self.first_seen.at[found[known]]
        at[at == self.observations[0].at] = np.nan
        return at

    def covers_all_stretches(self) -> bool:
        """Whether each of the four parts of the time observed was looked at."""
        return len(np.unique(self._stretches())) == STRETCHES

    def low_marks(self, counts: Sequence[int]) -> Ints:
        """The lowest of the counts, one an observation, in each stretch.

        All of them were looked at.
        """
        marks = np.full(STRETCHES, np.iinfo(np.int64).max, np.int64)
        np.minimum.at(marks, self._stretches(), np.asarray(counts, np.int64))
        return marks

    def _stretches(self) -> Ints:
        """The stretch of each observation."""
        at = np.array([each.at for each in self.observations])
        if not len(at):
            return np.empty(0, np.int64)
        edges = np.linspace(at[0], at[-1], STRETCHES + 1)
        return np.clip(np.searchsorted(edges, at, side="right") - 1, 0, STRETCHES - 1)

    def live_of(self, type_index: int) -> tuple[list[float], list[int]]:
        """Moments and live handles of a type; a type that was not there yet had none."""
        return [each.at for each in self.observations], [
            int(each.live[type_index]) if type_index < len(each.live) else 0
            for each in self.observations
        ]


def _no_drift() -> Drift:
    nothing = np.empty(0, np.int64)
    return Drift(np.empty(0, np.uint64), nothing, nothing, nothing, np.empty(0, np.float64))


def _none_seen() -> FirstSeen:
    return FirstSeen(np.empty(0, np.uint64), np.empty(0, np.float64))


def _seen(before: FirstSeen, snapshot: Snapshot) -> FirstSeen:
    """The live handles of unknown birth; a handle that was seen before keeps its time."""
    handles = snapshot.handles
    ids = np.sort(handles.ids[alive(handles) & np.isnan(handles.created_at)])
    at = np.full(len(ids), snapshot.taken_at)
    if len(before.ids):
        old = np.searchsorted(before.ids, ids)
        old[old == len(before.ids)] = 0
        stays = before.ids[old] == ids
        at[stays] = before.at[old[stays]]
    return FirstSeen(ids, at)


def _native_refs(snapshot: Snapshot) -> tuple[Ids, Ints]:
    """Each object whose count is known, by handle ascending.

    It has its oldest handle and its native references.
    """
    handles = snapshot.handles
    rows = np.flatnonzero(
        alive(handles)
        & (handles.addresses != 0)
        & (handles.strong != UNKNOWN)
        & (handles.proxies != UNKNOWN)
    )
    rows = rows[np.argsort(handles.created_at[rows], kind="stable")]
    _, oldest = np.unique(handles.addresses[rows], return_index=True)
    rows = rows[oldest]
    rows = rows[np.argsort(handles.ids[rows])]
    return handles.ids[rows], handles.native_refs[rows]


def _followed(before: Drift, ids: Ids, refs: Ints, at: float, gap_secs: float) -> Drift:
    """The next state of the drift.

    Ended objects are forgotten; objects whose references fell start again.
    """
    first, rises, risen_at = refs.copy(), np.zeros(len(refs), np.int64), np.full(len(refs), np.nan)
    if len(before.ids):
        old = np.searchsorted(before.ids, ids)
        old[old == len(before.ids)] = 0
        stays = (before.ids[old] == ids) & (refs >= before.newest[old])
        kept = old[stays]
        with np.errstate(invalid="ignore"):
            rose = (refs[stays] > before.newest[kept]) & ~(at - before.risen_at[kept] < gap_secs)
        first[stays] = before.first[kept]
        rises[stays] = before.rises[kept] + rose
        risen_at[stays] = np.where(rose, at, before.risen_at[kept])
    return Drift(ids, first, refs, rises, risen_at)
