"""Whether a segment says anything new since the last reading.

The writer's clocks, such as its heartbeat, move while nothing happens: they are no news. Owned by
the session's pump thread.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import Final

import numpy as np

from inspector.model.build import Moment, build_vitals, clock_of
from inspector.model.clock import NANOS_PER_SEC
from inspector.model.raw import RawState, RawTable, RawVitals
from inspector.model.snapshot import Snapshot

CLOCKS: Final = (
    "heartbeat_ticks",
    "interpreter_ticks",
    "sampled_at_ticks",
    "sample_nanos",
    "agent_cpu_nanos",
)
"""Fields of the header that move while nothing happens."""
CALIBRATION_SHARE: Final = 1e-5
"""The writer measures its clock again and again. A smaller change moves the age of a day by less
than a second: no news."""


class News:
    """Compares each reading of one segment with the reading before."""

    def __init__(self) -> None:
        """Everything in the first reading is new."""
        self._counters: bytes | None = None
        self._seen: tuple[bytes, bytes] | None = None
        self._rows = b""
        self._ticks_per_sec = 0

    def in_counters(self, raw: RawVitals) -> bool:
        """Whether the header or a type has changed since the last reading of counters."""
        before, self._counters = self._counters, self._still(raw)
        return before != self._counters

    def in_state(self, raw: RawState | RawTable) -> bool:
        """Whether anything has changed since the last reading of the whole state.

        A stored table knows its version. Rows of numpy are compared by a digest, and only while
        nothing else has changed.
        """
        before, self._seen = self._seen, (self._still(raw.vitals), raw.threads.tobytes())
        is_same = before == self._seen
        if isinstance(raw, RawTable):
            rows = repr(raw.table.version).encode()
        else:
            rows = _digest(raw) if is_same else b""
        old, self._rows = self._rows, rows
        return not is_same or old != rows

    def _still(self, raw: RawVitals) -> bytes:
        """The header without its clocks, and the types."""
        ticks = raw.number("ticks_per_sec")
        if abs(ticks - self._ticks_per_sec) > CALIBRATION_SHARE * self._ticks_per_sec:
            self._ticks_per_sec = ticks
        header = raw.header.copy()
        header["ticks_per_sec"] = self._ticks_per_sec
        for name in CLOCKS:
            header[name] = 0
        return header.tobytes() + raw.types.tobytes()


def renewed(latest: Snapshot, raw: RawState | RawTable, moment: Moment) -> Snapshot:
    """``latest``, of which nothing has changed, for a later moment: it shares all rows."""
    header = raw.vitals
    cost = replace(
        latest.cost,
        cpu_secs=header.number("agent_cpu_nanos") / NANOS_PER_SEC,
        share=moment.cost_share,
        segment_bytes=raw.segment_bytes,
        sample_secs=header.number("sample_nanos") / NANOS_PER_SEC or float("nan"),
    )
    return replace(
        latest,
        serial=moment.serial,
        taken_at=moment.taken_at,
        target=moment.target,
        vitals=build_vitals(header, moment.taken_at),
        cost=cost,
        sampled_at=clock_of(header).secs(header.number("sampled_at_ticks")),
    )


def _digest(raw: RawState) -> bytes:
    """A digest of all rows and their slots."""
    found = blake2b(np.ascontiguousarray(raw.rows).view(np.uint8).data, digest_size=16)
    found.update(raw.indices.data)
    return found.digest()
