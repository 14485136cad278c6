"""Files with all that is packed inside them, for a search of their bytes."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import duckdb

PARQUET = b"PAR1"


def unpacked(path: Path) -> bytes:
    """The bytes of a file, with those that are packed inside it."""
    data = path.read_bytes()
    found = [data]
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
        unpacker = zlib.decompressobj()
        try:
            found.append(unpacker.decompress(data[match.start() :]))
        except zlib.error:
            continue
    if data.startswith(PARQUET):
        found.append(repr(duckdb.read_parquet(str(path)).fetchall()).encode())
    return b"".join(found)
