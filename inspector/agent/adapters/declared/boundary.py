"""The knowledge of declared classes about holders: the proxies.

Only its library knows the object behind a handle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.boundary import ForeignObject, Reach
from inspector.agent.plain import hides_referents


class DeclaredBoundary:
    """Implements ``Boundary``."""

    def __init__(
        self,
        rows: Callable[[], Sequence[DeclaredRows | LibraryRows]],
        classes: Callable[[], Sequence[type]] = tuple,
    ) -> None:
        """``rows`` gives the rows of all declarations, ``classes`` the followed classes."""
        self._rows = rows
        self._classes = classes

    def hidden_kinds(self) -> Sequence[str]:
        """Followed classes whose instances do not report their references to the collector."""
        return [kind for cls in self._classes() if (kind := hides_referents(cls))]

    def python_object(self, row: int) -> object | None:
        """The live proxy of a row."""
        return next(
            (proxy for rows in self._rows() if (proxy := rows.proxy(row)) is not None), None
        )

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
