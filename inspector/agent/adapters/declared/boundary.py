"""What declared classes tell about who holds whom: the proxies. What is behind a handle only its library knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.boundary import ForeignObject, Reach


class DeclaredBoundary:
    """Implements ``Boundary``."""

    def __init__(self, rows: Callable[[], Sequence[DeclaredRows | LibraryRows]]) -> None:
        """``rows`` gives those of all declarations."""
        self._rows = rows

    def python_object(self, row: int) -> object | None:
        """The live proxy of a row."""
        return next((proxy for rows in self._rows() if (proxy := rows.proxy(row)) is not None), None)

    def foreign_objects(self) -> Sequence[ForeignObject]:
        """None are known."""
        return ()

    def places(self) -> Mapping[int, str]:
        """None are known."""
        return {}

    def proxy_row(self, thing: object) -> int:
        """The row of a live proxy; 0 for anything else."""
        return next((row for rows in self._rows() if (row := rows.row_of(thing))), 0)

    def reaches(self, proxy: object) -> Sequence[Reach]:
        """None are known."""
        return ()
