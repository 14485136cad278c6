"""The states before a moment of a recording, so that it is judged as it was when it was recorded.

Worker threads: a state is read from the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from inspector.errors import InspectorError
from inspector.model.snapshot import Snapshot, Vitals
from inspector.session.protocol import Replay

MOST_STATES: Final = 32
"""States that are read, spread over the time before the moment."""


def states_before(replay: Replay | None, at: float) -> Iterator[Snapshot]:
    """States before ``at``, oldest first; none without a recording, or once it is closed."""
    if replay is None:
        return
    earlier = replay.moments[replay.moments < at]
    places = np.unique(np.linspace(0, len(earlier) - 1, MOST_STATES).round().astype(int))
    for place in places if len(earlier) else ():
        try:
            yield replay.state_at(float(earlier[place])).result()
        except InspectorError:
            return


def vitals_before(replay: Replay | None, at: float) -> Iterator[Vitals]:
    """Counters up to ``at``, oldest first."""
    if replay is not None:
        yield from (vitals for vitals in replay.vitals if vitals.at <= at)
