"""Screenshots carry their data: picture, snapshot and the window's state are one PNG.

Without Qt, so that a file can be read where there is no display. Pure but for ``extract`` and
``extract_state``, which read a file; any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from inspector.errors import FileFormatError
from inspector.model.codec import decode, encode
from inspector.model.png import MAX_PNG_BYTES, insert_chunk, read_chunk
from inspector.model.snapshot import Snapshot
from inspector.model.window_file import decode_state
from inspector.model.window_state import WindowState
from inspector.regular_files import open_regular

Part = TypeVar("Part")
CHUNK_TYPE: Final = b"arIs"
"""Ancillary, private, safe to copy: other programs show the picture, and most keep the chunk."""
STATE_TYPE: Final = b"arIw"
"""The state of the window, as ``window_file`` writes it. Older screenshots have none."""


def embed(png: bytes, snapshot: Snapshot, state: bytes = b"") -> bytes:
    """``png`` with ``snapshot`` inside, and the encoded ``state`` of the window, if there is any.

    Raises ``FileFormatError`` when it is no PNG or the snapshot is too large.
    """
    made = insert_chunk(png, CHUNK_TYPE, encode(snapshot))
    return insert_chunk(made, STATE_TYPE, state) if state else made


def extract(path: Path) -> Snapshot:
    """The snapshot inside the screenshot at ``path``, exactly as it was saved.

    Its target's state is as saved too.

    Raises ``FileFormatError``, one line, when the file cannot be read, is no PNG, holds no
    snapshot, or a damaged, too large or newer snapshot.
    """
    return _read(path, _snapshot_in)


def extract_state(path: Path) -> tuple[Snapshot, WindowState | None]:
    """The snapshot, and the state of the window; ``None``: an older version saved the picture.

    A state that is damaged or newer costs only itself, and says so. Raises as ``extract``.
    """
    return _read(path, _both_in)


def _read(path: Path, parts: Callable[[bytes], Part]) -> Part:
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
        return parts(png)
    except FileFormatError as error:
        raise FileFormatError(f"{error}: {path}") from error


def _both_in(png: bytes) -> tuple[Snapshot, WindowState | None]:
    snapshot = _snapshot_in(png)
    try:
        data = read_chunk(png, STATE_TYPE)
    except FileFormatError as error:
        return snapshot, WindowState(trouble=f"the state of its window is left out: {error}")
    return snapshot, None if data is None else decode_state(data, snapshot)


def _snapshot_in(png: bytes) -> Snapshot:
    data = read_chunk(png, CHUNK_TYPE)
    if data is None:
        raise FileFormatError(
            "the picture holds no snapshot: it was not saved here, or a "
            "program that edited it dropped the data"
        )
    return decode(data)
