"""Declarations that a test has followed, over a recorder that remembers."""

from __future__ import annotations

from typing import Any

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.wire.declaration_files import Declared
from inspector.wire.declarations import Declaration, parse_declarations
from inspector.wire.schema import Kind, ReferenceState, ResourceState
from tests.unit.agent.adapters.remembering import RememberingRecorder, Row


class DeclaredRemembering(RememberingRecorder, DeclaredRecorder):
    """Rows by number, with resources and counts."""

    __slots__ = ("resources", "strong")

    def __init__(self) -> None:
        super().__init__()
        self.resources: dict[int, ResourceState] = {}
        self.strong: dict[int, int] = {}

    def declared_type(self, declaration: Declaration, origin: str) -> int:
        return self.type_index(name=declaration.name, origin=origin, kind=Kind.DECLARED)

    def set_resource(self, row: int, state: ResourceState) -> None:
        self.resources[row] = state

    def set_strong(self, row: int, strong: int) -> None:
        self.strong[row] = strong


class Follower:
    """Adapters that a test attached, and their one recorder."""

    def __init__(self) -> None:
        self.recorder = DeclaredRemembering()
        self.adapters: list[DeclaredAdapter] = []

    def follow(self, *values: dict[str, Any]) -> DeclaredAdapter:
        """Attach an adapter with these declarations."""
        declarations, troubles = parse_declarations(list(values), "a.toml")
        assert not troubles
        adapter = DeclaredAdapter(Declared(declarations), self.recorder)
        adapter.attach()
        self.adapters.append(adapter)
        return adapter

    def live(self, name: str) -> list[Row]:
        return self.recorder.live(name)

    def row(self) -> int:
        """The number of the only live row."""
        (number,) = [number for number, row in self.recorder.rows.items() if row.state == ReferenceState.LIVE]
        return number
