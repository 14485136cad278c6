"""A column of the handle table, described: title, values, texts, filter, JSON. Pure; any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

from inspector.model.columns.matching import Text
from inspector.model.counts import Flags
from inspector.model.snapshot import Floats, Snapshot
from inspector.model.stored_table import SortKey
from inspector.model.wording import UNKNOWN_TEXT

Values: TypeAlias = Callable[[Snapshot], Floats]
"""A number for each row of the snapshot's table, ``nan`` for unknown."""
OfRow: TypeAlias = Callable[[Snapshot, int], str]
LAST: Final = 1000


class ColumnKind(Enum):
    """How a column is compared and aligned."""

    TEXT = "text"
    COUNT = "count"
    SPAN = "span"
    """Seconds; filters take units."""
    TIME = "time"
    """Seconds since the Unix epoch; filters take ranges of the time of day."""

    @property
    def is_number(self) -> bool:
        """Aligned right, compared with ``>`` and ``<``."""
        return self in (ColumnKind.COUNT, ColumnKind.SPAN)


class Places(NamedTuple):
    """Places in the lists whose order people and scripts know already.

    A new column gives none and comes last in each of them.
    """

    json: int = LAST
    filter: int = LAST
    printed: int = LAST
    words: int = 0
    """Plain words of a filter are searched here; 0: they are not."""


NEW: Final = Places()
"""Last in each list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleColumn:
    """One column.

    A part that is empty does not apply: without ``title`` it is not in the window's table, without
    ``json`` not in JSON.
    """

    key: str
    """Its name in the code, unique."""
    kind: ColumnKind = ColumnKind.TEXT
    title: str = ""
    """Header in the window."""
    about: str = ""
    """Explanation of the header."""
    values: Values | None = None
    """Numbers to sort by and, of a number, to compare with."""
    ranks: Values | None = None
    """Numbers to sort by, where these are others than ``values``."""
    stored_key: Callable[[Snapshot], SortKey] | None = None
    """How a stored table finds the numbers to sort by; ``None``: it is given the numbers."""
    text: OfRow | None = None
    """The cell in the window."""
    note: Callable[[Snapshot, int], str | None] | None = None
    """A tooltip that tells more than the text; ``None`` where there is no more to tell."""
    unknown: Callable[[Snapshot], str] | None = None
    """Tooltip of a cell that shows ``–``: the reason."""
    is_sampled: bool = False
    """The sampler reads it: the tooltip tells how old the count is."""
    json: Callable[[Snapshot, int], Any] | None = None
    """Value in ``--json`` and exports under the name ``key``; ``None`` when not known."""
    filter_names: tuple[str, ...] = ()
    """Names in filters, the one that the help gives last."""
    matches: Callable[[Text, Snapshot], Flags] | None = None
    """Rows that a text of a filter finds."""
    example: str = ""
    """Of its use in a filter, for error messages."""
    holds_program_text: bool = False
    """Shows names and texts of the inspected program: a report that shall reveal none leaves it
    out."""
    printed_title: str = ""
    """Header of ``arc-inspector handles``; empty: as in the window."""
    printed_rank: int | None = None
    """Columns of a lower rank find room first in ``arc-inspector handles``; 0: always shown;
    ``None``: not printed."""
    printed: OfRow | None = None
    """The printed cell; ``None``: the value of ``json``."""
    widths: tuple[int, int] = (70, 90)
    """Least and comfortable width in the window, pixels."""
    gives_way: int = 0
    """Order in which columns give way in a narrow window; 0: never. Detail shows them anyway."""
    places: Places = NEW

    def cell(self, snapshot: Snapshot, row: int) -> str:
        """The cell of printed tables; ``–`` for unknown."""
        if self.printed is not None:
            return self.printed(snapshot, row)
        value = self.json(snapshot, row) if self.json is not None else None
        return f"{value:,}" if isinstance(value, int) else value or UNKNOWN_TEXT
