"""Lists derived once from the columns. Pure; any thread."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from inspector.model.columns.column import ColumnKind, HandleColumn
from inspector.model.columns.handle import HANDLE_COLUMNS

TABLE_COLUMNS: Final = tuple(column for column in HANDLE_COLUMNS if column.title)
"""The window's table, from left to right."""
JSON_COLUMNS: Final = tuple(
    sorted(
        (column for column in HANDLE_COLUMNS if column.json), key=lambda column: column.places.json
    )
)
PRINTED_COLUMNS: Final = tuple(
    sorted(
        (column for column in HANDLE_COLUMNS if column.printed_rank is not None),
        key=lambda column: column.places.printed,
    )
)
"""The table of ``arc-inspector handles``."""
WORD_COLUMNS: Final = tuple(
    sorted(
        (column for column in HANDLE_COLUMNS if column.places.words),
        key=lambda column: column.places.words,
    )
)
"""Plain words of a filter are searched in these."""
_BY_KEY: Final = MappingProxyType({column.key: column for column in HANDLE_COLUMNS})
_FILTERED: Final = sorted(
    (column for column in HANDLE_COLUMNS if column.filter_names),
    key=lambda column: column.places.filter,
)
FILTER_NAMES: Final[Mapping[str, HandleColumn]] = MappingProxyType(
    {name: each for each in _FILTERED for name in each.filter_names}
)
"""Every name that a filter may use."""
TEXT_NAMES: Final = tuple(name for name, column in FILTER_NAMES.items() if column.matches)
RANGE_NAMES: Final = tuple(
    name for name, column in FILTER_NAMES.items() if column.kind is ColumnKind.TIME
)
NUMBER_NAMES: Final = tuple(name for name, column in FILTER_NAMES.items() if column.kind.is_number)
FIELD_LIST: Final = " ".join((*TEXT_NAMES, *RANGE_NAMES, *NUMBER_NAMES))
"""All names that filters know, as the guide lists them."""
_COUNTS: Final = [
    column.filter_names[-1] for column in _FILTERED if column.kind is ColumnKind.COUNT
]
_WORDS: Final = [column.filter_names[-1] for column in WORD_COLUMNS]
FILTER_HELP: Final = f"""Words are searched in {", ".join(_WORDS[:-1])} and {_WORDS[-1]}; all terms must hold
{" ".join(f"{name}:" for name in TEXT_NAMES)}    text, alternatives with commas, whole in quotes (\\" for a quote)
{" ".join(_COUNTS)}    with > >= < <= = !=, such as strong>1
age>10s    ms, s, min, h or d
born:14:03..14:05:20    created then; drag over the timeline to choose the range
-type:Journal    a minus: not"""


def column_of(key: str) -> HandleColumn:
    """The column with this ``key``. Raises ``KeyError``."""
    return _BY_KEY[key]


def section_of(key: str) -> int:
    """Place of a column in the window's table. Raises ``ValueError`` when it is not there."""
    return TABLE_COLUMNS.index(_BY_KEY[key])
