"""Columns of eight-byte numbers as steps, which are packed to half the size. Pure; any thread.

A step is the difference to the row before, of the bits as an unsigned number. Neighbouring rows
were made one after another, so most bytes of a step are zero; the bytes of equal rank are stored
together. Some columns are first taken relative to another column.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

RELATIVE_TO: Final[Mapping[str, str]] = MappingProxyType(
    {
        "handles.ids": "",
        "handles.addresses": "",
        "handles.data": "handles.addresses",
        "handles.created_at": "",
        "handles.changed_at": "handles.created_at",
    }
)
"""The columns that a snapshot stores as steps, and the column that each is relative to; ``""``:
none. A column comes after the column that it is relative to."""
_WIDTH: Final = 8


def as_steps(
    column: npt.NDArray[Any], base: npt.NDArray[Any] | None = None
) -> npt.NDArray[np.uint8]:
    """The bytes of ``column``, which has elements of eight bytes; ``base`` has the same length."""
    bits = np.ascontiguousarray(column).view(np.uint64)
    if base is not None:
        bits = bits - np.ascontiguousarray(base).view(np.uint64)
    steps = bits.copy()
    steps[1:] -= bits[:-1]
    return np.ascontiguousarray(steps.astype("<u8").view(np.uint8).reshape(-1, _WIDTH).T).reshape(
        -1
    )


def from_steps(
    raw: npt.NDArray[np.uint8], dtype: str, base: npt.NDArray[Any] | None = None
) -> npt.NDArray[Any]:
    """The column that ``as_steps`` made ``raw`` of: any bytes give a column of ``dtype``."""
    ranks = raw.reshape(_WIDTH, len(raw) // _WIDTH)
    steps = np.ascontiguousarray(ranks.T).reshape(-1).view("<u8").astype(np.uint64)
    bits = np.cumsum(steps, dtype=np.uint64)
    if base is not None:
        bits = bits + np.ascontiguousarray(base).view(np.uint64)
    return bits.view(np.dtype(dtype).newbyteorder("="))
