"""Sessions over one snapshot that does not change: what a dead target left, and what a file holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from inspector.errors import ControlError
from inspector.model.snapshot import Level, Snapshot
from inspector.session.protocol import Capabilities, CloseAnswer, GcReport, SessionListener


class StaticSession:
    """A ``Session`` that can show and cannot act. Any thread."""

    def __init__(self, snapshot: Snapshot, *, reason: str) -> None:
        """Show ``snapshot``; ``reason`` says why nothing can be asked of its target, a sentence without a full stop."""
        self._snapshot = snapshot
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
        """Nothing will be told: ``latest`` is all there is."""
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

    def close_handles(self, handles: Sequence[int], *, although_held: bool = False) -> Future[tuple[CloseAnswer, ...]]:
        """Fails with ``ControlError``."""
        return self._refuse()

    def end(self) -> None:
        """Without effect."""

    def _refuse(self) -> Future[Any]:
        refusal: Future[Any] = Future()
        refusal.set_exception(ControlError(self._capabilities.reason))
        return refusal
