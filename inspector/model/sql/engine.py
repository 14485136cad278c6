"""DuckDB over a snapshot, for SQL and Parquet. DuckDB is an optional package.

The database is in memory. Before a person's query runs, the engine gives up the file system, the
network, extensions and the variables of this program, and the settings are locked.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.errors import InspectorError, TargetBusyError, UsageError
from inspector.model.sql.tables import TABLES, Questioned, SqlTable
from inspector.plain_text import one_line

NEEDED: Final = "needs the package duckdb: pip install 'arc-inspector[columns]'"
ANSWER: Final = "answer"
"""The table of a typed answer."""
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
    kinds: tuple[str, ...] = ()
    """The engine's type of each column; empty: not asked for."""


def require_engine(what: str) -> None:
    """Raise ``InspectorError`` where DuckDB is not installed; ``what`` needs it."""
    if not is_engine_there():
        raise InspectorError(f"{what} {NEEDED}")


def is_engine_there() -> bool:
    """Whether DuckDB is installed."""
    return find_spec("duckdb") is not None


def loaded_engine(
    asked: Questioned, tables: Sequence[SqlTable] = TABLES, query: str | None = None
) -> Any:
    """A connection to a database in memory with these tables. Close it.

    With ``query`` only the tables whose names are in it have rows.
    """
    import duckdb  # optional, and 50 ms

    connection = duckdb.connect(":memory:")
    for table in tables:
        _load(connection, table, asked, with_rows=query is None or names_table(query, table.name))
    return connection


def names_table(query: str, name: str) -> bool:
    """Whether a query may ask a table: its name is a word of the query."""
    return re.search(rf"\b{name}\b", query, re.IGNORECASE) is not None


def lock(connection: Any) -> None:
    """Take from the engine all but its tables. It cannot be undone."""
    for setting in _LOCKED:
        connection.execute(setting)


def answer(
    connection: Any, query: str, *, limit: int, timeout_secs: float, typed: bool = False
) -> SqlAnswer:
    """Run a query of a person; ``limit`` rows at most, 0: all. ``typed``: with ``kinds``.

    Raises ``UsageError`` with the engine's reason, and ``TargetBusyError`` when it takes too long.
    """
    import duckdb

    timer = threading.Timer(timeout_secs, connection.interrupt)
    timer.start()
    try:
        kinds: tuple[str, ...] = ()
        if typed:
            connection.execute(f"create temp table {ANSWER} as {query}")
            described = connection.execute(f"select * from (describe {ANSWER})").fetchall()  # noqa: S608 - ours
            kinds = tuple(str(row[1]) for row in described)
            query = f"select * from {ANSWER}"  # noqa: S608 - ours
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
    return SqlAnswer(names, tuple(map(tuple, kept)), has_more=len(rows) > len(kept), kinds=kinds)


def answer_table(found: SqlAnswer) -> Any:
    """An unlocked connection with a typed answer as the table ``ANSWER``. Close it."""
    import duckdb

    connection = duckdb.connect(":memory:")
    columns = ", ".join(
        f"{_name(name)} {kind}" for name, kind in zip(found.names, found.kinds, strict=True)
    )
    connection.execute(f"create table {ANSWER} ({columns})")
    if found.rows:
        marks = ", ".join("?" * len(found.names))
        connection.executemany(f"insert into {ANSWER} values ({marks})", list(found.rows))  # noqa: S608 - ours
    return connection


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def engine_error(error: BaseException) -> str:
    """The first line of the engine's error; of a wrapped error the inner sentence."""
    line = str(error).partition("\n")[0]
    before, brace, wrapped = line.partition("{")
    with suppress(ValueError, KeyError, TypeError):
        return one_line(json.loads(brace + wrapped)["exception_message"])
    return one_line(before if brace else line)


class SqlQuestion:
    """One query of a person over one state. ``run`` on any thread, ``cancel`` from another."""

    def __init__(self, asked: Questioned, query: str, *, limit: int, timeout_secs: float) -> None:
        """Nothing is loaded yet. ``limit``: rows of the answer, 0: all."""
        self._asked, self._query = asked, query
        self._limit, self._timeout_secs = limit, timeout_secs
        self._lock = threading.Lock()
        self._connection: Any = None
        self._is_cancelled = False

    def run(self) -> SqlAnswer:
        """Load, lock, ask. Raises ``UsageError`` and ``TargetBusyError``."""
        connection = loaded_engine(self._asked, query=self._query)
        try:
            lock(connection)
            with self._lock:
                self._connection = connection
            return self._answer(connection)
        finally:
            with self._lock:
                self._connection = None
            connection.close()

    def _answer(self, connection: Any) -> SqlAnswer:
        ended = TargetBusyError("the query was ended")
        if self._is_cancelled:
            raise ended
        try:
            return answer(
                connection, self._query, limit=self._limit, timeout_secs=self._timeout_secs
            )
        except TargetBusyError:
            if self._is_cancelled:
                raise ended from None
            raise

    def cancel(self) -> None:
        """End the query. Does nothing when it has ended."""
        with self._lock:
            self._is_cancelled = True
            if self._connection is not None:
                self._connection.interrupt()


def _load(connection: Any, table: SqlTable, asked: Questioned, *, with_rows: bool) -> None:
    """Make the table and put all rows into it at once, as columns."""
    columns = ", ".join(f'"{each.name}" {each.kind}' for each in table.columns)
    connection.execute(f"create table {table.name} ({columns})")
    if not with_rows:
        return
    values = {name: _objects(each) for name, each in table.values(asked).items()}
    if any(map(len, values.values())):
        connection.register(_INCOMING, values)
        connection.execute(f"insert into {table.name} by name select * from {_INCOMING}")  # noqa: S608 - ours
        connection.unregister(_INCOMING)


def _objects(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
