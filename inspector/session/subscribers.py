"""The listeners of a session's snapshots.

Subscribing works from any thread; listeners are called on the pump thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from inspector.model.snapshot import Snapshot, Vitals
from inspector.session.protocol import SessionListener


class Subscribers:
    """A set of listeners that may change while they are called."""

    def __init__(self) -> None:
        """There is no listener yet."""
        self._lock = threading.Lock()
        self._listeners: tuple[SessionListener, ...] = ()

    def add(self, listener: SessionListener) -> Callable[[], None]:
        """Call ``listener`` from now on; the result ends that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return lambda: self._remove(listener)

    def tell_snapshot(self, snapshot: Snapshot) -> None:
        """Calls all listeners, in the order of subscription."""
        for listener in self._listeners:
            listener.on_snapshot(snapshot)

    def tell_vitals(self, vitals: Vitals) -> None:
        """Calls all listeners, in the order of subscription."""
        for listener in self._listeners:
            listener.on_vitals(vitals)

    def _remove(self, listener: SessionListener) -> None:
        with self._lock:
            self._listeners = tuple(each for each in self._listeners if each is not listener)
