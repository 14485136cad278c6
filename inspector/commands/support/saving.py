"""Writes what a command made into a file of its own."""

from __future__ import annotations

from pathlib import Path

from inspector.errors import FileFormatError, UsageError
from inspector.whole_files import write_whole


def save_text(text: str, path: Path, *, may_replace: bool) -> None:
    """Write a text, whole or not at all. Raises ``FileFormatError`` and ``UsageError``."""
    try:
        write_whole(path, text.encode("utf-8", "replace"), may_replace=may_replace)
    except FileExistsError:
        raise UsageError(f"the file is there already, --force replaces it: {path}") from None
    except OSError as error:
        raise FileFormatError(f"cannot write: {error.strerror or error}: {path}") from error
