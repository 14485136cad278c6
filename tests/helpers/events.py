"""Builds events for tests."""

from __future__ import annotations

import numpy as np

from inspector.model.events import Events, joined
from inspector.vocabulary import EventKind

Described = tuple[float, str, int] | tuple[float, str, int, int] | tuple[float, str, int, int, int]


def events_of(*described: Described, thread: int = 1, site: int = 0) -> Events:
    """One event a tuple: ``(at, kind, handle, count, thread)``; the last two may be left out."""
    rows = [(*each, *(0, thread)[len(each) - 3 :]) for each in described]
    return joined(
        [
            Events(
                at=np.array([row[0] for row in rows], np.float64),
                kinds=np.array([EventKind[str(row[1]).upper()] for row in rows], np.uint8),
                handles=np.array([row[2] for row in rows], np.uint64),
                addresses=np.zeros(len(rows), np.uint64),
                counts=np.array([row[3] for row in rows], np.int64),
                threads=np.array([row[4] for row in rows], np.int64),
                sites=np.full(len(rows), site, np.int64),
                types=np.zeros(len(rows), np.int64),
                numbers=np.arange(len(rows), dtype=np.uint64),
            )
        ]
    )
