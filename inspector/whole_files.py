"""Writes files that are whole or not there, and that only their owner reads. Any thread."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from inspector.systems import BYTES, CLOSE_ON_EXEC, NO_LINK

OWNER_ONLY: Final = 0o600
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK | CLOSE_ON_EXEC | BYTES


def write_whole(path: Path, data: bytes, *, may_replace: bool) -> None:
    """Write ``data`` beside ``path`` and move it there; a failure leaves nothing behind.

    Raises ``FileExistsError`` when the file is there and may not be replaced, and ``OSError``, also
    for a device, a pipe or a link that stands in its place.
    """
    if may_replace:
        _require_regular(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, _NEW_FILE, OWNER_ONLY), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        move_whole(part, path, may_replace=may_replace)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def move_whole(part: Path, path: Path, *, may_replace: bool) -> None:
    """Give a file that is whole its name. Raises as ``write_whole``."""
    if may_replace:
        _require_regular(path)
        part.replace(path)
        return
    try:
        os.link(part, path)  # fails where the name is taken, without a moment between
    except FileExistsError:
        raise
    except OSError:  # the file system has no links
        if path.exists() or path.is_symlink():
            raise FileExistsError(path) from None
        part.replace(path)


def _require_regular(path: Path) -> None:
    """Only a file is replaced: renaming over a device or a link would take it away."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
