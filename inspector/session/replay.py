"""A recorded session played again: a ``Session`` at a recorded moment, which can be changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from inspector.errors import FileFormatError
from inspector.model.events import EventBatch, EventCursor, no_events
from inspector.model.snapshot import Floats, Snapshot, TargetState, Vitals
from inspector.session.fixed_session import FixedSession, refused
from inspector.session.protocol import SessionListener
from inspector.session.session_file import SessionFile
from inspector.session.subscribers import Subscribers

REASON: Final = "this is a recording: there is no process behind it"

Result = TypeVar("Result")


class ReplaySession(FixedSession):
    """A ``Session`` that cannot act, and a ``Replay``.

    Begins at the last recorded moment. ``end`` it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file. Raises ``FileFormatError``."""
        self._file = SessionFile(path)
        self.moments: Floats = self._file.moments
        self.vitals: tuple[Vitals, ...] = self._file.vitals
        self.marks: tuple[tuple[float, str], ...] = self._file.marks
        self.trouble = self._file.trouble
        self._subscribers = Subscribers()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="replay")
        self._lock = threading.Lock()
        self._wanted = len(self.moments) - 1
        self._serial = 0
        try:
            first = self._recorded(self._file.snapshot(self._wanted))
        except FileFormatError as error:
            self.end()
            raise FileFormatError(f"{error}: {path}") from None
        super().__init__(first, reason=REASON)

    def seek(self, at: float) -> None:
        """Move to the last recorded moment at or before ``at``, and inform the listeners.

        Without such a moment: move to the first.

        Any thread, returns at once. If requests come faster than they can be read, the newest
        counts.
        """
        number = max(int(np.searchsorted(self.moments, at, side="right")) - 1, 0)
        with self._lock:
            if number == self._wanted:
                return
            self._wanted = number
        self._submit(lambda: self._show(number))

    def state_at(self, at: float) -> Future[Snapshot]:
        """The snapshot of that moment, without moving there."""
        number = max(int(np.searchsorted(self.moments, at, side="right")) - 1, 0)
        return self._submit(lambda: self._recorded(self._file.snapshot(number)))

    def subscribe(self, listener: SessionListener) -> Callable[[], None]:
        """Listen to each moment that is chosen; the result ends that."""
        return self._subscribers.add(listener)

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        """All that was recorded, once."""
        if after is not None:
            nothing: Future[EventBatch] = Future()
            nothing.set_result(EventBatch(no_events(), after))
            return nothing
        return self._submit(lambda: EventBatch(self._file.events, EventCursor()))

    def end(self) -> None:
        """Close the file."""
        self._reader.shutdown(wait=True, cancel_futures=True)
        self._file.close()

    def _show(self, number: int) -> None:
        with self._lock:
            if number != self._wanted:
                return
        try:
            self._snapshot = self._recorded(self._file.snapshot(number))
        except FileFormatError as error:
            target = replace(self._snapshot.target, reason=f"this moment cannot be read: {error}")
            self._snapshot = replace(self._snapshot, serial=self._next_serial(), target=target)
        self._subscribers.tell_snapshot(self._snapshot)

    def _recorded(self, snapshot: Snapshot) -> Snapshot:
        """As part of a recording: its target does nothing any more."""
        target = snapshot.target
        then = (
            ""
            if target.state is TargetState.LIVE
            else (f"at this moment the target was {target.state}")
        )
        why = "; ".join(filter(None, (then, self.trouble)))
        target = replace(
            target,
            state=TargetState.RECORDED,
            reason=why,
            state_since=snapshot.taken_at,
            state_then=str(target.state),
        )
        return replace(snapshot, serial=self._next_serial(), target=target)

    def _next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def _submit(self, work: Callable[[], Result]) -> Future[Result]:
        try:
            return self._reader.submit(work)
        except RuntimeError:  # it was ended
            return refused("the recording was closed")
