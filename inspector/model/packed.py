"""Columns of numbers as bytes and back, packed: the parts of a session file that are no snapshots.

    JSON bytes u32 | JSON [[name, dtype, length] …] | zlib stream of the columns

``unpack`` treats its input as hostile: only the dtypes that are asked for, sizes bounded before and
after. Pure; any thread.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.errors import FileFormatError

MAX_BYTES: Final = 256 << 20
SMALL_BYTES: Final = 1 << 20
"""So much may be unpacked of any record; of more, each of its bytes answers for ``MOST_PACKED`` at
most."""
MOST_PACKED: Final = 250
"""Bytes that one byte may stand for: counters that stand still are packed 200 times."""
_HEAD: Final = struct.Struct("<I")


def pack(columns: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """All columns, one-dimensional, in their order."""
    listed = json.dumps(
        [[name, column.dtype.str, len(column)] for name, column in columns.items()]
    ).encode("ascii")
    body = zlib.compress(
        b"".join(np.ascontiguousarray(column).tobytes() for column in columns.values()), 1
    )
    return _HEAD.pack(len(listed)) + listed + body


def unpack(
    packed: bytes, expected: Mapping[str, str], *, newest: str = ""
) -> dict[str, npt.NDArray[Any]]:
    """The columns of ``expected`` (name → dtype), read-only.

    Raises ``FileFormatError`` for anything else.

    The column ``newest`` may be missing: older versions did not write it.
    """
    if len(packed) < _HEAD.size:
        raise FileFormatError("a record is cut short")
    end = _HEAD.size + _HEAD.unpack_from(packed)[0]
    lengths = _lengths(packed[_HEAD.size : end], expected, newest)
    expected = {name: expected[name] for name in lengths}
    sizes = {name: lengths[name] * np.dtype(dtype).itemsize for name, dtype in expected.items()}
    total = sum(sizes.values())
    if total > min(MAX_BYTES, SMALL_BYTES + MOST_PACKED * len(packed)):
        raise FileFormatError("a record's stated unpacked size is far above its size")
    body = _inflate(packed[end:], total)
    columns, offset = {}, 0
    for name, dtype in expected.items():
        column = np.frombuffer(body, dtype, lengths[name], offset)
        columns[name] = column.astype(column.dtype.newbyteorder("="))
        columns[name].flags.writeable = False
        offset += sizes[name]
    return columns


def _lengths(listed: bytes, expected: Mapping[str, str], newest: str) -> dict[str, int]:
    try:
        found = {name: (dtype, length) for name, dtype, length in json.loads(listed)}
    except (ValueError, TypeError, RecursionError):
        raise FileFormatError("a record's list of columns is damaged") from None
    expected = {name: dtype for name, dtype in expected.items() if name != newest or name in found}
    for name, dtype in expected.items():
        stored, length = found.get(name, ("", -1))
        if (
            stored != dtype
            or not isinstance(length, int)
            or isinstance(length, bool)
            or not 0 <= length <= MAX_BYTES
        ):
            raise FileFormatError(f"a record's column {name} is missing or another")
    if len(found) != len(expected) or list(found) != list(expected):
        raise FileFormatError("a record has other columns")
    return {name: length for name, (_, length) in found.items()}


def _inflate(body: bytes, size_bytes: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(body, size_bytes + 1)
    except (zlib.error, MemoryError) as error:
        raise FileFormatError(f"a record is damaged: {error}") from None
    if len(found) != size_bytes or not unpacker.eof:
        raise FileFormatError("a record is shorter or longer than it says")
    return found
