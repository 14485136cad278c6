"""Declarations that a test has followed, over the table of this process."""

from __future__ import annotations

from typing import Any

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.declared.looks import Looks
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.vocabulary import Reference, Resource
from inspector.wire.declaration_files import Declared
from inspector.wire.declarations import parse_declarations
from tests.unit.agent.adapters import wrapped
from tests.unit.agent.adapters.table_recorder import Row, TableRecorder

MODULE = wrapped.__name__
SESSION = {
    "class": f"{MODULE}.Session",
    "handle": "_handle.value",
    "close": "close",
    "close_with": {"flush": True},
}
"""A class with a close of its own."""


class DeclaredTable(TableRecorder, DeclaredRecorder):
    """Rows by number, with resources and counts."""

    __slots__ = ()

    @property
    def closed(self) -> int:
        """Rows whose resource is closed."""
        return sum(row.resource == Resource.CLOSED for row in self.table_rows())

    @property
    def singles(self) -> list[int]:
        """Counts of the live rows, each as if it were its object's only row; oldest first."""
        return [row.strong for row in self.table_rows() if row.is_live]


class Follower:
    """Adapters that a test attached, and their one recorder."""

    def __init__(self, segment: str) -> None:
        self.recorder = DeclaredTable(segment)
        self.adapters: list[DeclaredAdapter] = []

    def follow(self, *values: dict[str, Any], looks: Looks | None = None) -> DeclaredAdapter:
        """Attach an adapter with these declarations."""
        declarations, troubles = parse_declarations(list(values), "a.toml")
        assert not troubles
        adapter = DeclaredAdapter(Declared(declarations), self.recorder, looks)
        adapter.attach()
        self.adapters.append(adapter)
        return adapter

    def live(self, name: str) -> list[Row]:
        return self.recorder.live(name)

    def row(self) -> int:
        """The number of the only live row."""
        (number,) = [
            number for number, row in self.recorder.rows.items() if row.state == Reference.LIVE
        ]
        return number
