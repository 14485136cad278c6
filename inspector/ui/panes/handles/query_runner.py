"""Computes arrangements: small ones at once, large ones on a worker, only the newest of several.

GUI thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Signal

from inspector.model.grouping import Arrangement, Query, arrange, hold
from inspector.model.snapshot import Snapshot
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner

LARGE: Final = 50_000
"""Rows of a snapshot from which on sorting would cost more than a frame."""


class QueryRunner(QObject):
    """Turns snapshots and queries into arrangements."""

    arranged = Signal(object)
    """``Arrangement``; GUI thread."""
    failed = Signal(str)
    """A request failed, which is a defect: the text to show."""

    def __init__(
        self, runner: BackgroundRunner, parent: QObject | None = None, *, large: int = LARGE
    ) -> None:
        """``runner`` runs the large requests."""
        super().__init__(parent)
        self._large = large
        self._work = LatestWork(
            self, runner, self._take_next, on_result=self._deliver, on_error=self._fail
        )
        self._latest: Arrangement | None = None
        self._next: tuple[Snapshot, Query, bool] | None = None

    def request(self, snapshot: Snapshot, query: Query, *, held: bool) -> None:
        """Arrange; ``held`` keeps the order of the last delivery."""
        if len(snapshot.handles) < self._large and not self._work.is_busy:
            self._deliver(_arranged(self._latest if held else None, snapshot, query))
            return
        self._next = (snapshot, query, held)
        self._work.ask()

    def forget(self) -> None:
        """Deliver no earlier request any more, and hold no order."""
        self._work.forget()
        self._next = self._latest = None

    def _deliver(self, made: Arrangement) -> None:
        self._latest = made
        self.arranged.emit(made)

    def _take_next(self) -> Callable[[], Arrangement] | None:
        if self._next is None:
            return None
        (snapshot, query, held), self._next = self._next, None
        previous = self._latest if held else None
        return lambda: _arranged(previous, snapshot, query)

    def _fail(self, error: BaseException) -> None:
        self.failed.emit(f"the table could not be arranged: {error}")


def _arranged(previous: Arrangement | None, snapshot: Snapshot, query: Query) -> Arrangement:
    """In the order of ``previous`` where that is held; any thread."""
    return arrange(snapshot, query) if previous is None else hold(previous, snapshot, query)
