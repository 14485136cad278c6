"""DuckDB over a snapshot: tables that SQL and Parquet read. DuckDB is an optional package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from types import UnionType
from typing import Any, Final, get_args, get_type_hints

import numpy as np
import numpy.typing as npt

from inspector.errors import InspectorError
from inspector.model.columns import JSON_COLUMNS
from inspector.model.exports.lines import handle_rows
from inspector.model.snapshot import Snapshot
from inspector.plain_text import one_line

_TYPES: Final = {str: "varchar", int: "bigint", float: "double", bool: "boolean"}
_INCOMING: Final = "incoming"


def require_engine(what: str) -> None:
    """Raise ``InspectorError`` where DuckDB is not installed; ``what`` needs it."""
    if find_spec("duckdb") is None:
        raise InspectorError(
            f"{what} needs the package duckdb: pip install 'arc-inspector[columns]'"
        )


def loaded_engine(snapshot: Snapshot) -> Any:
    """A connection to a database in memory with the table ``handles``: a row a live handle."""
    import duckdb  # optional, and 50 ms

    connection = duckdb.connect(":memory:")
    connection.execute(f"create table handles ({', '.join(handle_columns())})")
    load(connection, "handles", handle_rows(snapshot))
    return connection


def handle_columns() -> list[str]:
    """Name and SQL type of each column of ``handles``."""
    return [
        f'"{each.key}" {_sql_type(get_type_hints(each.json)["return"])}'
        for each in JSON_COLUMNS
        if each.json is not None
    ]


def load(connection: Any, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the keys of the first, as columns at once."""
    if not rows:
        return
    columns = {key: _objects([row[key] for row in rows]) for key in rows[0]}
    connection.register(_INCOMING, columns)
    connection.execute(f"insert into {table} by name select * from {_INCOMING}")  # noqa: S608 - ours
    connection.unregister(_INCOMING)


def _objects(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def engine_error(error: BaseException) -> str:
    """The first line of what the engine says; of a wrapped error the inner sentence."""
    line = str(error).partition("\n")[0]
    before, brace, wrapped = line.partition("{")
    with suppress(ValueError, KeyError, TypeError):
        return one_line(json.loads(brace + wrapped)["exception_message"])
    return one_line(before if brace else line)


def as_json(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of an answer as values of JSON."""
    return [json.loads(json.dumps(dict(zip(names, row, strict=True)), default=str)) for row in rows]


def _sql_type(hint: Any) -> str:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return next(_TYPES[each] for each in kinds if each in _TYPES)
