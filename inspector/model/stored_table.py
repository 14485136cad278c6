"""A table of handles that lies outside of Python, and ``Handles`` that read it.

The native store keeps narrow columns and answers questions about whole tables without the
interpreter's lock. ``StoredHandles`` is a ``Handles`` like every other: a column becomes a numpy
array when it is first asked for. Snapshots of files, of looks from outside and of tests have plain
``Handles``, and numpy answers the same questions for them. Any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import Floats, Handles, Ids, Ints


class KeyKind(Enum):
    """How a table finds the numbers that its rows are sorted by."""

    GIVEN = "Given"
    """One number for each row."""
    COUNT = "Count"
    """A column of counts."""
    AGE = "Age"
    SLOT = "Slot"
    RANKS = "Ranks"
    """A number for each index in a column."""


class SortKey(NamedTuple):
    """The numbers that rows are sorted by; ``nan`` for unknown."""

    kind: KeyKind
    column: str = ""
    numbers: Floats | None = None


class Held(NamedTuple):
    """An earlier order to hold."""

    ids: Ids
    """Numbers of handles, in their order."""
    arrived: npt.NDArray[np.bool_]
    """Rows that came since the last sort."""


class Ticket:
    """A question that a thread may give up while another thread works on it."""

    __slots__ = ("flag",)

    def __init__(self) -> None:
        """Not given up."""
        self.flag = np.zeros(1, np.int32)
        """Native code looks at it from time to time; not 0: given up."""

    def give_up(self) -> None:
        """End the question soon: it raises ``InspectorError``. Any thread."""
        self.flag[0] = 1


@dataclass(frozen=True, slots=True)
class OrderQuestion:
    """Which rows to show, and in which order."""

    shown: npt.NDArray[np.bool_] | None
    """``None``: all rows."""
    type_ranks: Ints
    """The place of each type, by index."""
    key: SortKey
    descending: bool
    now: float
    moment_secs: float
    held: Held | None = None
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """Rows in their order, and the counts of each type."""

    rows: Ints
    arrived: npt.NDArray[np.bool_]
    groups: Mapping[str, npt.NDArray[Any]]
    """Columns, one element a type: ``type_index``, ``rows``, ``live``, ``objects``, ``pending``,
    ``unseen``, ``oldest_at``."""
    arrivals: int
    """Arrived rows that a sort would put elsewhere."""


class MarkColumns(NamedTuple):
    """The handles of a mark, one element a handle."""

    ids: Ids
    types: Ints
    sites: Ints


class StoredTable(Protocol):
    """A frozen table. Any number of threads may ask it at once."""

    @property
    def version(self) -> tuple[int, int]:
        """Tables with one version have equal columns."""

    @property
    def live(self) -> int:
        """Rows that are no tombstones."""

    @property
    def damaged(self) -> int:
        """Rows that were left out because their states make no sense."""

    @property
    def call_rows(self) -> Ints:
        """Rows of calls that run."""

    @property
    def call_threads(self) -> Ints:
        """The index of the thread of each of ``call_rows``."""

    @property
    def strangers(self) -> Mapping[int, int]:
        """Indices of threads without a record, and the number of each in the system."""

    @property
    def named(self) -> Ints:
        """Living rows that name a thread, by the thread's index."""

    def __len__(self) -> int:
        """Rows."""

    def column(self, name: str, rows: Ints | None = None) -> npt.NDArray[Any]:
        """A column of ``Handles``, read-only; of these rows, or of all."""

    def order(self, question: OrderQuestion) -> StoredOrder:
        """Sort rows, or hold an order."""

    def lines(
        self, mark: MarkColumns | None, ticket: Ticket | None = None
    ) -> Mapping[str, npt.NDArray[Any]]:
        """Counts by type and site, by name: the columns of ``Aggregates``."""


class StoredHandles(Handles):
    """``Handles`` over a stored table."""

    __slots__ = ("_made", "table")

    table: StoredTable
    _made: dict[str, npt.NDArray[Any]]

    def __new__(cls, table: StoredTable | None = None, **columns: Any) -> Any:
        """Over ``table``; ``dataclasses.replace`` gives columns, which make plain ``Handles``."""
        return Handles(**columns) if table is None else object.__new__(cls)

    def __init__(self, table: StoredTable) -> None:
        """Reads nothing yet."""
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "_made", {})

    def __len__(self) -> int:
        """Rows, tombstones among them."""
        return len(self.table)

    @property
    def made_columns(self) -> frozenset[str]:
        """Columns that were asked for as a whole so far."""
        return frozenset(self._made)

    def take(self, rows: Ints) -> Handles:
        """These rows alone. No column is read as a whole."""
        return Handles(
            **{each.name: self.table.column(each.name, rows) for each in fields(Handles)}
        )


def table_of(handles: Handles) -> StoredTable | None:
    """The stored table of ``handles``; ``None`` for columns of numpy."""
    return handles.table if isinstance(handles, StoredHandles) else None


def _reader(name: str) -> property:
    """A column that is read when it is first asked for."""

    def read(handles: StoredHandles) -> npt.NDArray[Any]:
        found = handles._made.get(name)
        if found is None:
            found = handles._made[name] = handles.table.column(name)
        return found

    return property(read, doc=f"See ``Handles.{name}``.")


for _column in fields(Handles):
    setattr(StoredHandles, _column.name, _reader(_column.name))
