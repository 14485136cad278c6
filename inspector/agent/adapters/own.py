"""The adapter of our own runtime: its rows are kept by native code, so this one only says who holds the proxies."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence

from inspector.agent.adapters.protocol import CloseVerdict
from inspector.agent.referrers import describe_referrers
from inspector.runtime.handles import Handle


class OwnRuntimeAdapter:
    """Finds proxies of ``inspector.runtime`` by their handle. Sets no hook, keeps no row."""

    __slots__ = ()

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
        return self._proxy(row) is not None

    def close(self, row: int, *, although_held: bool, preview: bool) -> CloseVerdict:
        """Never asked of it: native code closes these."""
        return CloseVerdict("refused", "native code closes this type itself")

    def referrers(self, row: int) -> Sequence[str]:
        """Who holds the proxy."""
        proxy = self._proxy(row)
        return [] if proxy is None else describe_referrers(proxy)

    def _proxy(self, row: int) -> Handle | None:
        """The proxy that owns a handle. Looks at every object of the program: only on request."""
        for thing in gc.get_objects():
            if isinstance(thing, Handle) and getattr(thing, "_is_owned", False) and thing.handle == row:
                return thing
        return None
