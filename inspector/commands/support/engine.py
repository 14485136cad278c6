"""DuckDB over a snapshot, for SQL and Parquet. DuckDB is an optional package.

The database is in memory. Before a person's query runs, the engine gives up the file system, the
network, extensions and the variables of this program, and the settings are locked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.commands.support.engine_tables import TABLES, Questioned, SqlTable
from inspector.errors import InspectorError, TargetBusyError, UsageError
from inspector.plain_text import one_line

_INCOMING: Final = "incoming"
MEMORY: Final = "1GB"
"""More is refused: a query cannot take the machine's memory."""
_LOCKED: Final = (
    f"set memory_limit = '{MEMORY}'",
    "set temp_directory = ''",
    "set python_enable_replacements = false",
    "set enable_external_access = false",
    "set lock_configuration = true",
)


@dataclass(frozen=True, slots=True)
class SqlAnswer:
    """The rows of an answer."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    has_more: bool
    """There are more rows than were asked for."""


def require_engine(what: str) -> None:
    """Raise ``InspectorError`` where DuckDB is not installed; ``what`` needs it."""
    if find_spec("duckdb") is None:
        raise InspectorError(
            f"{what} needs the package duckdb: pip install 'arc-inspector[columns]'"
        )


def loaded_engine(asked: Questioned, tables: Sequence[SqlTable] = TABLES) -> Any:
    """A connection to a database in memory with these tables. Close it."""
    import duckdb  # optional, and 50 ms

    connection = duckdb.connect(":memory:")
    for table in tables:
        _load(connection, table, asked)
    return connection


def lock(connection: Any) -> None:
    """Take from the engine all but its tables. It cannot be undone."""
    for setting in _LOCKED:
        connection.execute(setting)


def answer(connection: Any, query: str, *, limit: int, timeout_secs: float) -> SqlAnswer:
    """Run a query of a person; ``limit`` rows at most, 0: all.

    Raises ``UsageError`` with the engine's reason, and ``TargetBusyError`` when it takes too long.
    """
    import duckdb

    timer = threading.Timer(timeout_secs, connection.interrupt)
    timer.start()
    try:
        result = connection.execute(query)
        names = tuple(each[0] for each in result.description or ())
        rows = result.fetchmany(limit + 1) if limit else result.fetchall()
    except duckdb.InterruptException:
        raise TargetBusyError(
            f"the query took longer than {timeout_secs:.0f} s and was ended (--timeout)"
        ) from None
    except (duckdb.Error, ValueError, RuntimeError, MemoryError) as error:
        raise UsageError(f"the query was refused: {engine_error(error)}") from None
    finally:
        timer.cancel()
    kept = rows[:limit] if limit else rows
    return SqlAnswer(names, tuple(map(tuple, kept)), has_more=len(rows) > len(kept))


def engine_error(error: BaseException) -> str:
    """The first line of what the engine says; of a wrapped error the inner sentence."""
    line = str(error).partition("\n")[0]
    before, brace, wrapped = line.partition("{")
    with suppress(ValueError, KeyError, TypeError):
        return one_line(json.loads(brace + wrapped)["exception_message"])
    return one_line(before if brace else line)


def _load(connection: Any, table: SqlTable, asked: Questioned) -> None:
    """Make the table and put all rows into it at once, as columns."""
    columns = ", ".join(f'"{each.name}" {each.kind}' for each in table.columns)
    connection.execute(f"create table {table.name} ({columns})")
    values = {name: _objects(each) for name, each in table.values(asked).items()}
    if any(map(len, values.values())):
        connection.register(_INCOMING, values)
        connection.execute(f"insert into {table.name} by name select * from {_INCOMING}")  # noqa: S608 - ours
        connection.unregister(_INCOMING)


def _objects(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
