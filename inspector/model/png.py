"""Private data inside a PNG: reading and writing one chunk, without any image library.

A PNG is a signature and a row of chunks: length u32, type (4 letters), data, CRC-32 of type and
data; big endian. The picture itself is never decoded here. Pure; any thread.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from inspector.errors import FileFormatError

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_CHUNK_BYTES: Final = 64 << 20
MAX_PNG_BYTES: Final = 256 << 20
"""A picture with its data; larger files are not read."""

MAX_CHUNKS: Final = 1 << 16
"""A picture of that size has at most half as many."""

_LENGTH_AND_TYPE: Final = struct.Struct(">I4s")
_CRC: Final = struct.Struct(">I")
_OVERHEAD: Final = _LENGTH_AND_TYPE.size + _CRC.size


def insert_chunk(png: bytes, chunk_type: bytes, data: bytes) -> bytes:
    """``png`` with one chunk of ``chunk_type`` just before its end.

    An earlier chunk of that type is replaced.

    Raises ``FileFormatError`` when ``png`` is none or is damaged, or ``data`` is too large.
    """
    if len(data) > MAX_CHUNK_BYTES:
        raise FileFormatError(f"the data to embed is larger than {MAX_CHUNK_BYTES >> 20} MiB")
    parts = [SIGNATURE]
    for kind, begin, end in _chunks(png):
        if kind == b"IEND":
            parts.append(_chunk(chunk_type, data))
        if kind != chunk_type:
            parts.append(png[begin:end])
    return b"".join(parts)


def read_chunk(png: bytes, chunk_type: bytes) -> bytes | None:
    """Data of the chunk of ``chunk_type``; ``None`` when there is none.

    Raises ``FileFormatError`` when ``png`` is none, is cut short, the chunk is too large, is there
    twice, or its checksum is wrong.
    """
    found: bytes | None = None
    for kind, begin, end in _chunks(png):
        if kind != chunk_type:
            continue
        if found is not None:
            raise FileFormatError("the picture holds two snapshots")
        if end - begin - _OVERHEAD > MAX_CHUNK_BYTES:
            raise FileFormatError(
                f"the data in the picture is larger than {MAX_CHUNK_BYTES >> 20} MiB"
            )
        if zlib.crc32(png[begin + 4 : end - 4]) != _CRC.unpack_from(png, end - 4)[0]:
            raise FileFormatError("the data in the picture is damaged: its checksum is wrong")
        found = png[begin + _LENGTH_AND_TYPE.size : end - 4]
    return found


def _chunk(chunk_type: bytes, data: bytes) -> bytes:
    return (
        _LENGTH_AND_TYPE.pack(len(data), chunk_type)
        + data
        + _CRC.pack(zlib.crc32(data, zlib.crc32(chunk_type)))
    )


def _chunks(png: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, begin and end of each chunk up to the end of the picture.

    Bytes after that are ignored.
    """
    if not png.startswith(SIGNATURE):
        raise FileFormatError("not a PNG picture")
    offset = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if offset + _OVERHEAD > len(png):
            break
        length, kind = _LENGTH_AND_TYPE.unpack_from(png, offset)
        end = offset + length + _OVERHEAD
        if end > len(png):
            break
        yield kind, offset, end
        if kind == b"IEND":
            return
        offset = end
    raise FileFormatError("the picture is cut short, or has too many parts")
