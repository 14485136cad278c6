"""Sessions over one snapshot that does not change: a dead target's last state, or a file's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from inspector.errors import ControlError
from inspector.model.events import EventBatch, EventCursor, no_events
from inspector.model.findings.leads import Coverage
from inspector.model.holders import CycleReport, NativeHolders, Retainers
from inspector.model.snapshot import Snapshot
from inspector.model.stack_reading import StackReading
from inspector.session.protocol import (
    AuditLog,
    Capabilities,
    CloseAnswer,
    DrainReport,
    GcReport,
    SessionListener,
)
from inspector.session.searching import Search
from inspector.vocabulary import Level


class FixedSession:
    """A ``Session`` that can show and cannot act. Any thread."""

    def __init__(
        self, snapshot: Snapshot, *, reason: str, events: EventBatch | None = None
    ) -> None:
        """Show ``snapshot``.

        ``reason`` says why nothing can be asked of its target, a sentence without a full stop.

        ``events``: the events, as far as they are known; ``None``: nothing was kept.
        """
        self._snapshot = snapshot
        self._events = events
        self._capabilities = Capabilities(act=False, reason=reason, levels=False)

    @property
    def latest(self) -> Snapshot:
        """The snapshot."""
        return self._snapshot

    @property
    def capabilities(self) -> Capabilities:
        """None, and why."""
        return self._capabilities

    def subscribe(self, listener: SessionListener) -> Callable[[], None]:
        """No news will come: ``latest`` is all there is."""
        return lambda: None

    def set_interval(self, *, snapshot_secs: float, vitals_secs: float) -> None:
        """Without effect."""

    def set_level(self, level: Level) -> Future[Level]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def force_gc(self) -> Future[GcReport]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def preview_close(self, handles: Sequence[int]) -> Future[tuple[CloseAnswer, ...]]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def close_handles(
        self,
        handles: Sequence[int],
        *,
        although_held: bool = False,
        deadline_secs: float | None = None,
    ) -> Future[tuple[CloseAnswer, ...]]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        """All that was kept, once: after that nothing more comes.

        Fails with ``ControlError`` when none were.
        """
        if self._events is None:
            return refused("events were not kept here")
        batch: Future[EventBatch] = Future()
        batch.set_result(self._events if after is None else EventBatch(no_events(), after))
        return batch

    def drain(self) -> Future[DrainReport]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def cancel_close(self, handle: int) -> Future[bool]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def native_holders(self, handle: int) -> Future[NativeHolders]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def retainers(self, handle: int, search: Search) -> Future[Retainers]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def cycles(self, handle: int, search: Search) -> Future[CycleReport]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def set_type_level(self, type_index: int, level: Level | None) -> Future[None]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def audit(self) -> Future[AuditLog]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def stacks(self) -> Future[StackReading]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def remove_agent(self) -> Future[str]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def notices(self) -> Future[tuple[str, ...]]:
        """None."""
        none: Future[tuple[str, ...]] = Future()
        none.set_result(())
        return none

    def coverage(self) -> Future[Coverage]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def follow(self, module: str) -> Future[Coverage]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def end(self) -> None:
        """Without effect."""

    def _refuse(self) -> Future[Any]:
        return refused(self._capabilities.reason)


def refused(reason: str) -> Future[Any]:
    """A future that has failed with ``ControlError``."""
    refusal: Future[Any] = Future()
    refusal.set_exception(ControlError(reason))
    return refusal
