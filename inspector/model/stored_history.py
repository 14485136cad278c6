"""The readings of a timeline as bytes and back. Pure; any thread.

Counters are stored as steps from one reading to the next. A history that is too large for its
room loses every second reading of its older half, again and again, as the timeline itself does.
Reading treats the bytes as hostile.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.errors import FileFormatError
from inspector.model.churn import CAPACITY, MAX_TYPES
from inspector.model.column_steps import as_steps, from_steps
from inspector.model.fields import COUNT_LIMIT, FLOAT_LIMIT
from inspector.model.packed import pack, unpack
from inspector.model.readings import Readings

MOST_BYTES: Final = 1 << 20
_LEAST: Final = 64
_COLUMNS: Final = {
    "at": "|u1",
    "joined": "|u1",
    "live": "|u1",
    "totals": "|u1",
    "types": "<i8",
    "created": "|u1",
    "released": "|u1",
    "lives": "|u1",
}
_TABLES: Final = ("created", "released", "lives")


def encode_history(readings: Readings, *, most_bytes: int = MOST_BYTES) -> bytes:
    """The readings in at most ``most_bytes``, unless ``_LEAST`` readings take more."""
    packed = _packed(readings)
    while len(packed) > most_bytes and len(readings.at) > _LEAST:
        readings = readings.thinned()
        packed = _packed(readings)
    return packed


def decode_history(data: bytes) -> Readings:
    """The readings, at least one. Raises ``FileFormatError``."""
    columns = unpack(data, _COLUMNS)
    at = _steps(columns["at"], "<f8", 1)[:, 0]
    count, types = len(at), columns["types"]
    if not 0 < count <= CAPACITY or len(columns["joined"]) != count:
        raise FileFormatError("the timeline is damaged: its number of readings is out of range")
    inside = len(types) <= MAX_TYPES and bool(((types >= 0) & (types < MAX_TYPES)).all())
    if not inside or len(np.unique(types)) != len(types):
        raise FileFormatError("the timeline is damaged: a type is out of range")
    if not (np.abs(at) <= FLOAT_LIMIT).all() or not (np.diff(at) > 0).all():
        raise FileFormatError("the timeline is damaged: its times do not ascend")
    tables = {}
    for name in _TABLES:
        table = np.zeros((count, int(types.max(initial=0)) + 1), np.int64)
        table[:, types] = _counts(columns[name], len(types), count)
        tables[name] = table
    return Readings(
        at,
        columns["joined"] != 0,
        _counts(columns["live"], 3, count),
        _counts(columns["totals"], 2, count),
        **tables,
    )


def _packed(readings: Readings) -> bytes:
    types = np.arange(readings.created.shape[1])
    columns: dict[str, npt.NDArray[Any]] = {
        "at": as_steps(readings.at.astype(np.float64)),
        "joined": readings.joined.astype(np.uint8),
        "live": _bytes(readings.live),
        "totals": _bytes(readings.totals),
        "types": types.astype("<i8"),
    }
    for name in _TABLES:
        columns[name] = _bytes(getattr(readings, name))
    return pack(columns)


def _bytes(table: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Each column as steps, one column after another."""
    columns = [as_steps(np.ascontiguousarray(column)) for column in table.T]
    return np.concatenate(columns) if columns else np.empty(0, np.uint8)


def _steps(raw: npt.NDArray[np.uint8], dtype: str, width: int) -> npt.NDArray[Any]:
    if len(raw) % (8 * max(width, 1)):
        raise FileFormatError("the timeline is damaged: a column is cut short")
    parts = np.split(raw, width) if width else []
    columns = [from_steps(part, dtype) for part in parts]
    return np.stack(columns, axis=1) if columns else np.empty((0, 0), dtype)


def _counts(raw: npt.NDArray[np.uint8], width: int, count: int) -> npt.NDArray[np.int64]:
    if len(raw) != 8 * width * count:
        raise FileFormatError("the timeline is damaged: its columns differ in length")
    if not width:
        return np.zeros((count, 0), np.int64)
    table: npt.NDArray[np.int64] = _steps(raw, "<i8", width).astype(np.int64)
    if int(table.min()) < -COUNT_LIMIT or int(table.max()) > COUNT_LIMIT:
        raise FileFormatError("the timeline is damaged: a count is out of range")
    return table
