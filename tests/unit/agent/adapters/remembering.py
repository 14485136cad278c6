"""A recorder that remembers rows instead of keeping them in the native table, so that a test reads what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inspector.agent.adapters.recorder import Recorder
from inspector.agent.adapters.uniffi.memory import word
from inspector.wire.schema import Kind, ReferenceState


@dataclass(slots=True)
class Row:
    """What is known of a row."""

    type: str
    kind: Kind
    address: int
    data: int
    born_now: bool
    state: ReferenceState = ReferenceState.LIVE

    def strong(self) -> int | None:
        """The count at the row's address, as the sampler would read it."""
        return word(self.address)


class RememberingRecorder(Recorder):
    """Rows by number."""

    __slots__ = ("failure", "off", "rows", "types")

    def __init__(self) -> None:
        self.off = False
        self.failure: Exception | None = None
        self.types: list[tuple[str, str, Kind]] = []
        self.rows: dict[int, Row] = {}

    def level(self) -> int:
        return 0 if self.off else 1

    def type_level(self, type_index: int) -> int:
        return self.level()

    def type_index(self, *, name: str, origin: str, kind: Kind, data_offset: int = 0) -> int:
        key = (name, origin, kind)
        if key not in self.types:
            self.types.append(key)
        return self.types.index(key) + 1

    def add(self, type_index: int, address: int, data: int, site: int) -> int:
        if self.failure is not None:
            raise self.failure
        return self._row(type_index, address, data, born_now=True)

    def adopt(self, type_index: int, addresses: Sequence[int], datas: Sequence[int]) -> list[int]:
        return [self._row(type_index, address, data, born_now=False) for address, data in zip(addresses, datas, strict=True)]

    def end(self, row: int, state: ReferenceState) -> None:
        if row > 0:
            self.rows[row].state = state

    def end_counted(self, row: int, strong_at: int) -> None:
        self.end(row, ReferenceState.DROPPED if word(strong_at) == 1 else ReferenceState.RELEASED)

    def set_address(self, row: int, address: int) -> None:
        self.rows[row].address = address

    def clear(self, type_index: int) -> None:
        name, _, kind = self.types[type_index - 1]
        self.rows = {number: row for number, row in self.rows.items() if (row.type, row.kind) != (name, kind)}

    def live(self, name: str) -> list[Row]:
        """Live rows of a type."""
        return [row for row in self.rows.values() if row.type == name and row.state == ReferenceState.LIVE]

    def ended(self, name: str) -> list[ReferenceState]:
        """How the dead rows of a type ended, oldest first."""
        return [row.state for row in self.rows.values() if row.type == name and row.state != ReferenceState.LIVE]

    def _row(self, type_index: int, address: int, data: int, *, born_now: bool) -> int:
        name, _, kind = self.types[type_index - 1]
        number = max(self.rows, default=0) + 1
        self.rows[number] = Row(name, kind, address, data, born_now)
        return number
