"""Records of events: their order, their limit, and the meaning of gaps."""

from __future__ import annotations

import numpy as np
import pytest

from inspector.model.events import Events, joined, no_events
from inspector.vocabulary import EventKind
from tests.helpers.events import events_of


def test_parts_are_joined_in_the_order_of_time() -> None:
    whole = joined(
        [
            events_of((3.0, "create", 2), (5.0, "drop", 2)),
            events_of((1.0, "create", 4), (4.0, "release", 4)),
        ]
    )
    assert list(whole.at) == [1.0, 3.0, 4.0, 5.0]
    assert list(whole.handles) == [4, 2, 4, 2]


def test_of_too_many_the_newest_stay() -> None:
    whole = joined(
        [events_of((1.0, "create", 2), (2.0, "clone", 2)), events_of((3.0, "release", 2))], limit=2
    )
    assert list(whole.kinds) == [EventKind.CLONE, EventKind.RELEASE]


def test_nothing_joined_is_nothing() -> None:
    assert len(joined([])) == len(joined([no_events()])) == 0


def test_gaps_say_how_many_were_lost() -> None:
    assert events_of((1.0, "gap", 0, 40), (2.0, "create", 2, 1), (3.0, "gap", 0, 2)).lost() == 42


def test_columns_cannot_be_written() -> None:
    taken: Events = events_of((1.0, "create", 2)).take(np.array([True]))
    with pytest.raises(ValueError, match="read-only"):
        taken.at[0] = 2.0
