"""The newest values of all metrics, for exporters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from inspector.model.metrics.families import (
    LOOK_SECS,
    LOOKED_AT,
    PUSHES_FAILED,
    UNREADABLE,
    Series,
)
from inspector.model.metrics.totals import MOST_SETS, Totals, Values
from inspector.session.host_watch import HostWatch


@dataclass(frozen=True, slots=True)
class Published:
    """The values of one look."""

    values: Values
    began_at: float
    """When counting began, seconds since the Unix epoch."""
    at: float
    """When the look was made."""


class MetricsHub:
    """Looks at the host and keeps the newest values.

    ``look`` and ``close`` belong to one thread; any thread may read ``published``.
    """

    def __init__(
        self,
        watch: HostWatch | None = None,
        *,
        most_sets: int = MOST_SETS,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is published before the first look. ``steady`` measures how long a look takes."""
        self._watch = watch or HostWatch()
        self._totals = Totals(most_sets)
        self._steady = steady
        self._began_at: float | None = None
        self.pushes_failed = 0
        self.published: Published | None = None

    def look(self) -> Published:
        """Read all processes."""
        began = self._steady()
        reading = self._watch.look()
        values = self._totals.take(reading.processes)
        if self._began_at is None:
            self._began_at = reading.at
        values |= {
            Series(UNREADABLE, ()): reading.unreadable,
            Series(LOOKED_AT, ()): reading.at,
            Series(PUSHES_FAILED, ()): self.pushes_failed,
            Series(LOOK_SECS, ()): self._steady() - began,
        }
        self.published = Published(values, self._began_at, reading.at)
        return self.published

    def close(self) -> None:
        """Read no more."""
        self._watch.close()
