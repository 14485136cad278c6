"""The layout's records as numpy dtypes, derived from the compiled schema.

Made once when a session starts and handed on; nothing here is a second description. Any thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from inspector.model.raw import LayoutCodes
from inspector.wire.schema import (
    BUSY,
    COUNT_UNKNOWN,
    OUTER_UNKNOWN,
    RUNNING_ARGUMENT,
    RUNNING_BORROWS,
    STRONG_UNKNOWN,
    Field,
    ThreadState,
    fields,
    record_bytes,
)


def dtype_of(record: str) -> np.dtype[np.void]:
    """The dtype of a record such as ``AiHandleSlot``, with the compiled names, offsets and size."""
    members = fields(record)
    return np.dtype(
        {
            "names": [member.name for member in members],
            "formats": [_format(member) for member in members],
            "offsets": [member.offset for member in members],
            "itemsize": record_bytes(record),
        }
    )


def layout_codes() -> LayoutCodes:
    """The layout's numbers as the model wants them."""
    return LayoutCodes(
        running_borrows=RUNNING_BORROWS,
        running_argument=RUNNING_ARGUMENT,
        busy=BUSY,
        strong_unknown=STRONG_UNKNOWN,
        count_unknown=COUNT_UNKNOWN,
        outer_unknown=OUTER_UNKNOWN,
        thread_free=int(ThreadState.FREE),
        thread_live=int(ThreadState.LIVE),
    )


def _format(member: Field) -> Any:
    element: Any = dtype_of(member.type) if member.is_record else _number(member)
    return element if member.count is None else (element, (member.count,))


def _number(member: Field) -> str:
    """``<u8`` for ``uint64_t``, ``<f8`` for ``double``: the layout is little endian everywhere."""
    sign = "f" if member.type == "double" else "u" if member.type.startswith("u") else "i"
    return f"<{sign}{member.size_bytes}"
