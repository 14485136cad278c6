"""Reports garbage collections to the recorder.

Runs in ``gc.callbacks``, on the collecting thread; well under a microsecond.
"""

from __future__ import annotations

import gc
import threading
from typing import Final

from inspector.wire import lib

FULL_GENERATION: Final = 2


class GcHook:
    """Logs every full collection, and each young collection that freed something."""

    __slots__ = ("_began_ticks", "_forced_on")

    def __init__(self) -> None:
        """Nothing is set until ``attach``."""
        self._began_ticks = 0
        # Identity of the thread that forces a collection now; 0: none. Collections do not nest, so
        # a single thread is enough.
        self._forced_on = 0

    def attach(self) -> None:
        """Log collections from now on."""
        gc.callbacks.append(self._collected)

    def detach(self) -> None:
        """Undo ``attach``. Twice does nothing."""
        if self._collected in gc.callbacks:
            gc.callbacks.remove(self._collected)

    def force(self) -> tuple[int, int]:
        """Collect everything now, logged as forced.

        Returns the number of collected and of uncollectable objects.
        """
        before = sum(generation["uncollectable"] for generation in gc.get_stats())
        self._forced_on = threading.get_ident()
        try:
            collected = gc.collect()
        finally:
            self._forced_on = 0
        return collected, sum(generation["uncollectable"] for generation in gc.get_stats()) - before

    def _collected(self, phase: str, details: dict[str, int]) -> None:
        """Handle the start and stop of each collection.

        The interpreter calls it, with the GIL held throughout.
        """
        now_ticks = lib.ai_ticks()
        if phase == "start":
            self._began_ticks = now_ticks
            return
        generation, collected = details["generation"], details["collected"]
        if collected or generation == FULL_GENERATION:
            is_forced = self._forced_on == threading.get_ident()
            lib.ai_gc(self._began_ticks, 0, collected, generation, is_forced)
