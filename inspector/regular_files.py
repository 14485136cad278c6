"""Reads files that any user may have put there: only regular files, never more than is wanted.

Any thread.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from inspector.systems import BYTES, CLOSE_ON_EXEC, NO_WAIT


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises ``OSError`` for anything else: a named pipe or a device would wait or never end.
    """
    descriptor = os.open(path, os.O_RDONLY | NO_WAIT | CLOSE_ON_EXEC | BYTES)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file")
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, most_bytes: int) -> bytes:
    """The bytes of a regular file. Raises ``OSError``, for a larger one too."""
    with open_regular(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(0, f"more than {most_bytes >> 10} KiB")
    return data
