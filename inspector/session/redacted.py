"""A session without private parts, for pictures: its window shows what a colleague may see.

Any thread: each answer is redacted under one lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.snapshot import Snapshot, Vitals
from inspector.session.private_facts import private_facts
from inspector.session.protocol import Session, SessionListener

Answer = TypeVar("Answer")
_ANSWERS: Final = frozenset(
    {
        "native_holders",
        "retainers",
        "cycles",
        "coverage",
        "follow",
        "notices",
        "preview_close",
        "audit",
        "stacks",
    }
)
"""Questions whose answers have texts of the target."""


class RedactedSession:
    """A ``Session`` whose snapshots and answers have no private parts."""

    def __init__(self, session: Session, kept: Kept = NOTHING_KEPT) -> None:
        """Pass ``session`` on; ``kept``: private parts that stay."""
        self._session = session
        self._kept = kept
        self._lock = threading.Lock()
        self._redactor: Redactor | None = None
        self._newest: tuple[Snapshot, Snapshot] | None = None

    def __getattr__(self, name: str) -> Any:
        """The part of the session; questions get redacted answers."""
        part = getattr(self._session, name)
        if name not in _ANSWERS:
            return part
        return lambda *words, **named: self._answer(part(*words, **named))

    @property
    def latest(self) -> Snapshot | None:
        """Newest snapshot; ``None`` before the first."""
        snapshot = self._session.latest
        return None if snapshot is None else self._redacted(snapshot)

    def subscribe(self, listener: SessionListener) -> Callable[[], None]:
        """Listen to everything from now on; the result ends that."""
        return self._session.subscribe(_Redacting(listener, self._redacted))

    def left_out(self) -> str:
        """The private parts that were left out so far, in words; may be empty."""
        with self._lock:
            return self._redactor.sentence() if self._redactor is not None else ""

    def _redacted(self, snapshot: Snapshot) -> Snapshot:
        with self._lock:
            if self._newest is None or self._newest[0] is not snapshot:
                if self._redactor is None:
                    self._redactor = Redactor(private_facts(snapshot.target.pid), self._kept)
                self._newest = snapshot, self._redactor.snapshot(snapshot)
            return self._newest[1]

    def _answer(self, future: Future[Answer]) -> Future[Answer]:
        result: Future[Answer] = Future()

        def finish(done: Future[Answer]) -> None:
            try:
                with self._lock:
                    redactor = self._redactor or Redactor(private_facts(), self._kept)
                    result.set_result(redactor.of(done.result()))
            except BaseException as error:
                result.set_exception(error)

        future.add_done_callback(finish)
        return result


class _Redacting:
    """A listener that passes redacted snapshots on; pump thread."""

    def __init__(self, listener: SessionListener, redacted: Callable[[Snapshot], Snapshot]) -> None:
        self._listener = listener
        self._redacted = redacted

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Redact it and pass it on."""
        self._listener.on_snapshot(self._redacted(snapshot))

    def on_vitals(self, vitals: Vitals) -> None:
        """Counters have no texts."""
        self._listener.on_vitals(vitals)
