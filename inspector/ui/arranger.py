"""Computes arrangements: small ones at once, large ones on a worker, of requests that pile up only the newest. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Signal

from inspector.model.grouping import Arrangement, Query, arrange, hold
from inspector.model.snapshot import Snapshot
from inspector.ui.bridge import Courier

LARGE: Final = 50_000
"""Rows of a snapshot from which on sorting would cost more than a frame."""


class Arranger(QObject):
    """Turns snapshots and queries into arrangements."""

    arranged = Signal(object)
    """``Arrangement``; GUI thread."""
    failed = Signal(str)
    """A request failed, which is a defect: the text to show."""

    def __init__(self, courier: Courier, parent: QObject | None = None, *, large: int = LARGE) -> None:
        """``courier`` runs the large ones."""
        super().__init__(parent)
        self._courier = courier
        self._large = large
        self._busy = False
        self._round = 0
        self._latest: Arrangement | None = None
        self._next: tuple[Snapshot, Query, bool] | None = None

    def request(self, snapshot: Snapshot, query: Query, *, held: bool) -> None:
        """Arrange; ``held`` keeps the order of what was delivered last."""
        if len(snapshot.handles) < self._large and not self._busy:
            self._deliver(self._make(snapshot, query, held=held))
            return
        self._next = (snapshot, query, held)
        self._start()

    def forget(self) -> None:
        """Deliver nothing of what was requested so far, and hold no order."""
        self._round += 1
        self._next = self._latest = None
        self._busy = False

    def _make(self, snapshot: Snapshot, query: Query, *, held: bool) -> Arrangement:
        """Any thread: one at a time."""
        previous = self._latest
        return hold(previous, snapshot, query) if held and previous is not None else arrange(snapshot, query)

    def _deliver(self, made: Arrangement) -> None:
        self._latest = made
        self.arranged.emit(made)

    def _start(self) -> None:
        if self._busy or self._next is None:
            return
        (snapshot, query, held), self._next = self._next, None
        self._busy = True
        this_round = self._round
        self._courier.run(
            lambda: self._make(snapshot, query, held=held),
            lambda made: self._done(made, this_round),
            lambda error: self._lost(error, this_round),
        )

    def _done(self, made: Arrangement, of_round: int) -> None:
        if of_round != self._round:
            return
        self._busy = False
        self._deliver(made)
        self._start()

    def _lost(self, error: BaseException, of_round: int) -> None:
        if of_round != self._round:
            return
        self._busy = False
        self.failed.emit(f"the table could not be arranged: {error}")
        self._start()
