"""Handles as a Parquet file, written by DuckDB, which is an optional package."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from inspector.commands.support.engine import engine_error, loaded_engine, require_engine
from inspector.commands.support.engine_tables import TABLES, Questioned
from inspector.errors import FileFormatError, UsageError
from inspector.model.snapshot import Snapshot
from inspector.whole_files import OWNER_ONLY, move_whole

__all__ = ["require_engine", "write_parquet"]


def write_parquet(snapshot: Snapshot, path: Path, *, may_replace: bool) -> None:
    """One row a live handle, with the columns of JSON. Raises ``InspectorError``."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.touch(OWNER_ONLY, exist_ok=False)
        _copy(loaded_engine(Questioned(snapshot), TABLES[:1]), part, path)
        part.chmod(OWNER_ONLY)
        move_whole(part, path, may_replace=may_replace)
    except FileExistsError:
        raise UsageError(f"the file is there already, --force replaces it: {path}") from None
    except OSError as error:
        raise FileFormatError(f"cannot write: {error.strerror or error}: {path}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _copy(connection: Any, part: Path, path: Path) -> None:
    """Write the table to ``part``; errors name ``path``."""
    try:
        # the part is our own temporary file, so the engine needs none
        connection.execute(
            f"copy handles to '{_quoted(part)}' (format parquet, use_tmp_file false)"
        )
    except Exception as error:
        why = engine_error(error).replace(str(part), path.name)
        raise FileFormatError(f"cannot write: {why}: {path}") from error
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
