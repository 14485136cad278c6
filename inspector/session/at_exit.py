"""The state of a segment when its program ended, read after the interpreter's teardown.

The target writes the time of its end down before the interpreter releases the program's globals. A
row that ended later was alive at the end of the program, and a person who asks for the program's
leftovers means that moment. Pure.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from inspector.model.raw import RawState, Records
from inspector.vocabulary import Reference, Resource
from inspector.wire.schema import Ending

_GONE: Final = (Reference.RELEASED, Reference.DROPPED)


def as_of_exit(raw: RawState) -> RawState:
    """``raw`` with the rows alive that ended after the program did.

    ``raw`` itself where the program has not ended that way.

    Rows keep the resource state of a close that ran; a resource that was only dropped counts as
    open. The records are changed in place.
    """
    ended_at = raw.vitals.number("ended_at_ticks")
    if raw.vitals.number("ending") != Ending.EXITED or not ended_at:
        return raw
    rows = raw.rows
    revived = np.isin(rows["reference_state"], _GONE) & (rows["changed_at_ticks"] >= ended_at)
    if revived.any():
        rows["reference_state"][revived] = Reference.LIVE
        rows["resource_state"][revived & (rows["resource_state"] == Resource.NEVER_CLOSED)] = (
            Resource.OPEN
        )
        _count_alive(raw.vitals.types, rows["type_id"][revived])
        raw.vitals.header["live_handles"] += np.uint64(np.count_nonzero(revived))
    return raw


def _count_alive(types: Records, revived: Records) -> None:
    """Take the ends of these rows, named by their types, out of the types' counters."""
    counts = np.bincount(revived, minlength=len(types))[: len(types)].astype(np.uint64)
    first = types["shards"][:, 0]
    first["live"] += counts  # the sum over all shards counts, and wraps
    first["released"] -= counts
