"""Handles and answers as Parquet files, written by DuckDB, which is an optional package."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from inspector.errors import FileFormatError, UsageError
from inspector.model.snapshot import Snapshot
from inspector.model.sql.engine import (
    ANSWER,
    SqlAnswer,
    answer_table,
    engine_error,
    loaded_engine,
    require_engine,
)
from inspector.model.sql.tables import TABLES, Questioned
from inspector.whole_files import OWNER_ONLY, move_whole

__all__ = ["require_engine", "write_answer", "write_parquet"]


def write_parquet(snapshot: Snapshot, path: Path, *, may_replace: bool) -> None:
    """One row a live handle, with the columns of JSON. Raises ``InspectorError``."""
    connection = loaded_engine(Questioned(snapshot), TABLES[:1])
    _write_table(connection, TABLES[0].name, path, may_replace=may_replace)


def write_answer(found: SqlAnswer, path: Path, *, may_replace: bool) -> None:
    """The rows of an answer, with the engine's types. Raises ``InspectorError``."""
    if not found.names:
        raise UsageError("the query has no answer to write")
    connection = answer_table(found)
    _write_table(connection, ANSWER, path, may_replace=may_replace)


def _write_table(connection: Any, table: str, path: Path, *, may_replace: bool) -> None:
    """Write a whole file, or none. Closes the connection."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.touch(OWNER_ONLY, exist_ok=False)
        _copy(connection, table, part, path)
        part.chmod(OWNER_ONLY)
        move_whole(part, path, may_replace=may_replace)
    except FileExistsError:
        raise UsageError(f"the file is there already, --force replaces it: {path}") from None
    except OSError as error:
        raise FileFormatError(f"cannot write: {error.strerror or error}: {path}") from error
    finally:
        connection.close()
        with suppress(OSError):
            part.unlink()


def _copy(connection: Any, table: str, part: Path, path: Path) -> None:
    """Write the table to ``part``; errors name ``path``."""
    try:
        # the part is our own temporary file, so the engine needs none
        connection.execute(
            f"copy {table} to '{_quoted(part)}' (format parquet, use_tmp_file false)"
        )
    except Exception as error:
        why = engine_error(error).replace(str(part), path.name)
        raise FileFormatError(f"cannot write: {why}: {path}") from error


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
