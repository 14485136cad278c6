"""How counts moved while the viewer looked: what rules need that one snapshot cannot tell.

Bounded: after ``CAPACITY`` observations every second one of the older half goes. Owned by whoever judges, one thread at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.limits import Limit
from inspector.model.snapshot import UNKNOWN, Ids, Ints, Snapshot
from inspector.model.states import alive

CAPACITY: Final = 240
MIN_GAP_SECS: Final = 0.2
"""Observations that follow sooner are left out."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Counters at one moment. Arrays are indexed by type."""

    at: float
    live: Ints
    created: Ints
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """Native references of objects over time, one element an object that lives. An object is named by the oldest of its handles."""

    ids: Ids
    """Ascending."""
    first: Ints
    """Native references when they last fell, or when the object was first seen."""
    newest: Ints
    rises: Ints
    """Observations since then in which there were more than in the one before."""


class Trend:
    """Observations of one target, oldest first."""

    def __init__(self, *, capacity: int = CAPACITY, min_gap_secs: float = MIN_GAP_SECS) -> None:
        """Nothing was observed yet."""
        self._capacity = max(capacity, 8)
        self._min_gap_secs = min_gap_secs
        self._target: tuple[int, int] | None = None
        self.observations: list[Observation] = []
        self.drift = _no_drift()

    @property
    def span_secs(self) -> float:
        """From the first observation to the newest."""
        return self.observations[-1].at - self.observations[0].at if self.observations else 0.0

    def observe(self, snapshot: Snapshot) -> bool:
        """Take a snapshot; ``False`` when it is not newer than the last one. That of another target begins anew."""
        target = (snapshot.target.pid, snapshot.target.start_time)
        if target != self._target:
            self._target, self.observations, self.drift = target, [], _no_drift()
        if self.observations and snapshot.taken_at - self.observations[-1].at < self._min_gap_secs:
            return False
        vitals = snapshot.vitals
        self.observations.append(Observation(snapshot.taken_at, vitals.live_by_type(), vitals.created, snapshot.limits))
        if len(self.observations) > self._capacity:
            half = self._capacity // 2
            self.observations = self.observations[:half:2] + self.observations[half:]
        self.drift = _followed(self.drift, *_native_refs(snapshot))
        return True

    def live_of(self, type_index: int) -> tuple[list[float], list[int]]:
        """Moments and live handles of a type; a type that was not there yet had none."""
        return [each.at for each in self.observations], [
            int(each.live[type_index]) if type_index < len(each.live) else 0 for each in self.observations
        ]


def _no_drift() -> Drift:
    return Drift(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


def _native_refs(snapshot: Snapshot) -> tuple[Ids, Ints]:
    """Each object whose count is known: its oldest handle and its native references, by handle ascending."""
    handles = snapshot.handles
    rows = np.flatnonzero(alive(handles) & (handles.addresses != 0) & (handles.strong != UNKNOWN) & (handles.proxies != UNKNOWN))
    rows = rows[np.argsort(handles.created_at[rows], kind="stable")]
    _, oldest = np.unique(handles.addresses[rows], return_index=True)
    rows = rows[oldest]
    rows = rows[np.argsort(handles.ids[rows])]
    return handles.ids[rows], handles.native_refs[rows]


def _followed(before: Drift, ids: Ids, refs: Ints) -> Drift:
    """The next state of the drift: objects that went are forgotten, those whose references fell begin anew."""
    first, rises = refs.copy(), np.zeros(len(refs), np.int64)
    if len(before.ids):
        at = np.searchsorted(before.ids, ids)
        at[at == len(before.ids)] = 0
        stays = (before.ids[at] == ids) & (refs >= before.newest[at])
        first[stays] = before.first[at[stays]]
        rises[stays] = before.rises[at[stays]] + (refs[stays] > before.newest[at[stays]])
    return Drift(ids, first, refs, rises)
