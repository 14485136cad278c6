"""The columns of a handle, in the one list ``HANDLE_COLUMNS``.

Everything that shows, sorts, finds or prints handles derives from it.
"""

from __future__ import annotations

from inspector.model.columns.column import ColumnKind, HandleColumn, Places
from inspector.model.columns.derived import (
    FIELD_LIST,
    FILTER_HELP,
    FILTER_NAMES,
    JSON_COLUMNS,
    NUMBER_NAMES,
    PRINTED_COLUMNS,
    RANGE_NAMES,
    TABLE_COLUMNS,
    TEXT_NAMES,
    WORD_COLUMNS,
    column_of,
    section_of,
)
from inspector.model.columns.handle import HANDLE_COLUMNS

__all__ = [
    "FIELD_LIST",
    "FILTER_HELP",
    "FILTER_NAMES",
    "HANDLE_COLUMNS",
    "JSON_COLUMNS",
    "NUMBER_NAMES",
    "PRINTED_COLUMNS",
    "RANGE_NAMES",
    "TABLE_COLUMNS",
    "TEXT_NAMES",
    "WORD_COLUMNS",
    "ColumnKind",
    "HandleColumn",
    "Places",
    "column_of",
    "section_of",
]
