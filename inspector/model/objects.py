"""The number of objects behind the live handles.

Pure; any thread; a million rows take some 6 ms.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.model.stored_table import table_look, table_of

ROUNDING: Final = 1e-6


def object_count(snapshot: Snapshot) -> int:
    """Objects that live handles name; a row whose object is unknown counts as an object of its own.

    Each of an object's n rows counts as 1/n (``proxies`` says n), which needs no sorting by
    address.
    """
    handles = snapshot.handles
    if table_of(handles) is not None:
        return _whole(snapshot.fact(table_look).objects)
    shares = 1.0 / np.maximum(handles.proxies, 1)
    return _whole(float(shares[alive(handles)].sum()))


def _whole(shares: float) -> int:
    """The nearest whole number, a half upwards.

    The sum's last digits depend on the order of its parts, so a half is told with some room.
    """
    return math.floor(shares + 0.5 + ROUNDING)
