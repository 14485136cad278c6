"""The adapter of our own runtime, whose rows are native: it names the holders of proxies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inspector.agent.adapters.own_boundary import OwnBoundary
from inspector.agent.adapters.protocol import CloseVerdict
from inspector.agent.referrers import describe_referrers


class OwnRuntimeAdapter:
    """Finds proxies of ``inspector.runtime`` by their handle. Sets no hook, keeps no row."""

    __slots__ = ("boundary",)

    boundary: OwnBoundary
    """The holders across the boundary."""

    def __init__(self) -> None:
        """Has nothing to prepare."""
        self.boundary = OwnBoundary()

    @property
    def name(self) -> str:
        """``own``."""
        return "own"

    def attach(self) -> None:
        """Nothing to set: the runtime has its hooks built in."""

    def detach(self) -> None:
        """Nothing to undo."""

    def scan(self) -> Iterator[int]:
        """Nothing to find: every handle is recorded from its birth."""
        return iter(())

    def poll(self) -> None:
        """Nothing to reconcile."""

    def owns(self, row: int) -> bool:
        """Whether a live proxy has this handle."""
        return self.boundary.python_object(row) is not None

    def close(
        self,
        row: int,
        *,
        although_held: bool,
        preview: bool,
        withdraw_after_secs: float | None = None,
    ) -> CloseVerdict:
        """Never asked of it: native code closes these."""
        return CloseVerdict("refused", "native code closes this type itself")

    def referrers(self, row: int) -> Sequence[str]:
        """The holders of the proxy."""
        proxy = self.boundary.python_object(row)
        return [] if proxy is None else describe_referrers(proxy)
