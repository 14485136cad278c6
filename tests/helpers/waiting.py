"""Waits for a session's answers, without sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable

from inspector.model.snapshot import Snapshot, Vitals
from inspector.session.protocol import Session

PATIENCE_SECS = 60.0
"""A guard against hanging, no expectation about speed."""


class Follower:
    """A listener that keeps the newest snapshot and lets a test wait for a good snapshot."""

    def __init__(self, session: Session) -> None:
        """Follow ``session`` from now on; ``leave`` ends that."""
        self.heard = 0
        """Snapshots heard of."""
        self._session = session
        self._changed = threading.Condition()
        self._vitals = 0
        self.leave = session.subscribe(self)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Pump thread."""
        with self._changed:
            self.heard += 1
            self._changed.notify_all()

    def on_vitals(self, vitals: Vitals) -> None:
        """Pump thread."""
        with self._changed:
            self._vitals += 1
            self._changed.notify_all()

    def wait(
        self, is_good: Callable[[Snapshot], bool], *, patience_secs: float = PATIENCE_SECS
    ) -> Snapshot:
        """The first newest snapshot that is good."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: self._session.latest is not None and is_good(self._session.latest),
                patience_secs,
            )
        latest = self._session.latest
        if not done or latest is None:
            raise AssertionError(
                f"no such snapshot within {patience_secs:.0f} s; the newest: "
                f"{latest and latest.target}"
            )
        return latest

    def wait_vitals(self) -> None:
        """Until counters arrived after this call."""
        with self._changed:
            before = self._vitals
            assert self._changed.wait_for(lambda: self._vitals > before, PATIENCE_SECS), (
                "no counters were told"
            )
