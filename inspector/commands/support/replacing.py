"""Files that commands write: an existing one is replaced only when the person says so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inspector.errors import UsageError

Force = Annotated[bool, typer.Option("--force", help="Replace the file where there is one.")]
"""The option of commands that write a file."""


def require_absent(path: Path, *, force: bool) -> None:
    """Raises ``UsageError`` when something is there that may not be replaced, before a process is touched for it."""
    try:
        is_there = path.is_symlink() or path.exists()
    except (OSError, ValueError) as error:
        raise UsageError(f"the file cannot be written: {getattr(error, 'strerror', None) or error}: {path}") from error
    if is_there and not force:
        raise UsageError(f"the file is there already, --force replaces it: {path}")
