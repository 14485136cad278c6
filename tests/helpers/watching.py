"""Watches a target through a real session and waits for expected snapshots, without sleeping."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from inspector.model.findings.trend import Trend
from inspector.model.snapshot import Snapshot, Vitals
from inspector.session.live import LiveSession
from inspector.vocabulary import Level, Reference

PATIENCE_SECS = 60.0
"""How long an expectation may take to come true: a guard against hanging, no expectation about
speed."""
Seen = TypeVar("Seen")


class Watch:
    """The newest snapshot of a session, and a way to wait for another."""

    def __init__(self, session: LiveSession) -> None:
        """Listen to every snapshot of ``session``."""
        self.session = session
        self._changed = threading.Condition()
        self._latest: Snapshot | None = None

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """As ``SessionListener``."""
        with self._changed:
            self._latest = snapshot
            self._changed.notify_all()

    def on_vitals(self, vitals: Vitals) -> None:
        """As ``SessionListener``."""

    def until(self, look: Callable[[Snapshot], Seen], expected: Seen) -> Snapshot:
        """The first snapshot that satisfies ``look``; an assertion with the last one otherwise."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._latest is not None and look(self._latest) == expected, PATIENCE_SECS
            )
            assert self._latest is not None, "the session had no snapshot"
            assert look(self._latest) == expected
            return self._latest

    def sampled_from_now(self) -> Snapshot:
        """The first snapshot with rows and counts that were read after this call.

        A snapshot says when its pass over the counts ended, so the second pass is waited for.
        """
        at = time.time()
        first = self.until(lambda seen: seen.sampled_at > at and seen.taken_at > at, True)
        return self.until(lambda seen: seen.sampled_at > first.sampled_at, True)


def rounds_of_looks(trend: Trend, least: int) -> Iterator[int]:
    """Numbers of rounds, for a program that acts and is looked at once a round.

    At least ``least``, and then until each quarter of the time has a look: a round takes as long as
    the machine lets it.
    """
    began = time.monotonic()
    for number in itertools.count(1):
        yield number
        if number >= least and trend.covers_all_stretches():
            return
        assert time.monotonic() - began < PATIENCE_SECS or number < least


@contextmanager
def watched(path: str | Path, *, level: Level | None = None) -> Iterator[Watch]:
    """A live session on a segment, 20 snapshots a second, at its own idle level unless another
    is asked for."""
    session = LiveSession(Path(path), level=level)
    watch = Watch(session)
    session.set_interval(snapshot_secs=0.05, vitals_secs=0.05)
    unsubscribe = session.subscribe(watch)
    try:
        yield watch
    finally:
        unsubscribe()
        session.end()
        session.join()


def counts(type_name: str) -> Callable[[Snapshot], list[tuple[int, int, int, int]]]:
    """Looks at the live rows of a type.

    ``(strong, weak, proxies, native_refs)`` of each, sorted.
    """

    def look(snapshot: Snapshot) -> list[tuple[int, int, int, int]]:
        handles, kinds = (
            snapshot.handles,
            {index for index, row in snapshot.types.items() if row.name == type_name},
        )
        return sorted(
            (
                int(handles.strong[row]),
                int(handles.weak[row]),
                int(handles.proxies[row]),
                int(handles.native_refs[row]),
            )
            for row in range(len(handles))
            if int(handles.types[row]) in kinds and handles.references[row] == Reference.LIVE
        )

    return look


def ended(type_name: str) -> Callable[[Snapshot], list[str]]:
    """Looks at the tombstones of a type: how each ended, sorted by name."""

    def look(snapshot: Snapshot) -> list[str]:
        handles, kinds = (
            snapshot.handles,
            {index for index, row in snapshot.types.items() if row.name == type_name},
        )
        return sorted(
            Reference(int(handles.references[row])).name
            for row in range(len(handles))
            if int(handles.types[row]) in kinds
            and handles.references[row] in (Reference.RELEASED, Reference.DROPPED)
        )

    return look
