"""A table of handles that lies outside of Python, and ``Handles`` that read it.

The native store keeps narrow columns and answers questions about whole tables without the
interpreter's lock. ``StoredHandles`` is a ``Handles`` like every other: a column becomes a numpy
array when it is asked for. Snapshots of files, of looks from outside and of tests have plain
``Handles``, and numpy answers the same questions for them. Any thread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from inspector.model.snapshot import Floats, Handles, Ids, Ints, Snapshot


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
    outer: Ints
    """Indices in the column of the outer code."""
    inner: Ints
    """Indices in the column of the inner code."""


class Coded(NamedTuple):
    """A code of rows: the index in a column, or what ``codes`` has for that index.

    Columns: ``types``, ``created_sites``, ``created_threads``.
    """

    column: str
    codes: Ints | None = None


@dataclass(frozen=True, slots=True)
class Counting:
    """How to count rows by two codes."""

    outer: Coded
    inner: Coded
    kept: npt.NDArray[np.bool_] | None = None
    """Rows to count; ``None``: all."""
    mark: MarkColumns | None = None
    recent: float = math.inf
    """Later births and deaths are recent, seconds since the Unix epoch."""
    ticket: Ticket | None = None


class TableLook(NamedTuple):
    """Facts that take a look at all rows."""

    objects: float
    """Objects that live handles name: each of an object's *n* handles counts as 1 / *n*."""
    newest_change: float
    """The last birth or change of a row; ``-inf``: unknown."""
    oldest_death: float
    """The earliest last change of a dead row; ``inf``: there is none, or it is not known."""
    created: Ints
    """Live rows by the thread that created them, by index."""
    owned: Ints
    """Live rows by the thread that alone may close them."""
    waiting: Ints
    """Live rows by the thread that their close waits for."""


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

    @property
    def wide_columns(self) -> frozenset[str]:
        """Columns that were asked for as a whole and had to be widened; kept for a while."""

    def column(self, name: str, rows: Ints | None = None) -> npt.NDArray[Any]:
        """A column of ``Handles``, read-only; of these rows, or of all."""

    def order(self, question: OrderQuestion) -> StoredOrder:
        """Sort rows, or hold an order."""

    def lines(self, counting: Counting) -> Mapping[str, npt.NDArray[Any]]:
        """Counts by two codes, ordered by them.

        Columns: ``outer``, ``inner``, ``live``, ``whole``, ``pending``, ``unseen``, ``before``,
        ``born``, ``died``, ``births``, ``deaths``, ``oldest_at``. A line counts dead rows as well,
        so ``live`` may be 0.
        """

    def look(self, threads: int) -> TableLook:
        """Facts about all rows; threads with an index from ``threads`` on are left out."""


class StoredHandles(Handles):
    """``Handles`` over a stored table."""

    __slots__ = ("table",)

    table: StoredTable

    def __new__(cls, table: StoredTable | None = None, **columns: Any) -> Any:
        """Over ``table``; ``dataclasses.replace`` gives columns, which make plain ``Handles``."""
        return Handles(**columns) if table is None else object.__new__(cls)

    def __init__(self, table: StoredTable) -> None:
        """Reads nothing yet."""
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        """Rows, tombstones among them."""
        return len(self.table)

    def take(self, rows: Ints) -> Handles:
        """These rows alone. No column is read as a whole."""
        return Handles(
            **{each.name: self.table.column(each.name, rows) for each in fields(Handles)}
        )


def picked(handles: Handles, name: str, rows: Ints) -> npt.NDArray[Any]:
    """A column of these rows alone; a stored table does not read it as a whole."""
    table = table_of(handles)
    column: npt.NDArray[Any] = (
        getattr(handles, name)[rows] if table is None else table.column(name, rows)
    )
    return column


def row_alone(snapshot: Snapshot, row: int) -> tuple[Snapshot, int]:
    """A snapshot that has the row, and the row in it.

    Texts of a few rows need no whole columns: of a stored table it is a snapshot of one row.
    """
    handles = snapshot.handles
    if not isinstance(handles, StoredHandles):
        return snapshot, row
    return replace(snapshot, handles=handles.take(np.array([row]))), 0


def table_look(snapshot: Snapshot) -> TableLook:
    """The facts about all rows of a stored table; use it as a fact of the snapshot.

    Raises ``TypeError`` for columns of numpy.
    """
    table = table_of(snapshot.handles)
    if table is None:
        raise TypeError("the rows are in no stored table")
    return table.look(max(snapshot.threads, default=0) + 1)


def table_of(handles: Handles) -> StoredTable | None:
    """The stored table of ``handles``; ``None`` for columns of numpy."""
    return handles.table if isinstance(handles, StoredHandles) else None


def _reader(name: str) -> property:
    """A column that is read when it is asked for."""

    def read(handles: StoredHandles) -> npt.NDArray[Any]:
        return handles.table.column(name)

    return property(read, doc=f"See ``Handles.{name}``.")


for _column in fields(Handles):
    setattr(StoredHandles, _column.name, _reader(_column.name))
