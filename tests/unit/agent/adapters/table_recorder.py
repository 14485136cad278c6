"""The process's own recorder with a segment that is read back: a test sees a viewer's rows."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.agent.adapters.recorder import Recorder
from inspector.agent.adapters.uniffi.memory import word
from inspector.vocabulary import Kind, Level, Reference, Resource
from inspector.wire import lib
from inspector.wire.declarations import Declaration
from tests.helpers import tables
from tests.helpers.tables import read_numbers, read_table


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table."""

    type: str
    kind: Kind
    address: int
    data: int
    born_now: bool
    state: Reference
    resource: Resource

    def strong(self) -> int | None:
        """The count at the row's address, as the sampler would read it."""
        return word(self.address)


class TableRecorder(Recorder):
    """Rows by number: the rows made since this object."""

    __slots__ = ("_earlier", "_segment", "failure")

    def __init__(self, segment: str) -> None:
        """Over the segment of this process."""
        self._segment = segment
        self.failure: Exception | None = None
        self._earlier = read_numbers(segment)

    @property
    def off(self) -> bool:
        return not lib.ai_level()

    @off.setter
    def off(self, value: bool) -> None:
        lib.ai_set_level(Level.OFF if value else Level.COUNT)

    def type_index(
        self,
        *,
        name: str,
        origin: str,
        kind: Kind,
        data_offset: int = 0,
        closes: Declaration | None = None,
    ) -> int:
        if self.failure is not None:
            raise self.failure
        return super().type_index(
            name=name, origin=origin, kind=kind, data_offset=data_offset, closes=closes
        )

    @property
    def rows(self) -> dict[int, Row]:
        found = self.table_rows()
        return {
            row.number: Row(
                row.type,
                row.kind,
                row.address,
                row.data,
                bool(row.created_at_ticks),
                row.reference,
                row.resource,
            )
            for row in found
        }

    def table_rows(self) -> list[tables.Row]:
        """The same from the table, oldest first."""
        made = read_table(self._segment, without=self._earlier).rows
        # a thread uses its dead rows again in any order
        return sorted(made, key=lambda row: (row.created_at_ticks, row.number))

    def live(self, name: str) -> list[Row]:
        """Live rows of a type, oldest first."""
        return [
            row for row in self.rows.values() if row.type == name and row.state == Reference.LIVE
        ]

    def ended(self, name: str) -> list[Reference]:
        """How the dead rows of a type ended, oldest first."""
        return [
            row.state
            for row in self.rows.values()
            if row.type == name and row.state != Reference.LIVE
        ]
