"""The one place where other threads meet the window.

A session calls its listener on its pump thread; futures finish wherever. ``Bridge`` and
``BackgroundRunner`` queue both to the GUI thread, so no widget ever sees another thread. Both live
on the GUI thread; methods for other threads say so.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import count
from typing import Any, Final, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from inspector.model.caps import WAITING_VITALS, Use
from inspector.model.objects import object_count
from inspector.model.pending import closing_rows, requested_rows
from inspector.model.snapshot import Snapshot, Vitals, count_live
from inspector.model.stillness import newest_change
from inspector.model.threads import handle_counts
from inspector.session.protocol import Session
from inspector.ui.session.garbage import garbage_collection

SHOWN_FACTS: Final = (
    count_live,
    object_count,
    newest_change,
    requested_rows,
    closing_rows,
    handle_counts,
)
"""Looks at all rows whose results the window shows. They are taken on the pump thread."""
MAX_WAITING_VITALS: Final = WAITING_VITALS.most
"""Beyond it the oldest are dropped and counted."""

T = TypeVar("T")


def prepare(snapshot: Snapshot) -> None:
    """Take the looks of ``SHOWN_FACTS``. Any thread but the window's."""
    for look in SHOWN_FACTS:
        snapshot.fact(look)


class Gate:
    """Lets calls of other threads through, until it is shut."""

    def __init__(self) -> None:
        """Open."""
        self._lock = threading.Lock()
        self._open = True

    def call(self, tell: Callable[[], None]) -> None:
        """Call it, unless the gate is shut. Any thread."""
        with self._lock:
            if self._open:
                tell()

    def shut(self) -> None:
        """Let nothing more through; a call that is under way ends first."""
        with self._lock:
            self._open = False


class Inbox:
    """Arrivals from one session that were not delivered yet.

    Locked; ``on_…`` run on the pump thread.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` on the pump thread when an arrival waits.

        No call is made while a wake-up is under way.
        """
        self._wake = wake
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._vitals: deque[Vitals] = deque()
        self._told = False
        self._open = True
        self.skipped = 0
        """Snapshots that a newer one replaced before the window saw them."""
        self.dropped_vitals = 0

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the newest, and have its facts ready."""
        prepare(snapshot)
        with self._lock:
            if self._snapshot is not None:
                self.skipped += 1
            self._snapshot = snapshot
        self._tell()

    def on_vitals(self, vitals: Vitals) -> None:
        """Keep all, up to ``MAX_WAITING_VITALS``."""
        with self._lock:
            if len(self._vitals) == MAX_WAITING_VITALS:
                self._vitals.popleft()
                self.dropped_vitals += 1
            self._vitals.append(vitals)
        self._tell()

    def take(self) -> tuple[Snapshot | None, tuple[Vitals, ...]]:
        """Everything that waits; GUI thread."""
        with self._lock:
            self._told = False
            snapshot, self._snapshot = self._snapshot, None
            vitals = tuple(self._vitals)
            self._vitals.clear()
        return snapshot, vitals

    def uses(self) -> tuple[Use, ...]:
        """The amounts that are kept."""
        return (Use(WAITING_VITALS, len(self._vitals), self.dropped_vitals),)

    def shut(self) -> None:
        """Deliver nothing any more."""
        with self._lock:
            self._open = False

    def _tell(self) -> None:
        with self._lock:
            if self._told or not self._open:
                return
            self._told = True
            self._wake()


class Bridge(QObject):
    """Delivers a session's snapshots and vitals on the GUI thread.

    It delivers the newest snapshot and all vitals.
    """

    snapshot_arrived = Signal(object)
    """``Snapshot``; GUI thread."""
    vitals_arrived = Signal(object)
    """``Vitals``, oldest first; GUI thread."""
    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        """Connected to no session."""
        super().__init__(parent)
        self._inbox: Inbox | None = None
        self._leave: Callable[[], None] | None = None
        self._woken.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def skipped(self) -> int:
        """Snapshots of this session that were replaced before they were seen."""
        return self._inbox.skipped if self._inbox else 0

    def uses(self) -> tuple[Use, ...]:
        """The amounts that are kept; none without a session."""
        return self._inbox.uses() if self._inbox else ()

    def follow(self, session: Session) -> None:
        """Deliver this session from now on, its latest snapshot first, and no other."""
        self.unfollow()
        self._inbox = Inbox(self._woken.emit)
        self._leave = session.subscribe(self._inbox)
        if session.latest is not None:
            self._inbox.on_snapshot(session.latest)

    def unfollow(self) -> None:
        """Deliver nothing more, including waiting arrivals."""
        if self._leave is not None:
            self._leave()
        if self._inbox is not None:
            self._inbox.shut()
        self._inbox = self._leave = None

    @Slot()
    def _deliver(self) -> None:
        inbox = self._inbox
        if inbox is None:
            return
        snapshot, vitals = inbox.take()
        for one in vitals:
            if self._inbox is inbox:
                self.vitals_arrived.emit(one)
        if snapshot is not None and self._inbox is inbox:
            self.snapshot_arrived.emit(snapshot)


class BackgroundRunner(QObject):
    """Runs blocking work off the GUI thread and brings its outcome, or a future's, back to it."""

    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None, *, threads: int = 2) -> None:
        """``threads`` workers, started when first needed.

        Garbage is collected on the GUI thread until ``close``.
        """
        super().__init__(parent)
        self._garbage = garbage_collection()
        self._garbage.hold(self)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="window")
        self._gate = Gate()
        self._numbers = count()
        self._watched: dict[
            int, tuple[Future[Any], Callable[[Any], None], Callable[[BaseException], None]]
        ] = {}
        self._finished.connect(self._bring, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        on_result: Callable[[T], None],
        on_error: Callable[[BaseException], None],
    ) -> Future[T]:
        """Call ``work`` on a worker thread, then a callback on the GUI thread."""
        future = self._pool.submit(work)
        self.watch(future, on_result, on_error)
        return future

    def watch(
        self,
        future: Future[T],
        on_result: Callable[[T], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        """Call a callback on the GUI thread when ``future`` is done.

        A cancelled future calls neither.

        The future itself knows neither: a future that is never done keeps nothing of a closed
        window alive.
        """
        number = next(self._numbers)
        self._watched[number] = future, on_result, on_error
        runner = weakref.ref(self)
        future.add_done_callback(lambda _done: _tell(runner(), number))

    def close(self) -> None:
        """Bring nothing more.

        Work that was asked for, such as the end of a session, is still done.
        """
        self._gate.shut()
        self._watched.clear()
        self._pool.shutdown(wait=False)
        self._garbage.release(self)

    def finish(self, number: int) -> None:
        """The future with this number is done; any thread."""
        self._gate.call(lambda: self._finished.emit(number))

    @Slot(object)
    def _bring(self, number: int) -> None:
        watched = self._watched.pop(number, None)
        if watched is None or watched[0].cancelled():
            return
        future, on_result, on_error = watched
        try:
            error = future.exception()
        except CancelledError:
            return
        if error is not None:
            on_error(error)
        else:
            on_result(future.result())


def _tell(runner: BackgroundRunner | None, number: int) -> None:
    """Any thread."""
    if runner is not None:
        runner.finish(number)
