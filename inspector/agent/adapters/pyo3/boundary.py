"""The objects of Rust extensions, for questions about their holders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inspector.agent.adapters.pyo3.followed import FollowedClass
from inspector.agent.boundary import ForeignObject, Reach
from inspector.agent.plain import hides_referents


class Pyo3Boundary:
    """Implements ``Boundary``: the proxy of a row is the object itself."""

    def __init__(self, classes: Callable[[], Sequence[FollowedClass]]) -> None:
        """``classes`` gives the followed classes."""
        self._classes = classes

    def hidden_kinds(self) -> Sequence[str]:
        """Classes with living objects that do not report their references to the collector."""
        known = [each.cls for each in self._classes() if len(each)]
        return [kind for cls in known if cls is not None and (kind := hides_referents(cls))]

    def python_object(self, row: int) -> object | None:
        """The living object of a row."""
        if row <= 0:
            return None
        found = (each.rows.of_row(row) for each in self._classes())
        return next((thing for thing in found if thing is not None), None)

    def foreign_objects(self) -> Sequence[ForeignObject]:
        """None are known."""
        return ()

    def places(self) -> Mapping[int, str]:
        """None are known."""
        return {}

    def proxy_row(self, thing: object) -> int:
        """The row of a living object; 0 for anything else."""
        rows: dict[int, Any] = {each.address: each.rows for each in self._classes()}
        found = rows.get(id(type(thing)))
        row: int = 0 if found is None else found.row(thing)
        return row

    def reaches(self, proxy: object) -> Sequence[Reach]:
        """None are known."""
        return ()
