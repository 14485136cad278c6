"""Ticks of a target's clock as seconds since the Unix epoch.

Pure; any thread. A tick of 0 means *not recorded* and becomes ``nan``; so does a moment that no
calendar has, of a damaged segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspector.model.fields import FLOAT_LIMIT
from inspector.model.snapshot import Floats

NANOS_PER_SEC = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """The anchor of a segment's header.

    At ``anchor_ticks`` the wall clock showed ``anchor_unix_nanos``.
    """

    anchor_ticks: int
    anchor_unix_nanos: int
    ticks_per_sec: int
    """At least 1."""

    @property
    def anchor_secs(self) -> float:
        """The wall clock's time at the anchor, seconds since the Unix epoch."""
        return self.anchor_unix_nanos / NANOS_PER_SEC

    def secs(self, ticks: int) -> float:
        """One moment."""
        if ticks == 0:
            return float("nan")
        moment = self.anchor_secs + (ticks - self.anchor_ticks) / self.ticks_per_sec
        return moment if 0 <= moment <= FLOAT_LIMIT else float("nan")

    def column(self, ticks: npt.NDArray[np.uint64]) -> Floats:
        """Many moments.

        Differences are taken as integers: a tick count alone has too many digits for a float.
        """
        since_anchor = (ticks - np.uint64(self.anchor_ticks)).view(np.int64)
        moments = since_anchor.astype(np.float64)
        moments /= self.ticks_per_sec
        moments += self.anchor_secs
        moments[(ticks == 0) | (moments < 0) | (moments > FLOAT_LIMIT)] = np.nan
        return moments

    def span(self, earlier_ticks: int, later_ticks: int) -> float:
        """Seconds from one moment to another; ``nan`` when either was not recorded."""
        if earlier_ticks == 0 or later_ticks == 0:
            return float("nan")
        return (later_ticks - earlier_ticks) / self.ticks_per_sec
