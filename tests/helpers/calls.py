"""Calls in flight of a snapshot, in the words of tests."""

from __future__ import annotations

import numpy as np

from inspector.model.calls import calls_in_flight
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Reference

Counts = tuple[int, int, int, int]

LONGER_AND_LONGER_MILLIS = (500, 5_000, 50_000)
"""Durations of a call for a test that has to do something while it is in flight: the next one is
tried where the call before it ended too soon."""


def flying(snapshot: Snapshot, type_name: str) -> list[Counts]:
    """Strong count, proxies, native references and calls in flight of each live row of a type."""
    handles, types = snapshot.handles, snapshot.types
    live = np.flatnonzero(handles.references == Reference.LIVE).tolist()
    rows = [row for row in live if types[int(handles.types[row])].name == type_name]
    columns = (handles.strong, handles.proxies, handles.native_refs, handles.in_flight)
    return list(zip(*(column[rows].tolist() for column in columns), strict=True))


def running(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """Method, thread and line of each call that runs, sorted."""
    calls = calls_in_flight(snapshot)
    places = [site.short() if site else "" for site in map(calls.site, range(len(calls)))]
    return sorted(
        (calls.type_name(at), calls.threads[at].label, places[at]) for at in range(len(calls))
    )
