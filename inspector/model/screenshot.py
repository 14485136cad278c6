"""Screenshots carry their snapshot: the picture's bytes and the snapshot in one PNG.

Without Qt, so that a file can be read where there is no display. Pure but for ``extract``, which
reads a file; any thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from inspector.errors import FileFormatError
from inspector.model.codec import decode, encode
from inspector.model.png import MAX_PNG_BYTES, insert_chunk, read_chunk
from inspector.model.snapshot import Snapshot
from inspector.regular_files import open_regular

CHUNK_TYPE: Final = b"arIs"
"""Ancillary, private, safe to copy: other programs show the picture, and most keep the chunk."""


def embed(png: bytes, snapshot: Snapshot) -> bytes:
    """``png`` with ``snapshot`` inside.

    Raises ``FileFormatError`` when it is no PNG or the snapshot is too large.
    """
    return insert_chunk(png, CHUNK_TYPE, encode(snapshot))


def extract(path: Path) -> Snapshot:
    """The snapshot inside the screenshot at ``path``, exactly as it was saved.

    Its target's state is as saved too.

    Raises ``FileFormatError``, one line, when the file cannot be read, is no PNG, holds no
    snapshot, or a damaged, too large or newer snapshot.
    """
    try:
        with open_regular(path) as file:
            png = file.read(MAX_PNG_BYTES + 1)
    except OSError as error:
        raise FileFormatError(
            f"cannot read the picture: {error.strerror or error}: {path}"
        ) from error
    if len(png) > MAX_PNG_BYTES:
        raise FileFormatError(f"the picture is larger than {MAX_PNG_BYTES >> 20} MiB: {path}")
    try:
        return _snapshot_in(png)
    except FileFormatError as error:
        raise FileFormatError(f"{error}: {path}") from error


def _snapshot_in(png: bytes) -> Snapshot:
    data = read_chunk(png, CHUNK_TYPE)
    if data is None:
        raise FileFormatError(
            "the picture holds no snapshot: it was not saved here, or a "
            "program that edited it dropped the data"
        )
    return decode(data)
